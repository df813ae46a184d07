"""The law of merging: branches meet in `assets.lock` as they meet in the spec, with real git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from flux2build.lockfile import conflict_line, loads
from tests.conftest import Site

GIT: Final = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")

SPEC: Final = """\
[project]
output = "img"

[defaults]
width = 64
height = 48

[asset.apple]
prompt = "an apple"

[asset.bell]
prompt = "a bell"
refs = [{ asset = "apple" }]

[[asset.bell.deliver]]
formats = ["webp"]

[asset.cup]
prompt = "a cup"

[asset.drum]
prompt = "a drum. It is red. It is round."
"""


def git(site: Site, *words: str) -> int:
    """Run git in the site, as nobody in particular."""
    names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    env = {**os.environ, **{f"GIT_{name}": "x" for name in names}, "GIT_CONFIG_GLOBAL": os.devnull}
    ran = subprocess.run(
        [GIT or "git", *words], cwd=site.folder, env=env, capture_output=True, check=False
    )
    return ran.returncode


def commit(site: Site) -> None:
    """Build and commit everything."""
    assert site.run("build", "-q").code == 0
    git(site, "add", "-A")
    assert git(site, "commit", "-q", "-m", "x") == 0


@pytest.fixture
def repository(empty: Site) -> Site:
    """A built site under git."""
    shutil.rmtree(empty.folder / ".git")
    git(empty, "init", "-q", "-b", "main")
    empty.write("assets.toml", SPEC)
    commit(empty)
    return empty


def merge(site: Site, ours: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Edit the spec on two branches, build both, and merge; whether git managed by itself."""
    git(site, "checkout", "-q", "-b", "theirs")
    site.edit("assets.toml", *theirs)
    commit(site)
    git(site, "checkout", "-q", "main")
    site.edit("assets.toml", *ours)
    commit(site)
    return git(site, "merge", "-q", "theirs") == 0


def lock(site: Site) -> str:
    """The text of the lock."""
    return site.folder.joinpath("assets.lock").read_text("utf-8")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("a cup", "a blue cup"), ("an apple", "a green apple")),
        (("a cup", "a blue cup"), ("a drum. It", "a big drum. It")),
        (("[asset.cup]", '[asset.ant]\nprompt = "an ant"\n\n[asset.cup]'), ("a drum.", "a big drum.")),
        (('[asset.cup]\nprompt = "a cup"\n', ""), ("an apple", "a green apple")),
        (('["webp"]', '["webp", "jpeg"]'), ("a drum. It", "a big drum. It")),
    ],
    ids=["two edits", "neighbours", "one more", "one less", "a deliverable"],
)  # fmt: skip
def test_different_assets_never_conflict(
    repository: Site, ours: tuple[str, str], theirs: tuple[str, str]
) -> None:
    """Branches that touch different assets merge by lines, and the result is current at once."""
    assert merge(repository, ours, theirs)

    assert conflict_line(lock(repository)) is None
    assert len(loads(lock(repository), "assets.lock").blocks) >= 4
    repository.run("prune", "--yes")
    assert repository.run("check").out.endswith("Nothing to do.\n")


@pytest.mark.parametrize("keep", ["a green cup", "a blue cup"])
def test_the_same_asset_is_reconciled(repository: Site, keep: str) -> None:
    """When both sides rendered one asset, the side that the merged spec wants is kept, for nothing."""
    assert not merge(repository, ("a cup", "a green cup"), ("a cup", "a blue cup"))
    assert conflict_line(lock(repository)) is not None
    spec = SPEC.replace("a cup", keep)
    repository.write("assets.toml", spec)
    git(repository, "checkout", "--ours", "img")

    checked = repository.run("check")
    ran = repository.run("build")

    assert checked.code == 1
    assert "lock-conflict" in checked.out
    assert ran.code == 0
    assert "render" not in ran.err
    assert repository.run("check").out.endswith("Nothing to do.\n")
    assert f'prompt = "{keep}"' in lock(repository)
    assert lock(repository).count("[asset.cup.default.generated]") == 1


def test_neither_side_is_wanted(repository: Site) -> None:
    """A merged spec that asks for a third picture renders that one, and loses no other."""
    assert not merge(repository, ("a cup", "a green cup"), ("a cup", "a blue cup"))
    repository.write("assets.toml", SPEC.replace("a cup", "a golden cup"))
    git(repository, "checkout", "--ours", "img")

    ran = repository.run("build")

    assert [line for line in ran.err.splitlines() if line.startswith("render")] == [
        "render   img/cup.png  (prompt changed)"
    ]
    assert repository.run("check").code == 0


def test_a_conflict_upstream(repository: Site) -> None:
    """What is made of a picture follows the side that is kept."""
    assert not merge(repository, ("an apple", "a green apple"), ("an apple", "a red apple"))
    repository.write("assets.toml", SPEC.replace("an apple", "a red apple"))
    git(repository, "checkout", "--ours", "img")

    ran = repository.run("build")

    assert ran.code == 0
    assert "render" not in ran.err
    assert repository.run("check").out.endswith("Nothing to do.\n")


def test_a_conflict_of_other_profiles(repository: Site) -> None:
    """A build of one profile reconciles every profile by its own spec."""
    spec = SPEC.replace(
        "[asset.apple]", '[profile.big]\noutput = "big"\nwidth = 80\n\n[asset.apple]'
    )
    repository.write("assets.toml", spec)
    repository.run("build", "-q", "-p", "big")
    commit(repository)
    git(repository, "checkout", "-q", "-b", "theirs")
    for branch, colour in (("theirs", "blue"), ("main", "green")):
        git(repository, "checkout", "-q", branch)
        repository.edit("assets.toml", "a cup", f"a {colour} cup")
        repository.run("build", "-q", "-p", "big")
        commit(repository)
    assert git(repository, "merge", "-q", "theirs") != 0
    repository.write("assets.toml", spec.replace("a cup", "a blue cup"))
    git(repository, "checkout", "--theirs", "img", "big")

    assert repository.run("build").code == 0

    for profile in ("default", "big"):
        assert repository.run("check", "-p", profile).out.endswith("Nothing to do.\n")


def test_markers_that_are_not_paired(repository: Site) -> None:
    """A half-resolved conflict is refused, with its place and a way to restore the lock."""
    text = lock(repository)
    repository.write("assets.lock", text.replace("[asset.cup.", "=======\n[asset.cup.", 1))

    ran = repository.run("build")

    assert ran.code == 2
    assert "the conflict markers in `assets.lock` are not paired" in ran.err
    assert "git checkout --merge -- assets.lock" in ran.err


def test_git_merges_with_the_driver(repository: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two edits of one asset conflict, all else comes together, and the merged spec settles it, free."""
    driver = f"{sys.executable} -m flux2build lock merge %O %A %B %P"
    git(repository, "config", "merge.flux2build.driver", driver)
    repository.write(".gitattributes", "assets.lock merge=flux2build\n")
    commit(repository)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    assert not merge(repository, ("a cup", "a blue cup"), ("a cup", "a green cup"))

    assert lock(repository).count("<<<<<<< ours") == 1
    text = repository.folder.joinpath("assets.toml").read_text("utf-8")
    start, end = text.index("<<<<<<<"), text.index(">>>>>>>")
    rest = text[end:].partition("\n")[2]
    repository.write("assets.toml", f'{text[:start]}prompt = "a green cup"\n{rest}')
    assert repository.run("lock", "resolve").code == 0
    assert conflict_line(lock(repository)) is None
    drawn = repository.run("build").err
    assert "render" not in drawn.replace("0 rendered", "")
    assert repository.run("check").code == 0


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_nobody_is_said_to_have_decided_otherwise(
    repository: Site, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one side rejects again what the other approves, no merge by lines makes two approvals of it."""
    for name in ("NAME", "EMAIL"):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", "base")
    repository.run("reject", "cup")
    git(repository, "commit", "-q", "-a", "-m", "x")
    decisions = {"theirs": "reject", "ours": "approve"}
    git(repository, "branch", "theirs")
    git(repository, "branch", "ours")
    for branch in sorted(decisions, key=lambda each: each != first):
        git(repository, "checkout", "-q", branch)
        for name in ("NAME", "EMAIL"):
            monkeypatch.setenv(f"GIT_AUTHOR_{name}", branch)
        assert repository.run(decisions[branch], "cup", "--note", branch).code == 0
        git(repository, "commit", "-q", "-a", "-m", "x")
    git(repository, "checkout", "-q", "ours")

    assert git(repository, "merge", "-q", "theirs") == 1
    repository.run("lock", "resolve")
    listed = repository.run("list", "cup", "--json").out
    assert "disputed" in json.loads(listed)["assets"][0]["states"]
