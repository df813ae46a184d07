"""Findings in the formats that services read: GitLab, SARIF and JUnit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from flux2build import __version__
from flux2build.checks.contract import Finding, Severity
from flux2build.console.console import Console, clean
from flux2build.digest import Json, of_json
from flux2build.planning.plan import Plan
from flux2build.session.families import checks_by_name

_GITLAB: Final = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def about(finding: Finding) -> str:
    """What is the matter, and with which asset."""
    return f"{finding.asset}: {finding.message}" if finding.asset else finding.message


def gitlab(console: Console, findings: Sequence[Finding], _plan: Plan | None) -> None:
    """A report of code quality, which GitLab shows in a merge request."""
    rows: list[Json] = [
        {
            "check_name": finding.code,
            "description": about(finding),
            "fingerprint": _fingerprint(finding),
            "severity": _GITLAB[finding.severity],
            "location": {"path": _file(finding), "lines": {"begin": _line(finding)}},
        }
        for finding in findings
    ]
    console.json(rows)


def sarif(console: Console, findings: Sequence[Finding], _plan: Plan | None) -> None:
    """SARIF 2.1.0, which code scanning and editors read."""
    codes = sorted({finding.code for finding in findings})
    known = {
        code: text for check in checks_by_name().values() for code, text in check.codes.items()
    }
    rules: list[Json] = [
        {"id": code, "shortDescription": {"text": known.get(code, code)}} for code in codes
    ]
    driver: dict[str, Json] = {"name": "flux2build", "version": __version__, "rules": rules}
    results: list[Json] = [_result(finding, codes.index(finding.code)) for finding in findings]
    run: dict[str, Json] = {"tool": {"driver": driver}, "results": results}
    console.json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, rule: int) -> Json:
    region: dict[str, Json] = {"startLine": _line(finding)}
    if finding.place and finding.place.column:
        region["startColumn"] = finding.place.column
    text = f"{about(finding)}. {finding.hint}" if finding.hint else about(finding)
    where: Json = {"artifactLocation": {"uri": _file(finding)}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"flux2build/v1": _fingerprint(finding)},
    }


def junit(console: Console, findings: Sequence[Finding], plan: Plan | None) -> None:
    """JUnit's XML: a case for each file, and for whatever else something is found in."""
    cases: dict[tuple[str, str], list[Finding]] = {
        (str(step.recipe.asset), step.recipe.output): [] for step in (plan.steps if plan else ())
    }
    for finding in findings:
        name = finding.path or (finding.place.file if finding.place else finding.code)
        cases.setdefault((finding.asset or "project", name), []).append(finding)
    failed = sum(any(f.severity is Severity.ERROR for f in found) for found in cases.values())
    suite = ET.Element("testsuite", name="flux2build check", tests=f"{len(cases)}")
    suite.set("failures", f"{failed}")
    for (asset, name), found in cases.items():
        case = ET.SubElement(suite, "testcase", classname=clean(asset), name=clean(name))
        for finding in found:
            _told(case, finding)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    console.raw(ET.tostring(root, "unicode", xml_declaration=True) + "\n")


def _told(case: ET.Element, finding: Finding) -> None:
    """A failure of a case; a warning is something that it says."""
    lines = (str(finding.place or ""), finding.hint or "")
    text = clean("\n".join(line for line in lines if line))
    if finding.severity is Severity.ERROR:
        message = clean(finding.message)
        ET.SubElement(case, "failure", type=finding.code, message=message).text = text
    else:
        said = ET.SubElement(case, "system-out")
        said.text = f"{finding.code}: {clean(finding.message)}\n{text}"


def _file(finding: Finding) -> str:
    """The file to show it in; services drop what has none."""
    return finding.place.file if finding.place else "assets.toml"


def _line(finding: Finding) -> int:
    return (finding.place.line if finding.place else 0) or 1


def _fingerprint(finding: Finding) -> str:
    """The same finding in another commit, wherever its lines have moved."""
    parts: list[Json] = [finding.code, finding.asset, finding.path, finding.message]
    return of_json(parts).removeprefix("sha256:")
