"""`lock`: merging by what was changed, and settling what a merge has left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flux2build.lockfile import ReviewState, conflict_line, loads
from flux2build.model import AssetName
from tests.conftest import Site

SPEC = """\
[project]
output = "img"
[defaults]
width = 64
height = 64
[asset.apple]
prompt = "an apple"
candidates = 3
[asset.bell]
prompt = "a bell"
"""


@pytest.fixture
def site(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Three candidates for an apple and one bell, drawn."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == 0
    return empty


def branch(site: Site, name: str, *commands: tuple[str, ...]) -> None:
    """Run commands, keep the lock under a name, and take them back."""
    lock = Path("assets.lock")
    before = lock.read_bytes()
    for command in commands:
        assert site.run(*command).code == 0
    Path(name).write_bytes(lock.read_bytes())
    lock.write_bytes(before)


def merged(site: Site, ours: tuple[str, ...], theirs: tuple[str, ...]) -> int:
    """Merge two branches into the lock; the exit code of the driver."""
    branch(site, "base")
    branch(site, "theirs", theirs)
    branch(site, "ours", ours)
    code = site.run("lock", "merge", "base", "ours", "theirs", "assets.lock").code
    Path("assets.lock").write_bytes(Path("ours").read_bytes())
    return code


def test_what_one_side_changed_is_taken(site: Site) -> None:
    """A pick here and an approval there come together without a conflict."""
    assert merged(site, ("pick", "apple", "2"), ("approve", "bell")) == 0
    lock = loads(Path("assets.lock").read_text("utf-8"), "assets.lock")
    apple, bell = (lock.blocks[AssetName(name), "default"] for name in ("apple", "bell"))

    assert apple.generated is not None
    assert (apple.generated.take, len(apple.candidates)) == (2, 3)
    assert bell.decision is not None
    assert site.run("build").code == 0
    assert site.run("check").code == 0


def test_two_picks_are_left_to_a_person(site: Site) -> None:
    """Both sides stay between markers until `lock resolve`; then the asset waits for a pick."""
    assert merged(site, ("pick", "apple", "2"), ("pick", "apple", "3")) == 1
    assert conflict_line(Path("assets.lock").read_text("utf-8")) is not None
    assert site.run("lock", "resolve").code == 0
    lock = loads(Path("assets.lock").read_text("utf-8"), "assets.lock")
    apple = lock.blocks[AssetName("apple"), "default"]

    assert apple.generated is None
    assert len(apple.candidates) == 3
    assert site.run("pick", "apple", "3").code == 0
    assert site.run("check").code == 0


@pytest.mark.parametrize("markers", [True, False])
def test_decisions_that_contradict_each_other_are_left_to_a_person(
    site: Site, *, markers: bool
) -> None:
    """`lock resolve` and every build end with 5, and a decision settles it."""
    if markers:
        assert merged(site, ("approve", "bell"), ("reject", "bell")) == 0
    else:
        branch(site, "theirs", ("reject", "bell"))
        assert site.run("approve", "bell").code == 0
        ours, theirs = (Path(n).read_text("utf-8") for n in ("assets.lock", "theirs"))
        at = theirs.index("[asset.bell.default.review]")
        Path("assets.lock").write_text(f"{ours.rstrip()}\n\n{theirs[at:]}", "utf-8")
    resolved = site.run("lock", "resolve", "--json")
    assert resolved.code == 5
    assert json.loads(resolved.out)["disputed"] == ["bell"]
    assert site.run("build").code == 5
    assert site.run("check").code == 1
    lock = loads(Path("assets.lock").read_text("utf-8"), "assets.lock")
    review = lock.blocks[AssetName("bell"), "default"].decision
    assert review is not None
    assert review.state is ReviewState.DISPUTED
    assert review.note == "approved by Ann <ann@example.com>; rejected by Ann <ann@example.com>"

    assert site.run("approve", "bell").code == 0
    assert site.run("build").code == 0


def test_a_lock_that_cannot_be_read_is_left_as_a_conflict(site: Site) -> None:
    """Nothing of either side is lost, and git hears of the conflict."""
    branch(site, "base")
    branch(site, "ours")
    Path("theirs").write_text("version = 9\n", "utf-8")

    assert site.run("lock", "merge", "base", "ours", "theirs").code == 1
    text = Path("ours").read_text("utf-8")
    assert text.startswith("<<<<<<< ours\n")
    assert text.endswith("=======\nversion = 9\n>>>>>>> theirs\n")


def test_a_lock_without_conflicts_stays(site: Site) -> None:
    """There is nothing to settle, and nothing is written."""
    before = Path("assets.lock").read_bytes()

    assert site.run("lock", "resolve").code == 0
    assert Path("assets.lock").read_bytes() == before


def test_what_is_missing_is_named(empty: Site) -> None:
    """A lock that is not there and a command that nobody gave are slips, not bugs."""
    for words, message in ((("merge", "a", "b", "c"), "no file `a`"), ((), "missing command")):
        ran = empty.run("lock", *words)
        assert (ran.code, message in ran.err) == (2, True)
