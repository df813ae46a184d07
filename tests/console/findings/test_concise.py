"""`concise` prints one line for each finding."""

from __future__ import annotations

import pytest

from tests.console.findings.samples import finding, printed
from tests.golden import text


def test_concise(capsys: pytest.CaptureFixture[str]) -> None:
    """Place, severity, code, asset, message; a finding without a place starts with its file."""
    out, err = printed(capsys, "concise", finding(), finding("orphan", None, "img/old.png"))

    assert out == text("""
        assets.toml:4:8: error output-missing: fox: the file is missing
        img/old.png: error orphan: the file is missing
        """)
    assert err == "2 errors.\n"
