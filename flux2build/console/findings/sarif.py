"""Findings as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from flux2build.checks import CHECKS
from flux2build.checks.finding import Finding
from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import (
    by_cause,
    file_of,
    fingerprint,
    follows,
    line_of,
    title,
)
from flux2build.digest import Json

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document with a rule for each code, and a result for each cause."""
    groups = by_cause(report.findings)
    codes = sorted({group[0].code for group in groups})
    meanings = {code: text for check in CHECKS.values() for code, text in check.codes.items()}
    rules: list[Json] = [
        {"id": code, "shortDescription": {"text": meanings.get(code, code)}} for code in codes
    ]
    driver: dict[str, Json] = {"name": "flux2build", "version": report.version, "rules": rules}
    results = [_result(group, codes.index(group[0].code)) for group in groups]
    run: dict[str, Json] = {"tool": {"driver": driver}, "results": results}
    console.json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(group: Sequence[Finding], rule: int) -> Json:
    finding = group[0]
    sentences = filter(None, (title(finding), follows(group), finding.problem.hint))
    result: dict[str, Json] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": ". ".join(sentences)},
        "locations": [_location(finding)],
        "partialFingerprints": {"flux2build/v1": fingerprint(group)},
    }
    places = {(file_of(f), line_of(f)): f for f in reversed(group)}
    others = [f for f in places.values() if f is not finding]
    if others:
        result["relatedLocations"] = [_location(other) for other in reversed(others)]
    return result


def _location(finding: Finding) -> Json:
    region: dict[str, Json] = {"startLine": line_of(finding)}
    if finding.problem.place and finding.problem.place.column:
        region["startColumn"] = finding.problem.place.column
    # A relative path as a URI reference (RFC 3986); `:` would make its start a scheme.
    uri = quote(file_of(finding), safe="/!$&'()*+,;=@", errors="surrogateescape")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


FORMAT: Final[OutputFormat] = OutputFormat(
    show, machine_readable=True, whole=True, repository_paths=True
)
