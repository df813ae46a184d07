"""A terminal as rich knows it, for what needs more than lines: a progress bar, or colours on Windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from rich.console import Console as RichConsole
from rich.text import Text


def terminal(file: IO[str], *, coloured: bool) -> RichConsole:
    """The terminal that a stream leads to."""
    return RichConsole(
        file=file,
        force_terminal=True,
        no_color=not coloured,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def printer(shown: RichConsole) -> Callable[[str], None]:
    """Prints lines with escape sequences on a terminal, above the bar if there is one."""

    def put(line: str) -> None:
        shown.print(Text.from_ansi(line))

    return put
