"""Ctrl-C and SIGTERM cut every wait, as real processes meet them, whatever stalls at that moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from flux2build.building.run_lock import held
from tests import stalls
from tests.conftest import Site

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
ROOT: Final = Path(__file__).parents[2]

SPEC: Final = """\
[asset.fox]
prompt = "a fox"
provider = "bfl"
width = 64
height = 64
"""
NOTHING: Final = 3.0
"""Most seconds to the end while nothing is ordered, or after a second signal, on a busy machine."""
GRACE: Final = {signal.SIGINT: 60.0, signal.SIGTERM: 8.0}

BEFORE: Final = [
    ("names", "silent"),
    ("run lock", ""),
    ("claim", ""),
    *(("proxy", stall) for stall in ("mute", "mute-tls")),
    ("touch", "silent"),
]
"""Stages before an order: the first signal ends them at once."""
AFTER: Final = [
    *(("submit", stall) for stall in ("silent", "headers", "body")),
    *(("poll", stall) for stall in ("silent", "headers", "body")),
    *(("download", stall) for stall in ("silent", "headers", "body")),
]
"""Stages of an order: what is under way gets its time of grace, unless a second signal comes."""
SOME: Final = [("proxy", "mute-tls"), ("submit", "headers"), ("download", "body")]

PROGRAM: Final = """\
import socket, sys, time
def getaddrinfo(*_, **__):
    print("looking up", file=sys.stderr, flush=True)
    time.sleep(600)
if sys.argv.pop(1) == "names":
    socket.getaddrinfo = getaddrinfo
from flux2build.__main__ import main
sys.exit(main())
"""
"""The command, on a machine whose name server does not answer if that is the stage."""


@contextmanager
def _stalled(site: Site, stage: str, stall: str) -> Iterator[subprocess.Popen[str]]:
    """A build, once it is in the stage that stalls."""
    site.write("assets.toml", SPEC)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BFL_API_KEY": "k" * 20}
    with ExitStack() as stack:
        if stage == "run lock":
            stack.enter_context(held(site.folder, "another build", None, print))
        server = stack.enter_context(stalls.stalling(stage, stall))
        if stage == "proxy":
            environment["FLUX2BUILD_PROXY"] = server.url
        elif stage == "names":
            environment["FLUX2BUILD_BFL_URL"] = "https://named.example"
        else:
            environment["FLUX2BUILD_BFL_URL"] = server.url
        process = stack.enter_context(_build(site.folder, environment, stage))
        _reach(process, server, stage)
        yield process
        process.kill()


def _build(folder: Path, environment: dict[str, str], stage: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stage, "build", "--yes"],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def _reach(process: subprocess.Popen[str], server: stalls.Stalling, stage: str) -> None:
    words = {"names": "looking up", "run lock": "waiting for", "claim": "waiting for"}
    if stage not in words:
        assert server.reached.wait(30)
        return
    assert process.stderr is not None
    for line in process.stderr:
        if words[stage] in line:
            return


def _seconds(process: subprocess.Popen[str], *signals: signal.Signals) -> float:
    """Seconds from the first signal to the end of a process."""
    started = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    process.wait(timeout=90)
    return time.monotonic() - started


SECOND: Final = pytest.mark.parametrize(("stage", "stall"), [*BEFORE, *AFTER] if DEEP else SOME)


@SECOND
def test_a_second_ctrl_c_ends_at_once(empty: Site, stage: str, stall: str) -> None:
    """Whatever a build waits for, the second Ctrl-C ends it, if not the first one."""
    with _stalled(empty, stage, stall) as build:
        took = _seconds(build, signal.SIGINT, signal.SIGINT)

    assert took < NOTHING
    assert build.returncode in {130, -signal.SIGINT}
    sys.stdout.write(f"\n{stage} {stall} | two SIGINT | {took:.1f}\n")
