"""`github` prints workflow commands, and nothing that a finding says can be another one."""

from __future__ import annotations

import pytest

from flux2build.checks.finding import Finding, Severity
from flux2build.errors import Place, Problem
from flux2build.model import AssetName
from tests.console.findings.samples import finding, printed


def test_github(capsys: pytest.CaptureFixture[str]) -> None:
    """Workflow commands escape what would end them."""
    odd = Finding(
        "odd",
        Problem("50% of a,b: c\nd", Place("a,b:c.toml", 3)),
        AssetName("hero[a=b,c=d]"),
        severity=Severity.WARNING,
    )
    out, err = printed(capsys, "github", finding(), odd)

    missing = "::error title=flux2build output-missing,file=assets.toml,line=4,col=8"
    other = "::warning title=flux2build odd,file=a%2Cb%3Ac.toml,line=3"
    assert out.splitlines() == [
        f"{missing}::fox: the file is missing%0A`flux2build build` restores it, free",
        f"{other}::hero[a=b,c=d]: 50%25 of a,b: c%0Ad",
    ]
    assert err == ""


def test_github_cannot_be_injected(capsys: pytest.CaptureFixture[str]) -> None:
    """A name from a stranger's spec is never a command of its own."""
    evil = finding(asset="x\n::set-env name=A::b", path="y\r\n::error::z")
    out, _ = printed(capsys, "github", evil)

    assert len(out.splitlines()) == 1
