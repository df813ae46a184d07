"""The progress of a build: how far it is, what is under way, and when it will be done."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from flux2build.building.report import Event
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.errors import brief
from flux2build.model import AssetName
from flux2build.planning.verdict import Action

_NAMES: Final = 28
"""The most characters for the names of what is under way; a line has 80."""


class BuildProgress:
    """A progress bar, and what else is said of each step; without a terminal there is no bar."""

    def __init__(self, console: Console, total: int, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._under_way: dict[str, str] = {}
        self._steps = ""
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=console.err,
            disable=not console.live,
            transient=True,
        )
        self._task = self._bar.add_task("building", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Name a file that is being made, and count it once that has ended."""
        if event.begun:
            self._under_way[event.recipe.output] = clean(event.recipe.asset)
        else:
            self._under_way.pop(event.recipe.output, None)
            drift = event.verdict.action is not Action.KEEP
            self._bar.advance(self._task, int(drift))
            self._tell(event)
        self._bar.update(self._task, description=self.description)

    def on_step(self, asset: AssetName, step: int, steps: int) -> None:
        """Show how far a picture is that is rendered on this machine."""
        self._steps = "" if step == steps else f"{clean(asset)} {step}/{steps}"
        self._bar.update(self._task, description=self.description)

    @property
    def description(self) -> str:
        """The assets under way, as far as there is room for their names."""
        names = list(dict.fromkeys(self._under_way.values()))
        if self._steps or not names:
            return self._steps or "building"
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return brief(names[0], _NAMES - len(more)) + more
