"""The contract of a check: facts in, findings out, offline and without writing.

A member is a module of `flux2build/checks/` that ends in `CHECK: Final[Check] = …`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding, Severity
from flux2build.model import AssetName
from flux2build.registry import Family
from flux2build.tables.table import Field, Table

Level = Annotated[
    Literal["error", "warning", "off"], Field(description="the severity of its findings")
]
"""The severity of a check's findings, or `off`."""


class Options(Table):
    """What `[checks]` may say of a check."""

    # A member with another default severity or more options has a model of its own.
    # If it is off by default, it becomes a warning when the spec names it.

    severity: Level = "error"
    exclude: list[str] = Field(
        default=[], description="assets that it leaves alone, by the selection grammar"
    )


class Warnings(Options):
    """What `[checks]` may say of a check that warns."""

    severity: Level = "warning"


class Check(Struct, frozen=True):
    """One check."""

    codes: Mapping[str, str]
    """A sentence for each code that it can report."""
    findings: Callable[[Facts, Any], Iterator[Finding]]
    """Its findings, in a stable order; their severity follows from the options.

    The docstring says what is wrong with what it reports.
    """
    options: type[Options] = Options
    """The model of its options, with its defaults."""
    local: bool = False
    """Whether all that it finds follows from the spec, or from the steps of a single asset."""


CHECKS: Final = Family[Check](
    "flux2build.checks", "CHECK", besides=frozenset({"contract", "facts", "finding"})
)


def evaluate(
    facts: Facts,
    excluded: Callable[[str, Options], frozenset[AssetName]],
    strictly: Container[str] = (),
) -> Iterator[Finding]:
    """The findings of all checks, with the severities that the spec gives them.

    `excluded` resolves the `exclude` of a check, which it gets by name, to assets. What the checks
    report that are named to go `strictly` is an error, whatever the spec says.
    """
    for name, check in CHECKS.items():
        options = facts.spec.checks.get(name) or check.options.model_construct()
        severity = Severity.ERROR if name in strictly else options.severity
        if severity == "off":
            continue
        ignored = excluded(name, options)
        for finding in check.findings(facts, options):
            if finding.asset not in ignored:
                yield replace(finding, severity=Severity(severity))
