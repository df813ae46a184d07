"""A maintainer reviews pictures in a pull request."""

from __future__ import annotations

import html
import json
from subprocess import CalledProcessError
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, commit, git
from tests.simulated import charges

pytestmark = NEEDS_GIT

SPEC: Final = """\
[project]
output = "img"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[asset.fox]
prompt = "a red fox"
[asset.owl]
prompt = "an owl"
[asset.old]
prompt = "an old map"
"""
CANARY: Final = "sk-canary-7f3a9b2c4d5e"


@pytest.fixture
def reviewed(project: Site) -> Site:
    """The main line: three pictures, built, approved and committed."""
    project.write("assets.toml", SPEC)
    assert project.run("build", "--yes").code == Exit.DONE
    assert project.run("approve", "fox", "owl").code == Exit.DONE
    commit(project.folder)
    return project


def codes(site: Site, *words: str) -> set[str]:
    """The codes of what `check` finds."""
    return {
        each["code"] for each in json.loads(site.run("check", "--json", *words).out)["findings"]
    }


def test_a_fork_without_secrets_is_checked(
    reviewed: Site, monkeypatch: pytest.MonkeyPatch, server: httpx.Client
) -> None:
    """Without a key, offline; exit 0, 1 and 2 tell current, drift and a mistake apart."""
    monkeypatch.delenv("BFL_API_KEY")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(reviewed.folder.parent / "runner"))
    asked = len(server.get("/_sim/requests").json()["requests"])
    assert reviewed.run("check").code == Exit.DONE
    reviewed.edit("assets.toml", "a red fox", "a blue fox")
    for form, told in (
        ("full", "[-red-]{+blue+}"),
        ("json", '"line": 8'),
        ("github", "::error title=flux2build prompt-changed,file=assets.toml,line=8"),
    ):
        checked = reviewed.run("check", "--output-format", form)
        assert checked.code == Exit.DRIFT
        assert told in checked.out or form == "full"
    reviewed.edit("assets.toml", "prompt = ", "promt = ")
    assert reviewed.run("check").code == Exit.USAGE
    assert len(server.get("/_sim/requests").json()["requests"]) == asked


def test_kinds_of_drift_are_told_apart(reviewed: Site) -> None:
    """Inputs, outputs, what is left over, what is not approved, and a lock that cannot be used."""
    reviewed.edit("assets.toml", "a red fox", "a blue fox")
    reviewed.edit("assets.toml", '[asset.old]\nprompt = "an old map"\n', "")
    reviewed.draw("img/owl.png")
    assert codes(reviewed) == {"prompt-changed", "output-modified", "orphan"}
    git(reviewed.folder, "checkout", ".")
    reviewed.folder.joinpath("img/owl.png").unlink()
    assert codes(reviewed, "--require-approved") == {"output-missing", "unapproved"}
    git(reviewed.folder, "checkout", ".")

    reviewed.edit("assets.lock", "version = 1", "version = 99")
    assert codes(reviewed) == {"lock-newer"}
    git(reviewed.folder, "checkout", ".")
    lock = reviewed.folder.joinpath("assets.lock").read_text("utf-8")
    reviewed.write("assets.lock", f"<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> other\n")
    assert "lock-conflict" in codes(reviewed)


def test_the_report_shows_what_a_branch_changes(reviewed: Site) -> None:
    """Before and after, words, model, seed and price of every changed asset, as page and comment."""
    git(reviewed.folder, "checkout", "-qb", "branch")
    reviewed.edit("assets.toml", "an owl", "a snowy owl")
    assert reviewed.run("build", "--reopen", "owl", "--yes").code == Exit.DONE
    commit(reviewed.folder)
    assert reviewed.run("report", "--since", "main", "-o", "report.html").code == Exit.DONE
    page = reviewed.folder.joinpath("report.html").read_text("utf-8")
    told = html.unescape(reviewed.run("report", "--since", "main", "--format", "markdown").out)
    assert page.count("data:image/webp;base64,") == 2
    for text in ("flux-2-pro, seed ", "$0.03", "no longer approved", "1 changed"):
        assert text in page
        assert text in told
    assert "<del>an</del><ins>a snowy</ins> owl" in page
    assert "[-an-]{+a snowy+} owl" in told
    assert "fox" not in page + told


def test_an_approval_is_of_bytes_and_protects_them(reviewed: Site, server: httpx.Client) -> None:
    """The lock names the reviewer; only `--reopen` renders an approved picture, and voids the approval."""
    lock = reviewed.folder.joinpath("assets.lock").read_text("utf-8")
    assert '[asset.fox.default.review]\nsha256 = "sha256:' in lock
    assert 'by = "Ann <ann@example.com>"' in lock
    assert reviewed.run("build", "--force", "fox", "--yes").code == Exit.DECIDE
    assert charges(server) == 3
    assert reviewed.run("build", "--force", "fox", "--reopen", "fox", "--yes").code == Exit.DONE
    assert charges(server) == 4
    assert codes(reviewed, "fox", "--require-approved") == {"unapproved"}


def test_branches_meet_in_one_obvious_place(reviewed: Site, server: httpx.Client) -> None:
    """Other assets merge by lines; one that both rendered conflicts once, and no side pays again."""
    for branch, (old, new) in {
        "one": ("[asset.fox]", '[asset.ant]\nprompt = "an ant"\n[asset.fox]'),
        "two": ("[asset.owl]", '[asset.gnu]\nprompt = "a gnu"\n[asset.owl]'),
        "three": ("an old map", "an old chart"),
        "four": ("an old map", "an old globe"),
    }.items():
        git(reviewed.folder, "checkout", "-qb", branch, "main")
        reviewed.edit("assets.toml", old, new)
        assert reviewed.run("build", "--yes").code == Exit.DONE
        commit(reviewed.folder, branch)
    spent = charges(server)
    git(reviewed.folder, "checkout", "-q", "one")
    git(reviewed.folder, "merge", "-q", "two")
    git(reviewed.folder, "merge", "-q", "three")
    assert reviewed.run("check").code == Exit.DONE

    with pytest.raises(CalledProcessError):
        git(reviewed.folder, "merge", "-q", "four")
    lock = reviewed.folder.joinpath("assets.lock").read_text("utf-8")
    around = lock[lock.index("<<<<<<<") : lock.rindex(">>>>>>>")]
    tables = {line for line in around.splitlines() if line.startswith("[")}
    assert tables <= {f"[asset.old.default{part}]" for part in ("", ".generated", ".output")}
    git(reviewed.folder, "checkout", "--ours", "assets.toml", "img")
    reviewed.edit("assets.toml", "an old chart", "an old globe")
    assert reviewed.run("build", "--max-cost", "0").code == Exit.DONE
    assert reviewed.run("check").code == Exit.DONE
    assert charges(server) == spent


def test_further_candidates_stay_out_of_git(reviewed: Site, server: httpx.Client) -> None:
    """Each has a seed of its own in the lock, one is picked, and the work tree has that one alone."""
    assert reviewed.run("reroll", "old", "-n", "3", "--yes").code == Exit.DONE
    assert reviewed.run("pick", "old", "3").code == Exit.DONE
    assert charges(server) == 3 + 3
    changed = git(reviewed.folder, "status", "--porcelain").splitlines()
    assert sorted(line.split()[-1] for line in changed) == ["assets.lock", "img/old.png"]
    rows = json.loads(reviewed.run("candidates", "old", "--json").out)["candidates"]
    assert [row["state"] for row in rows] == ["candidate", "candidate", "picked", "candidate"]


def test_the_key_stays_where_it_is(project: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither lock, ledger, files nor messages have it, nor does what a failure says."""
    monkeypatch.setenv("BFL_API_KEY", CANARY)
    project.write("assets.toml", SPEC)
    said = [project.run("build", "fox", "--yes", "-vv")]
    said += [project.run("report", "-o", "report.html"), project.run("doctor")]
    monkeypatch.setenv("FLUX2BUILD_BFL_URL", "http://127.0.0.1:9")
    said += [project.run("build", "owl", "--yes", "-vv")]
    assert not [ran for ran in said if CANARY in ran.out + ran.err]
    written = [path for path in project.folder.parent.rglob("*") if path.is_file()]
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
