"""Changes that git makes to files are not edits: line ends, pointers, merges without markers."""

from __future__ import annotations

from typing import Final

import pytest

from flux2build.errors import Exit
from tests.conftest import Site

DOCUMENTS: Final = """
[manifest]
path = "assets.json"
pictures = "pictures.html"
typescript = "assets.ts"
"""
POINTER: Final = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 3\n"


def test_documents_of_a_checkout_with_crlf(site: Site) -> None:
    """Their line ends may be git's; a build leaves them, and an edit beside them is seen."""
    site.write("assets.toml", (site.folder / "assets.toml").read_text("utf-8") + DOCUMENTS)
    assert site.run("build").code == Exit.DONE
    for name in ("assets.json", "pictures.html", "assets.ts"):
        path = site.folder / "img" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = site.files()

    assert site.run("check").code == Exit.DONE
    assert site.run("plan", "--exit-code").code == Exit.DONE
    assert site.run("build").code == Exit.DONE
    assert site.files() == before

    site.edit("img/assets.ts", "readonly type", "type")
    assert "`assets.ts`: the file was modified" in site.run("check").out


@pytest.mark.parametrize("name", ["assets.toml", "assets.lock", "templates/hero.j2", "p.csv"])
def test_a_pointer_of_git_lfs_is_named(site: Site, name: str) -> None:
    """A text that Git LFS has not fetched says so, whatever it is."""
    site.write("p.csv", "sku\nA\n")
    site.edit(
        "assets.toml",
        "[asset.mascot]",
        '[asset.cup]\nprompt = "{{ row.sku }}"\nrows = { file = "p.csv", key = "sku" }\n\n[asset.mascot]',
    )
    assert site.run("build").code == Exit.DONE
    site.write(name, POINTER)

    ran = site.run("check")

    assert ran.code == Exit.USAGE
    assert f"`{name}` is a Git LFS pointer" in ran.err
    assert "hint: `git lfs pull` fetches it" in ran.err


def test_a_merge_without_markers_is_a_conflict(site: Site) -> None:
    """Both rows of a lock are read as two sides: the spec's is kept, and nothing is made again."""
    site.run("build")
    ours = site.folder.joinpath("assets.lock").read_text("utf-8").split("\n")
    site.edit("assets.toml", "a friendly fox", "a shy fox")
    site.run("build")
    theirs = site.folder.joinpath("assets.lock").read_text("utf-8").split("\n")
    pairs = zip(ours, theirs, strict=True)
    site.write("assets.lock", "\n".join(line for pair in pairs for line in dict.fromkeys(pair)))
    before = site.files()

    ran = site.run("check")
    assert (ran.code, "warning: the lock holds both sides of a merge" in ran.out) == (
        Exit.DONE,
        True,
    )
    assert site.run("build").code == Exit.DONE
    assert site.files() == before | {"assets.lock": "\n".join(theirs).encode()}


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        ("assets.toml", "[project]\nname\xa0= 1\n", ":2:5", "U+00A0 (no-break space)"),
        ("p.csv", "sku\u200b,name\nA,b\n", ":1:1", "U+200B (zero width space)"),
        ("p.json", '[{"sku":\xa0"A"}]', ":1:9", "U+00A0 (no-break space)"),
        ("p.json", '[{"sku": “A”}]', ":1:10", "a text stands between"),
        ("templates/a.j2", "a {{\u200b x }}\n", ":1:5", "U+200B (zero width space)"),
        ("templates/a.j2", "a {{ “x” }}\n", ":1:6", "straight quotes"),
        ("assets.toml", "[project]\nname = “x”\n", ":2:8", "straight quotes"),
        ("assets.lock", "version = 1\n\xa0revision = 1\n", ":2:1", "U+00A0 (no-break space)"),
    ],
)
def test_what_nobody_sees_is_named(
    empty: Site, name: str, text: str, place: str, message: str
) -> None:
    """A character that looks like a space, like nothing or like another is named with its place."""
    rows = f'rows = {{ file = "{name}", key = "sku" }}\n' if name.startswith("p.") else ""
    source = 'template = "a.j2"' if name.startswith("templates") else 'prompt = "a fox"'
    empty.write("assets.toml", f"[asset.x]\n{source}\n{rows}")
    empty.write(name, text)

    ran = empty.run("check")

    assert ran.code == Exit.USAGE
    assert f"--> {name}{place}\n" in ran.err
    assert message in ran.err
