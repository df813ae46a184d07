"""`rollback`: an earlier picture comes back for nothing, on any machine, and stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flux2build.errors import Exit
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
prompt = "a red fox"
seed = 1
[[asset.fox.deliver]]
path = "small.webp"
widths = [32]
"""


Painted = tuple[Site, httpx.Client]


@pytest.fixture
def painted(empty: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Painted]:
    """A fox that was red, then a blue one of another seed, on a machine that knows nothing else."""
    begin(empty.folder)
    for variable in ("NAME", "EMAIL"):
        monkeypatch.setenv(f"GIT_AUTHOR_{variable}", f"ann@{variable.lower()}")
    empty.write("assets.toml", SPEC)
    with serving() as server:
        order_from(server.base_url, monkeypatch)
        for edits in ((), (("red", "blue"), ("seed = 1", "seed = 2"))):
            for edit in edits:
                empty.edit("assets.toml", *edit)
            assert empty.run("build", "--yes").code == Exit.DONE
            commit(empty.folder, "Paint")
        monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "home"))
        yield empty, server


def test_it_costs_nothing_and_stays(
    painted: Painted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture and what is made of it are those of the first commit; a second clone pays nothing, too."""
    site, server = painted
    first = {
        name: git(site.folder, "rev-parse", f"HEAD~1:{name}")
        for name in ("img/fox.png", "img/small.webp")
    }

    ran = site.run("rollback", "fox")
    assert (ran.code, ran.out) == (Exit.DONE, 'prompt = "a red fox"\nseed = 1\n')
    assert "img/fox.png is picture 1 again" in ran.err
    assert site.run("build", "--yes").code == Exit.DONE
    assert site.run("check").code == Exit.DONE
    assert {name: git(site.folder, "hash-object", name) for name in first} == first
    commit(site.folder, "Roll back")

    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another home"))
    git(site.folder, "clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert site.run("build", "--yes").code == Exit.DONE
    assert charges(server) == 2


def test_what_it_prints_makes_the_picture_current(painted: Painted) -> None:
    """The edit of the spec asks for the very order that was bought, by digest and by commit, too."""
    site, server = painted
    digest = json.loads(site.run("history", "fox", "--json").out)["pictures"][0]["sha256"]
    commit_name = git(site.folder, "rev-parse", "HEAD~1")[:9]
    for word in ("1", digest, digest[7:19], commit_name, "HEAD~1"):
        assert site.run("rollback", "fox", word).code == Exit.DONE

    for line, old in zip(
        site.run("rollback", "fox", "1").out.splitlines(),
        ('prompt = "a blue fox"', "seed = 2"),
        strict=True,
    ):
        site.edit("assets.toml", old, line)
    assert site.run("rollback", "fox", "1").out == ""
    assert site.run("build", "--yes").code == Exit.DONE
    assert charges(server) == 2


def test_a_candidate_that_was_picked_needs_no_edit(painted: Painted) -> None:
    """It is picked again with its row; `take = 3` would order further candidates."""
    site, server = painted
    site.edit("assets.toml", "seed = 2", "candidates = 2")
    assert site.run("build", "--yes").code == Exit.DECIDE
    for number in ("2", "1"):
        assert site.run("pick", "fox", number).code == Exit.DONE
        commit(site.folder, f"Pick {number}")

    ran = site.run("rollback", "fox")
    assert (ran.code, ran.out) == (Exit.DONE, "")
    assert site.run("approve", "fox").code == Exit.DONE
    assert site.run("build", "--yes").code == Exit.DONE
    assert site.run("check").code == Exit.DONE
    assert charges(server) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fox", "9"), "no picture has"),
        (("fox", "sha256:"), "no picture has"),
        (("cat",), "no asset `cat`"),
        (("fox", "1"), "wants `img/fox.webp`"),
    ],
)
def test_what_cannot_be_brought_back_is_refused(
    painted: Painted, words: tuple[str, ...], message: str
) -> None:
    """Nothing is changed then."""
    site, _ = painted
    if "webp" in message:
        site.edit("assets.toml", "seed = 2", 'seed = 2\nformat = "webp"')
    before = site.files()

    ran = site.run("rollback", *words)
    assert (ran.code, message in ran.err) == (Exit.USAGE, True)
    assert site.files() == before


def test_a_candidate_that_never_shipped_is_none_of_the_past(painted: Painted) -> None:
    """The picture before a pick is the one that shipped; the command that ships a candidate is named."""
    site, _ = painted
    assert site.run("reroll", "fox", "-n", "2", "--yes").code == Exit.DONE
    assert site.run("pick", "fox", "3").code == Exit.DONE
    rolled = site.run("rollback", "fox", "--json")
    pictures = json.loads(site.run("history", "fox", "--json").out)["pictures"]
    [other] = [each for each in pictures if each["seed"] == 3]

    assert json.loads(rolled.out)["picture"] == 2
    refused = site.run("rollback", "fox", str(other["number"]))
    assert (refused.code, "`flux2build pick fox 2` ships" in refused.err) == (Exit.USAGE, True)


def test_a_shallow_clone_is_no_whole_past(
    painted: Painted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fetches the rest is named where pictures may be missing."""
    site, _ = painted
    address = f"file://{site.folder}"
    git(site.folder, "clone", "-q", "--depth", "1", address, str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")

    assert "--unshallow" in site.run("history", "fox").err
    refused = site.run("rollback", "fox")
    assert (refused.code, "--unshallow" in refused.err) == (Exit.USAGE, True)


def test_what_is_current_and_approved_stays_approved(painted: Painted) -> None:
    """Bringing back the bytes of an approved picture takes nothing from it."""
    site, _ = painted
    assert site.run("approve", "fox").code == Exit.DONE
    site.draw("img/fox.png")
    rolled = site.run("rollback", "fox", "2")

    assert (rolled.code, "and approved" in rolled.err) == (Exit.DONE, True)
    assert site.run("list", "fox").out.startswith("fox  approved")
    assert site.run("check", "--require-approved").code == Exit.DONE


def test_what_is_made_of_it_is_told_where_there_is_any(painted: Painted) -> None:
    """A picture of which nothing is made needs no build."""
    site, _ = painted
    advice = "`flux2build build` makes what is made of it"
    assert advice in site.run("rollback", "fox", "1").err
    site.edit("assets.toml", '[[asset.fox.deliver]]\npath = "small.webp"\nwidths = [32]\n', "")
    assert advice not in site.run("rollback", "fox", "2").err


def test_what_is_back_was_not_paid_for_since(painted: Painted) -> None:
    """A diff counts what was ordered since the commit, and no order that an earlier lock had."""
    site, _ = painted
    assert site.run("rollback", "fox").code == Exit.DONE
    told = site.run("diff").out
    assert "1 changed.\n" in told
    assert "paid" not in told
    git(site.folder, "checkout", "assets.lock")
    assert "Paid: $0.03 for 1 order" in site.run("diff", "--since", "HEAD~1").out
