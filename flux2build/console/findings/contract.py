"""The contract of an output format: the findings of a check in, text on stdout out.

A member is a module of `flux2build/console/findings/` that ends in
`FORMAT: Final[OutputFormat] = …`; the module's name is the format's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from flux2build.checks.finding import Finding
from flux2build.console.console import Console
from flux2build.planning.plan import Plan


class CheckReport(Struct, frozen=True):
    """The facts that a format may show."""

    findings: Sequence[Finding]
    plan: Plan | None
    """The plan of everything that was checked; None if the check could not start."""
    version: str
    """The version of flux2build."""


class OutputFormat(Struct, frozen=True):
    """One way to print findings."""

    show: Callable[[Console, CheckReport], None]
    machine_readable: bool = False
    """Whether an error that keeps the check from starting is printed as findings, too."""
    whole: bool = False
    """Whether the output is one document, which cannot be about several specs."""
    repository_paths: bool = False
    """Whether files are named from the repository's root instead of the spec's folder."""
    working_paths: bool = False
    """Whether they are named from the folder where the command was typed."""
