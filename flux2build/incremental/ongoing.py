"""A project that one process builds again and again: what is known of it stays in memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from flux2build.building.report import Report
from flux2build.errors import Flux2BuildError
from flux2build.incremental.baseline import Baseline
from flux2build.incremental.brief import Brief, compared_with
from flux2build.incremental.renewal import note, renewed
from flux2build.session.project import Project

Remember = Callable[[Project], Baseline | None]
"""Writes down that nothing is to be done in a project, and returns its baseline."""


class Ongoing:
    """The baseline of the last build that left nothing to do, and what is still to be written of it.

    A build is followed by `settle`, which takes a moment, and by `write`, once there is time.
    """

    def __init__(self) -> None:
        self.project: Project | None = None
        """The last one that was read and built."""
        self._base: Baseline | None = None
        self._settle: Callable[[], None] | None = None
        self._write: Callable[[], None] | None = None

    def brief(self, project: Project) -> Brief | None:
        """Return what a build of everything would do; None if the spec must be read to know it."""
        with suppress(Flux2BuildError):  # a reading of everything meets it, too, and says more
            return None if self._base is None else compared_with(project, self._base)
        return None

    def built(self, project: Project, remember: Remember) -> None:
        """Go on from a project that was read, once it is remembered that nothing is to be done."""
        self.project = project
        self._settle, self._write = None, partial(self._remember, project, remember)

    def built_in_brief(
        self, project: Project, brief: Brief, report: Report, answer: str, remember: Remember
    ) -> None:
        """Go on from what a build of a plan in brief has left."""
        self._settle = partial(self._renew, project, brief, report, answer)
        self._write = partial(self._read_on, project, remember)

    def settle(self) -> None:
        """Know what the next build starts from, as far as that takes no reading.

        Raises:
            Flux2BuildError: something of it cannot be read.
        """
        settle, self._settle = self._settle, None
        if settle is not None:
            settle()

    def write(self) -> None:
        """Write down that nothing is to be done, so that the next command knows it at once.

        Raises:
            Flux2BuildError: something of it cannot be read.
        """
        write, self._write = self._write, None
        if write is not None:
            write()

    def _remember(self, project: Project, remember: Remember) -> None:
        self._base = remember(project)

    def _read_on(self, project: Project, remember: Remember) -> None:
        with suppress(Flux2BuildError):  # of an edit that is told as soon as it is noticed
            self._remember(project.reread_by(project.index), remember)

    def _renew(self, project: Project, brief: Brief, report: Report, answer: str) -> None:
        if (now := renewed(project, brief, report)) is not None:
            self._base, self._write = now.base, partial(note, project, now, answer)
