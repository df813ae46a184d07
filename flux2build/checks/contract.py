"""The contract of a check: facts in, findings out, offline and without writing.

A member is a module of `flux2build/checks/` that ends in `CHECK: Final[Check] = …`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from flux2build.checks import CHECKS
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding, Severity
from flux2build.model import AssetName
from flux2build.tables.table import Field, Table

Level = Annotated[
    Literal["error", "warning", "off"], Field(description="the severity of its findings")
]
"""The severity of a check's findings, or `off`."""


class Options(Table):
    """The settings of a check in `[checks]`."""

    # A member with another default severity or more options has a model of its own.
    # If it is off by default, it becomes a warning when the spec names it.

    severity: Level = "error"
    exclude: list[str] = Field(
        default=[], description="assets that it leaves alone, by the selection grammar"
    )


class Warnings(Options):
    """The settings in `[checks]` of a check whose findings are warnings."""

    severity: Level = "warning"


class Subject(StrEnum):
    """The facts that a check looks at; it has no findings where there are no such facts."""

    PROJECT = "project"
    """Anything."""
    SPEC = "spec"
    """What the spec and the lock say as a whole."""
    ASSETS = "assets"
    """What the spec says of each asset by itself."""
    STEPS = "steps"
    """The steps for each asset, the outputs that nothing needs any more, and the open orders."""
    PICTURES = "pictures"
    """The pictures of each asset that are as the spec and the lock want them."""


class Check(Struct, frozen=True):
    """One check."""

    codes: Mapping[str, str]
    """A sentence for each code that it can report."""
    findings: Callable[[Facts, Any], Iterator[Finding]]
    """Its findings, in a stable order; their severity follows from the options.

    The function's docstring describes what it reports.
    """
    options: type[Options] = Options
    """The model of its options, with its defaults."""
    subject: Subject = Subject.PROJECT


def evaluate(
    facts: Facts,
    excluded: Callable[[str, Options], frozenset[AssetName]],
    strictly: Container[str] = (),
    names: Iterable[str] = CHECKS,
) -> Iterator[Finding]:
    """The findings of the named checks, of all by default, with the severities that the spec gives them.

    `excluded` takes the name of a check and returns the assets of its `exclude`. The findings of
    checks in `strictly` are errors, whatever the spec says.
    """
    for name in names:
        check = CHECKS[name]
        options = facts.spec.checks.get(name) or check.options.model_construct()
        severity = Severity.ERROR if name in strictly else options.severity
        if severity == "off":
            continue
        ignored = excluded(name, options)
        for finding in check.findings(facts, options):
            if finding.asset not in ignored:
                yield replace(finding, severity=Severity(severity))
