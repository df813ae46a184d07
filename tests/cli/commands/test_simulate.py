"""`flux2build simulate`: its options, its first line, and what it needs."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

from flux2build.cli import parser
from flux2build.errors import Exit
from flux2build.extras import pip_install
from flux2build.simulator import spawned


def test_the_first_line_is_the_base_url(tmp_path: Path) -> None:
    """As a process it listens before it speaks, and takes a scenario from a file."""
    path = tmp_path / "scenario.toml"
    path.write_text("latency = 0\ncredits = 7", encoding="utf-8")
    with spawned("--scenario", str(path), "--limit", "2") as base:
        assert base.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=base, trust_env=False) as client:
            assert client.get("/v1/credits", headers={"x-key": "k"}).json() == {"credits": 7}
            assert client.get("/_sim/scenario").json()["limit"] == 2


def test_bad_scenarios_are_usage_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what is wrong with a scenario, and serves nothing."""
    assert parser.run(["simulate", "--scenario", str(tmp_path / "none.toml")]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "none.toml` cannot be read: no such file" in captured.err


def test_without_its_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain installation has no server inside, and says how to get one."""
    for name in [name for name in sys.modules if name.startswith("flux2build.simulator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert parser.run(["simulate"]) == Exit.USAGE
    assert pip_install("simulate") in capsys.readouterr().err
