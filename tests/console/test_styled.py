"""Lines with styles look as rich, which knows terminals, would show them."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich import cells, console, text

from flux2build.console.styled import Text, cell_len

WORDS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cf", "Cs"]))
STYLES = st.sampled_from(["", "bold", "dim", "red", "cyan", "bold red", "bold cyan", "bold yellow"])


@given(st.lists(st.tuples(WORDS, STYLES)), st.booleans())
def test_a_terminal_shows_the_same(parts: list[tuple[str, str]], coloured: bool) -> None:  # noqa: FBT001 - given
    """The escape sequences are those of rich, in colour and without."""
    out = io.StringIO()
    rich = console.Console(
        file=out,
        force_terminal=True,
        color_system="standard",
        no_color=not coloured,
        soft_wrap=True,
        legacy_windows=False,
    )
    rich.print(text.Text.assemble(*parts))

    assert Text.assemble(*parts).rendered(coloured=coloured) + "\n" == out.getvalue()


@given(WORDS)
def test_cells_are_counted_alike(words: str) -> None:
    """Wide letters take two cells, also where rich is asked only about what is not ASCII."""
    assert cell_len(words) == cells.cell_len(words)


@given(st.lists(st.tuples(WORDS, STYLES)), st.integers(0, 40), st.integers(0, 40))
def test_a_part_of_a_text(parts: list[tuple[str, str]], start: int, stop: int) -> None:
    """A slice has the letters of the slice, each with the style that it had."""
    letters = [(letter, style) for part, style in parts for letter in part]

    cut = Text.assemble(*parts)[start:stop]

    assert [(x, style) for part, style in cut.parts for x in part] == letters[start:stop]
