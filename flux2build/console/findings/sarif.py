"""Findings as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flux2build.checks.facts import Finding
from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import file_of, fingerprint, line_of, title
from flux2build.digest import Json

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document with a rule for each code that was reported."""
    codes = sorted({finding.code for finding in report.findings})
    rules: list[Json] = [
        {"id": code, "shortDescription": {"text": report.codes.get(code, code)}} for code in codes
    ]
    driver: dict[str, Json] = {"name": "flux2build", "version": report.version, "rules": rules}
    results = [_result(finding, codes.index(finding.code)) for finding in report.findings]
    run: dict[str, Json] = {"tool": {"driver": driver}, "results": results}
    console.json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, rule: int) -> Json:
    region: dict[str, Json] = {"startLine": line_of(finding)}
    problem = finding.problem
    if problem.place and problem.place.column:
        region["startColumn"] = problem.place.column
    text = f"{title(finding)}. {problem.hint}" if problem.hint else title(finding)
    # A relative path as a URI reference (RFC 3986); `:` would make its start a scheme.
    uri = quote(file_of(finding), safe="/!$&'()*+,;=@", errors="surrogateescape")
    location: Json = {"artifactLocation": {"uri": uri}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"flux2build/v1": fingerprint(finding)},
    }


FORMAT: Final[OutputFormat] = OutputFormat(
    show, machine_readable=True, whole=True, repository_paths=True
)
