"""Text with styles, as lines are put together before a stream shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_SGR: Final = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "cyan": 36}
_COLOURLESS: Final = frozenset({"bold", "dim"})


def cell_len(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


class Text:
    """A text in parts, each with its style: `bold`, `dim`, a colour, or `bold red`."""

    def __init__(self, text: str = "", style: str = "") -> None:
        self.parts: list[tuple[str, str]] = [(text, style)] if text else []

    @classmethod
    def assemble(cls, *parts: str | tuple[str, str] | Text) -> Text:
        """A text of some parts."""
        text = cls()
        for part in parts:
            if isinstance(part, Text):
                text.parts += part.parts
            else:
                text.parts.append(part if isinstance(part, tuple) else (part, ""))
        return text

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return "".join(part for part, _ in self.parts)

    @property
    def cell_len(self) -> int:
        """How many cells of a terminal it takes."""
        return cell_len(self.plain)

    def __str__(self) -> str:
        return self.plain

    def __getitem__(self, which: slice) -> Text:
        start, stop, _ = which.indices(len(self.plain))
        return self.assemble(*self._between(start, stop))

    def _between(self, start: int, stop: int) -> Iterator[tuple[str, str]]:
        at = 0
        for part, style in self.parts:
            if piece := part[max(0, start - at) : max(0, stop - at)]:
                yield piece, style
            at += len(part)

    def rendered(self, *, coloured: bool) -> str:
        """The text as a terminal shows it, with its colours or without them."""
        return "".join(_rendered(part, style, coloured=coloured) for part, style in self.parts)


def _rendered(part: str, style: str, *, coloured: bool) -> str:
    words = [word for word in style.split() if coloured or word in _COLOURLESS]
    codes = ";".join(str(_SGR[word]) for word in words)
    return f"\x1b[{codes}m{part}\x1b[0m" if codes and part else part
