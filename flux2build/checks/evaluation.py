"""Checks run as the spec configures them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from flux2build.checks.contract import Check, Options
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding, Severity
from flux2build.model import AssetName


def evaluate(
    checks: Mapping[str, Check],
    facts: Facts,
    options: Mapping[str, Options],
    excluded: Callable[[str, Options], frozenset[AssetName]],
) -> Iterator[Finding]:
    """The findings of all checks, with the severities that their options say.

    `options` are those that the spec names. `excluded` resolves the `exclude` of a
    check, which it gets by name, to assets.
    """
    for name, check in checks.items():
        chosen = options.get(name) or check.options()
        if chosen.severity == "off":
            continue
        ignored = excluded(name, chosen)
        for finding in check.findings(facts, chosen):
            if finding.asset not in ignored:
                yield replace(finding, severity=Severity(chosen.severity))
