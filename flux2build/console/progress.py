"""The progress bar of a build."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flux2build.console.console import Console


def progress(console: Console) -> Progress:
    """A progress bar with counts; it prints nothing if stderr is not a terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console.err,
        disable=not console.live,
        transient=True,
    )
