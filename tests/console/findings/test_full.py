"""`full` shows people every finding, and says the same thing once."""

from __future__ import annotations

import pytest

from flux2build.checks.finding import Severity
from flux2build.planning.plan import plan
from tests.console.findings.samples import finding, printed
from tests.golden import text
from tests.snapshots import master, snapshot


def test_full(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding of one asset is headed by its name; the count ends it all."""
    two = plan([master(), master("owl")], snapshot(), lambda _: None)

    assert printed(capsys, "full", finding(), plan=two)[0] == text("""
        error: `fox`: the file is missing [output-missing]
         --> assets.toml:4:8
          |
        4 | [asset.fox]
          |        ^^^
          = file: img/fox.png
          hint: `flux2build build` restores it, free
        1 error in 2 files.
        """)


def test_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings that say the same of many files are one, which names the first three of each."""
    many = [finding(asset=f"a{n}", path=f"img/{n}.png") for n in range(5)]
    other = finding("alt-missing", severity=Severity.WARNING, path=None, hint=None)

    assert printed(capsys, "full", *many, other)[0] == text("""
        error: the file is missing [output-missing]
         --> assets.toml:4:8
          |
        4 | [asset.fox]
          |        ^^^
          = asset: a0, a1, a2 and 2 more
          = file: img/0.png, img/1.png, img/2.png and 2 more
          hint: `flux2build build` restores it, free
        warning: `fox`: the file is missing [alt-missing]
         --> assets.toml:4:8
          |
        4 | [asset.fox]
          |        ^^^
        5 errors, 1 warning.
        """)
