"""Ctrl-C and SIGTERM at any moment, from the first import to the last, end a process in good order."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from flux2build.simulator import running
from flux2build.storage.disk import home
from tests.conftest import Site
from tests.simulated import AT_ONCE, order_from

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
ROOT: Final = Path(__file__).parents[2]

PROGRAM: Final = """\
import atexit, os, signal, sys
number, at, count = int(sys.argv.pop(1)), int(sys.argv.pop(1)), 0
def event(*_):
    global count
    if count or signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        count += 1
        if count == at:
            os.kill(os.getpid(), number)
atexit.register(lambda: at or sys.stderr.write(f"events: {count}"))
sys.addaudithook(event)
from flux2build.__main__ import main
sys.exit(main())
"""
"""Sends itself a signal at an audit event, counted from the first line of ours: an import, a file
that is opened, a connection, in any thread."""

SPEC: Final = """\
[defaults]
provider = "bfl"
width = 64
height = 64
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "small.webp"
widths = [32]
[asset.owl]
prompt = "an owl"
"""


@pytest.fixture
def shop(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, str]]:
    """A project of two paid pictures, and a server that sells them."""
    with running(AT_ONCE) as url:
        order_from(url, monkeypatch)
        empty.write("assets.toml", SPEC)
        yield empty, url


def run(site: Site, number: int, at: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that gets a signal at an event; at none if that is 0."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(number), str(at), *words],
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def events(site: Site, *words: str) -> int:
    """The number of events of a command that gets no signal."""
    whole = run(site, 0, 0, *words)
    assert whole.returncode == Exit.DONE, whole.stderr
    return int(whole.stderr.rpartition("events: ")[2])


def moments(total: int, most: int, seed: str) -> list[int]:
    """Some of the events, one in each of as many equal parts; the last one is past the end."""
    chance, most = random.Random(seed), min(total, most * 40 if DEEP else most)
    return [int(total * (part + chance.random()) / most) + 1 for part in range(most)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_ends_a_build(
    shop: tuple[Site, str], number: signal.Signals
) -> None:
    """It ends without a traceback, and the next build completes; each picture is charged once."""
    site, url = shop
    total = events(site, "build", "--yes")
    for at in moments(total, 3, number.name):
        httpx.post(f"{url}/_sim/reset").raise_for_status()
        for path in (*site.folder.glob("*.[pwl]*"), *home().glob("ledger*")):
            path.unlink()
        shutil.rmtree(home() / "store", ignore_errors=True)
        shutil.rmtree(home() / "claims", ignore_errors=True)

        build = run(site, number, at, "build", "--yes")
        assert build.returncode in {Exit.DONE, Exit.INTERRUPTED, -number}, (at, build.stderr)
        assert "Traceback" not in build.stderr, at
        again = site.run("build", "--yes")
        assert again.code == Exit.DONE, (at, again.err)
        assert len(httpx.get(f"{url}/_sim/charges").json()["charges"]) == 2


@pytest.mark.parametrize("words", [("build",), ("check", "-v")])
def test_a_signal_ends_what_only_reads(site: Site, words: tuple[str, ...]) -> None:
    """With nothing to do and nothing to undo it ends with its answer, or by the signal, in silence."""
    assert site.run("build").code == Exit.DONE
    for at in moments(events(site, *words), 2, str(words)):
        ran = run(site, signal.SIGINT, at, *words)
        assert ran.returncode in {Exit.DONE, Exit.INTERRUPTED, -signal.SIGINT}, (at, ran.stderr)
        assert "Traceback" not in ran.stderr, at
