"""`diff`: what has changed since a commit, in words, in pictures and in money."""

from __future__ import annotations

import json
import shutil

import pytest

from flux2build.errors import Exit
from flux2build.simulator import Scenario
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, begin, commit, git
from tests.simulated import charges, order_from, serving

pytestmark = NEEDS_GIT

SPEC = """\
[project]
output = "img"
[defaults]
provider = "bfl"
width = 64
height = 64
[asset.fox]
seed = 7
prompt = "a fox in a red scarf"
[[asset.fox.deliver]]
path = "small.webp"
widths = [32]
[asset.owl]
prompt = "an owl"
seed = 3
[asset.pair]
prompt = "two friends"
refs = [{ asset = "owl" }]
"""
WORDS = """\
~ fox  changed
    prompt   a fox in a [-red-]{+blue+} scarf
    seed     7 -> 8
    picture  different (distance DISTANCE)
    made by  flux-2-pro, seed 8
    files    img/small.webp
    paid     $0.03
= uhu  renamed
    was      owl
    picture  the same bytes
    made by  flux-2-pro, seed 3
    files    img/owl.png
Since HEAD~1 (COMMIT): 1 changed, 1 renamed. Paid: $0.03 for 1 order.
"""


def built(site: Site) -> None:
    """Build and commit everything."""
    assert site.run("build", "--yes").code == Exit.DONE
    commit(site.folder, "Build")


@pytest.fixture
def committed(empty: Site) -> Site:
    """A repository without any commit."""
    begin(empty.folder)
    empty.write("assets.toml", SPEC)
    return empty


def test_what_has_changed_is_told(committed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed prompt, a renamed asset, and what was paid since; all the rest is left out."""
    with serving(Scenario(latency=0)) as server:
        order_from(server.base_url, monkeypatch)
        built(committed)
        committed.edit("assets.toml", "red", "blue")
        committed.edit("assets.toml", "seed = 7", "seed = 8")
        committed.edit("assets.toml", "[asset.owl]", "[asset.uhu]")
        committed.edit("assets.toml", 'asset = "owl"', 'asset = "uhu"')
        assert committed.run("build", "--yes").code == Exit.DONE
        assert committed.run("prune", "--yes").code == Exit.DONE
        assert charges(server) == 4
    commit(committed.folder, "Change")

    ran = committed.run("diff", "--since", "HEAD~1")
    change = json.loads(committed.run("diff", "--since", "HEAD~1", "--json", "fox").out)["changes"]
    distance = ran.out.partition("(distance ")[2].partition(")")[0]
    assert float(distance) == pytest.approx(change[0]["distance"], abs=0.06)  # rounded otherwise
    before = git(committed.folder, "rev-parse", "HEAD~1")[:9]
    assert ran.code == Exit.DONE
    assert ran.out == WORDS.replace("COMMIT", before).replace("DISTANCE", distance)
    assert [each["asset"] for each in change] == ["fox"]
    assert "nothing has changed" in committed.run("diff").out


def test_a_branch_is_compared_with_where_it_left(committed: Site) -> None:
    """What others did on the main line since is not this branch's change."""
    committed.edit("assets.toml", '"bfl"', '"sketch"')
    built(committed)
    git(committed.folder, "checkout", "-q", "-b", "side")
    committed.edit("assets.toml", "an owl", "an old owl")
    built(committed)
    git(committed.folder, "checkout", "-q", "main")
    committed.edit("assets.toml", "red", "green")
    built(committed)
    git(committed.folder, "checkout", "-q", "side")

    changed = json.loads(committed.run("diff", "--since", "main", "--json").out)["changes"]
    assert [(each["asset"], each["kind"]) for each in changed] == [
        ("owl", "changed"),
        ("pair", "changed"),
    ]


@pytest.mark.parametrize("clone", [None, "--depth=1"])
def test_a_missing_revision_is_an_error(
    committed: Site, clone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shallow clone the hint tells how to fetch the rest; elsewhere where to look."""
    commit(committed.folder, "One")
    git(committed.folder, "commit", "-qm", "Two", "--allow-empty")
    if clone:
        git(committed.folder, "clone", "-q", clone, committed.folder.as_uri(), "copy")
        monkeypatch.chdir(committed.folder / "copy")

    ran = committed.run("diff", "--since", "HEAD~1" if clone else "nope")
    assert ran.code == Exit.USAGE
    assert ("git fetch --unshallow" if clone else "git log") in ran.err


def test_without_git_there_is_no_past(empty: Site) -> None:
    """A project without a repository has nothing to compare with."""
    shutil.rmtree(empty.folder / ".git", ignore_errors=True)
    empty.write("assets.toml", SPEC)
    assert "no git repository" in empty.run("diff").err


def test_a_base_that_was_not_fetched_is_an_error(
    committed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a branch that is all there is of the past, nor one whose line is cut, says that nothing has changed."""
    commit(committed.folder, "One")
    git(committed.folder, "checkout", "-qb", "side")
    git(committed.folder, "commit", "-qm", "Two", "--allow-empty")
    git(committed.folder, "clone", "-q", "--depth=1", committed.folder.as_uri(), "../copy")
    monkeypatch.chdir(committed.folder.parent / "copy")
    git(committed.folder.parent / "copy", "fetch", "-q", "--depth=1", "origin", "main:main")

    for revision in ("side", "origin/side", "main"):
        ran = committed.run("diff", "--since", revision)
        assert (ran.code, "git fetch --unshallow" in ran.err) == (Exit.USAGE, True), revision
    for revision in ("HEAD", "@"):
        assert "nothing has changed" in committed.run("diff", "--since", revision).out
    git(committed.folder.parent / "copy", "commit", "-qm", "Three", "--allow-empty")
    assert "nothing has changed" in committed.run("diff", "--since", "origin/side").out


def test_candidates_count_as_paid_once(committed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that were ordered since are counted, and picking another one later costs nothing."""
    committed.edit(
        "assets.toml", "[asset.owl]", "[asset.hen]\nprompt = 'a hen'\ncandidates = 3\n[asset.owl]"
    )
    with serving(Scenario(latency=0)) as server:
        order_from(server.base_url, monkeypatch)
        commit(committed.folder, "One")
        committed.run("build", "hen", "--yes")
        committed.run("pick", "hen", "1")
        assert "paid     $0.09 for 3 orders" in committed.run("diff").out
        commit(committed.folder, "Two")
        committed.run("pick", "hen", "2")
    told = committed.run("diff")
    assert "1 changed.\n" in told.out
    assert (
        json.loads(committed.run("diff", "--since", "HEAD~1", "--json").out)["changes"][0]["paid"]
        == "0.09"
    )
