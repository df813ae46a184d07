"""`json` is the documented JSON of findings."""

from __future__ import annotations

import json

import pytest

from tests.console.findings.samples import finding, printed


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Every field is there, null where it does not apply."""
    out, err = printed(capsys, "json", finding(), finding("orphan", None, None, hint=None))
    first, second = json.loads(out)["findings"]

    assert err == ""
    assert first == {
        "code": "output-missing",
        "severity": "error",
        "asset": "fox",
        "path": "img/fox.png",
        "file": "assets.toml",
        "line": 4,
        "column": 8,
        "message": "the file is missing",
        "hint": "`flux2build build` restores it, free",
    }
    assert {second[key] for key in ("asset", "path", "file", "line", "hint")} == {None}
