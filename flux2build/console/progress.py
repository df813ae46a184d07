"""The progress of a build: its share done, the assets under way, and the time remaining."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from flux2build.building.report import Event
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.errors import brief
from flux2build.planning.verdict import Action

if TYPE_CHECKING:
    from rich.progress import Progress

_NAMES: Final = 28
"""The most characters for the names of assets under way; a line has 80."""


class BuildProgress:
    """A progress bar, and the messages about each step; without a terminal there is no bar."""

    def __init__(self, console: Console, total: int, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._under_way: dict[str, str] = {}
        self._steps = ""
        self._console = console
        self._bar = _bar(console) if console.live else None
        self._task = self._bar.add_task("building", total=total) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            from flux2build.console.terminal import printer

            self._bar.start()
            self._console.err.above = printer(self._bar.console)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._console.err.above = None
            self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Name a file that is being made, and count it at its end."""
        if event.begun:
            self._under_way[event.recipe.output] = clean(event.recipe.asset)
            if event.problems:
                self._tell(event)
        else:
            self._under_way.pop(event.recipe.output, None)
            self._steps = ""
            drift = event.verdict.action is not Action.KEEP
            self._show(int(drift))
            self._tell(event)
        self._show()

    def on_step(self, what: str, step: int, steps: int) -> None:
        """Show the progress of a long step: an asset that is rendered here, or an operation."""
        self._steps = "" if step == steps else f"{clean(what)} {step}/{steps}"
        self._show()

    def _show(self, more: int = 0) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, advance=more, description=self.description)

    @property
    def description(self) -> str:
        """The names of the assets under way, as many as fit."""
        names = list(dict.fromkeys(self._under_way.values()))
        if self._steps or not names:
            return self._steps or "building"
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return brief(names[0], _NAMES - len(more)) + more


def _bar(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from flux2build.console.terminal import terminal

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        console=terminal(console.err.file, coloured=console.err.coloured),
        transient=True,
    )
