"""Findings as JUnit's XML, which tools that show test reports read."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from flux2build.checks.finding import Finding, Severity
from flux2build.console.console import Console
from flux2build.console.escaping import clean, whole_line
from flux2build.console.findings.contract import CheckReport, OutputFormat

_Cases = dict[tuple[str, str], list[Finding]]


def show(console: Console, report: CheckReport) -> None:
    """Print a test case for each file of the plan, and for each other file with findings."""
    cases = _cases(report)
    failed = sum(any(f.severity is Severity.ERROR for f in case) for case in cases.values())
    suite = ET.Element("testsuite", name="flux2build check", tests=f"{len(cases)}")
    suite.set("failures", f"{failed}")
    for (asset, name), findings in cases.items():
        case = ET.SubElement(suite, "testcase", classname=clean(asset), name=clean(name))
        for finding in findings:
            _add(case, finding)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, console.encoding, xml_declaration=True)
    console.raw(document.decode(console.encoding) + "\n")


def _cases(report: CheckReport) -> _Cases:
    """Findings by asset and file; a file without findings is a case that passes."""
    steps = report.plan.steps if report.plan else ()
    cases: _Cases = {(str(step.recipe.asset), step.recipe.output): [] for step in steps}
    for finding in report.findings:
        place = finding.problem.place
        name = finding.path or (place.file if place else finding.code)
        cases.setdefault((finding.asset or "project", name), []).append(finding)
    return cases


def _add(case: ET.Element, finding: Finding) -> None:
    """An error becomes a failure of its case, a warning becomes output of it."""
    parts = (str(finding.problem.place or ""), finding.problem.hint or "")
    text = "\n".join(whole_line(each) for each in parts if each)
    message = clean(finding.problem.message)
    if finding.severity is Severity.ERROR:
        ET.SubElement(case, "failure", type=finding.code, message=message).text = text
    else:
        ET.SubElement(case, "system-out").text = f"{finding.code}: {message}\n{text}"


FORMAT: Final[OutputFormat] = OutputFormat(
    show, machine_readable=True, whole=True, repository_paths=True
)
