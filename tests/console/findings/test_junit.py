"""`junit` reports a test case for each file."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given

from flux2build.checks.finding import Finding
from tests.conftest import Site
from tests.console.findings.samples import FINDINGS, check, check_json, recorded


def test_junit(nested: Site) -> None:
    """Errors are failures of their file's case, and warnings are its output."""
    (suite,) = ET.fromstring(check(nested, "junit").out)
    cases = {case.attrib["name"]: case for case in suite}
    failed = [case for case in suite if case.find("failure") is not None]

    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(failed) == 3
    assert list(cases["img/fox.png"]) == []
    output = cases["img/bell.png"].findtext("system-out") or ""
    assert output.startswith("too-large: ")
    codes = {failure.attrib["type"] for failure in suite.iter("failure")}
    assert codes == {row["code"] for row in check_json(nested) if row["severity"] == "error"}


@given(findings=FINDINGS)
def test_no_text_breaks_the_report(findings: list[Finding]) -> None:
    """Whatever stands in a name or a message, the XML stays well formed."""
    cases = ET.fromstring(recorded("junit", findings)).findall(".//testcase")
    assert len(cases) <= len(findings)
