"""The bar that moves while something is made; only a build imports it."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flux2build.console.console import Console


def progress(console: Console) -> Progress:
    """A progress bar with counts; it prints nothing where stderr is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console.err,
        disable=not console.live,
        transient=True,
    )
