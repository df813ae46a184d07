"""A terminal of rich, for a progress bar, or for colours on Windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from rich.console import Console as RichConsole
from rich.text import Text


def terminal(file: IO[str], *, coloured: bool) -> RichConsole:
    """The terminal behind a stream."""
    return RichConsole(
        file=file,
        force_terminal=True,
        no_color=not coloured,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def printer(terminal: RichConsole) -> Callable[[str], None]:
    """Prints lines with escape sequences on a terminal, above the bar if there is one."""

    def put(line: str) -> None:
        terminal.print(Text.from_ansi(line))

    return put
