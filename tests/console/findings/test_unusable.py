"""What keeps a check from starting is reported in the formats that machines read."""

from __future__ import annotations

import json
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from flux2build.checks.finding import Finding
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.console.findings.unusable import of_error
from flux2build.errors import (
    Exit,
    Flux2BuildError,
    LockError,
    Place,
    Problem,
    SpecError,
    SystemFault,
    UsageError,
)
from flux2build.lockfile import LockNewer
from tests.conftest import Site
from tests.console.findings.samples import check

MACHINE_READABLE: Final = [
    name for name, output in OUTPUT_FORMATS.items() if output.machine_readable
]
PROBLEM: Final = Problem("wrong", Place("assets.toml", 2, 3), hint="mend it")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError(PROBLEM), "spec-error"),
        (LockError(PROBLEM), "lock-damaged"),
        (LockNewer(PROBLEM), "lock-newer"),
        (UsageError(PROBLEM), "usage-error"),
        (SystemFault(PROBLEM), "system-fault"),
    ],
)
def test_errors_as_findings(error: Flux2BuildError, code: str) -> None:
    """Each kind of error has a documented code."""
    assert of_error(error) == [Finding(code, PROBLEM, path="assets.toml")]


def test_every_problem_is_a_finding() -> None:
    """Several problems are several findings."""
    error = SpecError(Problem("one"), Problem("two"))

    assert [finding.problem.message for finding in of_error(error)] == ["one", "two"]


@pytest.mark.parametrize("name", MACHINE_READABLE)
def test_a_spec_that_cannot_be_read_is_reported(nested: Site, name: str) -> None:
    """Mistakes in the spec are findings, at their lines, with the exit code of mistakes."""
    nested.edit("web/assets.toml", "width = 128", "widht = 128")
    ran = check(nested, name)

    assert ran.code == Exit.USAGE
    assert "assets.toml" in ran.out
    assert "unknown key `widht`" in ran.out


@pytest.mark.parametrize("name", MACHINE_READABLE)
def test_a_clean_tree_is_a_report_too(site: Site, name: str) -> None:
    """With nothing to report, the report is empty and the exit code is 0."""
    assert site.run("build").code == Exit.DONE
    ran = site.run("check", "--output-format", name)

    assert ran.code == Exit.DONE
    if name == "junit":
        assert ET.fromstring(ran.out).findall(".//failure") == []
    elif name == "github":
        assert ran.out == ""
    else:
        assert "code" not in ran.out
        assert json.loads(ran.out) is not None
