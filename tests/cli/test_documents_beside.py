"""Documents beside a site's code: written there, and never over a file that somebody wrote."""

from __future__ import annotations

import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.golden import text

SPEC = """
[project]
output = "public"
[defaults]
width = 64
height = 64
[profile.final]
output = "finals"
[asset.fox]
prompt = "a fox"
[manifest]
typescript = "./src/assets.ts"
"""


@pytest.fixture
def coded(empty: Site) -> Site:
    """A site with code of its own, whose pictures its code is to know."""
    empty.write("assets.toml", SPEC)
    empty.write("src/main.ts", "export {};")
    return empty


def test_a_document_lies_beside_the_code(coded: Site) -> None:
    """It is written from the spec's folder, found by its path, and the same for every profile."""
    assert coded.run("build").code == Exit.DONE
    assert {"public/fox.png", "src/assets.ts"} < coded.files().keys()
    assert '"src": "fox.png"' in coded.files()["src/assets.ts"].decode()
    assert "src/assets.ts" in coded.run("list", "src/assets.ts").out

    assert coded.run("build", "-p", "final").code == Exit.DONE
    assert [coded.run("check", *words).code for words in ((), ("-p", "final"))] == [0, 0]


def test_it_replaces_no_code(coded: Site) -> None:
    """A file that is there already is named in the plan, stays, and the rest is built."""
    coded.edit("assets.toml", "./src/assets.ts", "./src/main.ts")

    assert "src/main.ts  ask" in coded.run("plan").out
    ran = coded.run("build")
    assert ran.code == Exit.DECIDE
    assert ran.err == text("""
        render   public/fox.png  (never rendered)
        error: `src/main.ts` is there already, and the lock does not tell where it comes from
          hint: give the document another path, or move the file away if it is an older document
        Built: 1 rendered, 1 failed, 0 up to date.
        """)
    assert coded.files()["src/main.ts"] == b"export {};"

    coded.folder.joinpath("src/main.ts").unlink()
    assert coded.run("build").code == Exit.DONE


def test_its_older_file_is_not_taken_for_ours(coded: Site) -> None:
    """A document that moves leaves its older file to the person whose code it lies among."""
    coded.run("build")
    coded.edit("assets.toml", "./src/assets.ts", "./src/pictures.ts")

    assert coded.run("build").code == Exit.DONE
    ran = coded.run("prune", "--yes")
    assert "`src/assets.ts` stays: nothing proves that it was written here" in ran.err
    assert {"src/assets.ts", "src/pictures.ts"} < coded.files().keys()


def test_what_was_there_can_be_brought_back(coded: Site) -> None:
    """The bytes of a document that is written anew are kept, as a lock alone does not prove that they are ours."""
    coded.run("build")
    before = coded.files()["src/assets.ts"]
    coded.write("src/assets.ts", "edited by hand")
    built = coded.run("build")
    assert "kept what was at src/assets.ts" in built.err
    assert coded.files()["src/assets.ts"] == before
