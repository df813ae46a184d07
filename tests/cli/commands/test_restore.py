"""`restore` as a person uses it, after a build has replaced a file of theirs."""

from __future__ import annotations

import pytest

from flux2build.errors import Exit
from tests.conftest import Site


def test_a_picture_made_by_hand_is_kept_and_brought_back(site: Site) -> None:
    """The plan marks what it replaces, the build says what brings it back, and that does."""
    site.write("img/icon.png", "drawn by hand")
    plan = site.run("plan")
    assert "note: icon: replaces a file that the lock does not know; its bytes are kept" in plan.out
    assert "there is no `assets.lock` beside 1 of 12 outputs: was it committed?" in plan.err

    told = site.run("build").err

    command = told.partition("`flux2build restore ")[2].partition("`")[0]
    assert site.files()["img/icon.png"] != b"drawn by hand"
    back = site.run("restore", *command.split())
    assert (back.code, site.files()["img/icon.png"]) == (Exit.DONE, b"drawn by hand")
    assert "replaces a file that is not what the lock says" in site.run("plan").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ffff", "img/a.png"), "the store has no file `ffff`"),
        (("", "img/a.png"), "several files begin with ``"),
        (("{}", "../a.png"), "`../a.png` leads out of its folder (`..`)"),
        (("{}", "assets.toml"), "`assets.toml` stays: it is the spec `assets.toml`"),
        (("{}", ".git/HEAD"), "`.git/HEAD` lies in `.git`, which is not for pictures"),
    ],
)
def test_what_cannot_be_restored(site: Site, words: tuple[str, str], message: str) -> None:
    """Nothing is written but what the store has, and nowhere but where outputs may lie."""
    site.write("img/icon.png", "by hand")
    told = site.run("build").err
    digest = told.partition("`flux2build restore ")[2].split()[0]
    before = site.files()

    ran = site.run("restore", *(word.format(digest) for word in words))

    assert ran.code == Exit.USAGE
    assert message in ran.err
    assert site.files() == before
