"""`flux2build store`: the store that a team shares."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from flux2build.cli import parser
from flux2build.errors import Exit
from flux2build.extras import pip_install


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a store that a process serves."""
    command = [sys.executable, "-m", "flux2build", "store", "serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process it listens before it speaks, and wants the token that its environment has."""
    monkeypatch.setenv("FLUX2BUILD_STORE_TOKEN", "t0ken")
    with served(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
        path, headers = f"{url}/claims/{'1' * 64}", {"authorization": "Bearer t0ken"}
        assert httpx.put(path, content=b"claimed", trust_env=False).status_code == 401
        assert httpx.put(path, content=b"claimed", headers=headers, trust_env=False).is_success
    assert (tmp_path / "claims" / ("1" * 64)).read_bytes() == b"claimed"


def test_serve_to_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a token nobody but this machine is served."""
    assert parser.run(["store", "serve", str(tmp_path), "--host", "0.0.0.0"]) == Exit.USAGE
    assert "export FLUX2BUILD_STORE_TOKEN=" in capsys.readouterr().err


def test_serve_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is not created: its disk may not be mounted."""
    folder = tmp_path / "none"

    assert parser.run(["store", "serve", str(folder)]) == Exit.SYSTEM
    assert f"mkdir -p {folder}" in capsys.readouterr().err
    assert not folder.exists()


def test_serve_without_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain installation says what to install."""
    monkeypatch.delitem(sys.modules, "flux2build.sharing.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    assert parser.run(["store", "serve", str(tmp_path)]) == Exit.USAGE
    assert pip_install("team") in capsys.readouterr().err
