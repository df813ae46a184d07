"""Keeps in memory the facts about a project that one process builds again and again."""

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
"""Records that a project has nothing to do, and returns its baseline."""


class Ongoing:
    """The baseline of the last build that left nothing to do, and what must still be written.

    After a build, call `settle`, which takes a moment, and `write` once there is time.
    """

    def __init__(self) -> None:
        self.project: Project | None = None
        """The last project that was read and built."""
        self._base: Baseline | None = None
        self._settle: Callable[[], None] | None = None
        self._write: Callable[[], None] | None = None

    def brief(self, project: Project) -> Brief | None:
        """Return the plan of a whole build; None if the spec must be read to make it."""
        with suppress(Flux2BuildError):  # reading everything meets the error, too, and says more
            return None if self._base is None else compared_with(project, self._base)
        return None

    def built(self, project: Project, remember: Remember) -> None:
        """Continue from a project that was read, once it is recorded that nothing is to be done."""
        self.project = project
        self._settle, self._write = None, partial(self._remember, project, remember)

    def built_in_brief(
        self, project: Project, brief: Brief, report: Report, answer: str, remember: Remember
    ) -> None:
        """Continue from the result of a build that carried out a plan in brief."""
        self._settle = partial(self._renew, project, brief, report, answer)
        self._write = partial(self._read_on, project, remember)

    def settle(self) -> None:
        """Update what the next build starts from, without reading the spec.

        Raises:
            Flux2BuildError: something of it cannot be read.
        """
        settle, self._settle = self._settle, None
        if settle is not None:
            settle()

    def write(self) -> None:
        """Record that nothing is to be done, so that the next command knows it at once.

        Raises:
            Flux2BuildError: something of it cannot be read.
        """
        write, self._write = self._write, None
        if write is not None:
            write()

    def _remember(self, project: Project, remember: Remember) -> None:
        self._base = remember(project)

    def _read_on(self, project: Project, remember: Remember) -> None:
        with suppress(Flux2BuildError):  # the error of a new edit is reported when that is noticed
            self._remember(project.reread_by(project.index), remember)

    def _renew(self, project: Project, brief: Brief, report: Report, answer: str) -> None:
        if (renewal := renewed(project, brief, report)) is not None:
            self._base, self._write = renewal.base, partial(note, project, renewal, answer)
