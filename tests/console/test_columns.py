"""What is printed fits the terminal: folded where it is too long, with nothing left out."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.console.columns import cell, column, folded
from flux2build.console.styled import Text, cell_len
from tests.conftest import Site
from tests.golden import text

WORDS: Final = st.text(st.sampled_from("ab -,/[]=狐\u0301é"), max_size=160)


@given(line=WORDS, width=st.integers(1, 120))
def test_folded_lines_fit_and_keep_every_word(line: str, width: int) -> None:
    """No line is wider than the terminal, which is never narrower than 20, and nothing is lost."""
    parts = [part.plain for part in folded(Text(line), width)]

    assert all(cell_len(part) <= max(width, 20) for part in parts)
    assert "".join("".join(parts).split()) == "".join(line.split())
    assert parts == [line] or cell_len(line) > max(width, 20)
    assert all(part.strip() for part in parts) or not line.strip()


@given(line=WORDS, width=st.integers(20, 80))
def test_folded_lines_keep_their_colours(line: str, width: int) -> None:
    """Every letter has the style that it had."""
    styled = Text.assemble((line, "bold"))

    for part in folded(styled, width):
        assert all(style == "bold" for letters, style in part.parts if letters.strip())


def test_what_follows_hangs_below_its_column() -> None:
    """A last column goes on where it begins; one behind a long name begins a line of its own."""
    names = ["fox", "a-name-that-is-far-too-long-for-a-column"]
    wide = column(names, 60)
    rows = [f"{cell(name, wide)}  changed   a path/to/some/picture/of/it/64.webp" for name in names]

    assert "\n".join(part.plain for row in rows for part in folded(Text(row), 40)) == (
        "fox  changed   a\n"
        "               path/to/some/picture/of/\n"
        "               it/64.webp\n"
        "a-name-that-is-far-too-long-for-a-column\n"
        "    changed   a path/to/some/picture/of/\n"
        "    it/64.webp"
    )


def test_columns_are_as_wide_as_their_names() -> None:
    """A column holds all names where lines have no width, and counts the cells of each letter."""
    assert (column(["fox", "狐狸"], None), column([], 80)) == (4, 0)
    assert [cell("狐", 4), cell("fox", 2)] == ["狐  ", "fox"]
    assert column(["x" * 30, "y" * 33], 80) == 30


SPEC: Final = """
[project]
output = "public/images/of-the-shop/autumn"
[asset.hero-of-the-autumn-campaign]
prompt = "a loaded touring bicycle by a gravel lane, with a thermos on its top tube, in october"
matrix = { locale = ["de", "en"], theme = ["dark-with-high-contrast", "light"] }
width = 64
height = 64
alt = "A bicycle that is loaded with bags, by a lane with a view over the whole valley in october"
deliver = [{ widths = [16, 32], formats = ["webp", "png"] }]
[asset.fox]
prompt = "a fox"
width = 64
height = 64
"""
COMMANDS: Final = (
    "list", "plan", "plan -v", "show hero* fox", "explain hero* fox", "check", "presets", "models",
    "doctor", "graph -v", "cost", "orders list --everything", "prune", "diff",
)  # fmt: skip


@pytest.fixture
def wide(empty: Site) -> Site:
    """A site with long names, one of whose pictures is built and one left over."""
    empty.write("assets.toml", SPEC)
    assert empty.run("build", "-q").code == 0
    empty.edit("assets.toml", "a loaded", "a red")
    empty.edit("assets.toml", "asset.fox", "asset.owl")
    return empty


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_every_table_fits(wide: Site, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """No command prints a line of data that the terminal would fold, and none leaves a word out."""
    whole = {words: wide.run(*words.split()).out for words in COMMANDS}
    monkeypatch.setenv("COLUMNS", str(columns))

    for words in COMMANDS:
        out = wide.run(*words.split()).out
        assert max(map(cell_len, out.splitlines()), default=0) <= columns, words
        if words != "doctor":  # it tells of the disk, which changes
            assert "".join(out.split()) == "".join(whole[words].split()), words


def test_a_list_at_80_columns(wide: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that leave no room for the rest have a line of their own."""
    monkeypatch.setenv("COLUMNS", "80")

    assert wide.run("list").out == text("""
        hero-of-the-autumn-campaign[locale=de,theme=dark-with-high-contrast]
            changed   public/images/of-the-shop/autumn/
            hero-of-the-autumn-campaign-de-dark-with-high-contrast.png and 4 more
        hero-of-the-autumn-campaign[locale=de,theme=light]
            changed   public/images/of-the-shop/autumn/
            hero-of-the-autumn-campaign-de-light.png and 4 more
        hero-of-the-autumn-campaign[locale=en,theme=dark-with-high-contrast]
            changed   public/images/of-the-shop/autumn/
            hero-of-the-autumn-campaign-en-dark-with-high-contrast.png and 4 more
        hero-of-the-autumn-campaign[locale=en,theme=light]
            changed   public/images/of-the-shop/autumn/
            hero-of-the-autumn-campaign-en-light.png and 4 more
        owl  new       public/images/of-the-shop/autumn/owl.png
        """)


def test_lines_for_programs_stay_whole(wide: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `grep` and other programs read is not folded."""
    before = wide.run("check", "--output-format", "concise").out
    monkeypatch.setenv("COLUMNS", "40")

    assert wide.run("check", "--output-format", "concise").out == before
