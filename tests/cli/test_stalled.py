"""Ctrl-C and SIGTERM cut every wait, as real processes meet them, whatever stalls at that moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from flux2build.building.run_lock import held
from tests import stalls
from tests.conftest import Site

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
ROOT: Final = Path(__file__).parents[2]

SPEC: Final = """\
[asset.fox]
prompt = "a fox"
provider = "{provider}"
width = 256
height = 256
{reference}
"""
REFERENCE: Final = 'refs = ["desk.png"]'
NOTHING: Final = 3.0
"""Most seconds to the end while nothing is ordered, or after a second signal, on a busy machine."""
GRACE: Final = {signal.SIGINT: 60.0, signal.SIGTERM: 8.0}

BEFORE: Final = [
    ("names", "silent"),
    ("run lock", "held"),
    ("claim", "held"),
    *(("proxy", stall) for stall in ("mute", "mute-tls")),
    ("touch", "silent"),
    *(("upload", stall) for stall in stalls.STALLS),
]
"""Stages before an order: the first signal ends them at once."""
AFTER: Final = [
    (stage, stall)
    for stage in ("submit", "poll", "download")
    for stall in ("silent", "headers", "body")
] + [("submit", "unread")]
"""Stages of an order: what is under way gets its time of grace, unless a second signal comes."""

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
    provider = "replicate" if stage == "upload" else "bfl"
    heavy = stage == "upload" or stall == "unread"
    spec = SPEC.format(provider=provider, reference=REFERENCE * heavy)
    site.write("assets.toml", spec)
    if heavy:
        _large_picture(site.folder / "desk.png")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= dict.fromkeys(("BFL_API_KEY", "REPLICATE_API_TOKEN"), "k" * 20)
    with ExitStack() as stack:
        if stage == "run lock":
            stack.enter_context(held(site.folder, "another build", None, print))
        known = (stage, stall) if stage != "claim" else ("poll", "silent")
        server = stack.enter_context(stalls.stalling(*known))
        if stage == "proxy":
            environment["FLUX2BUILD_PROXY"] = server.url
        elif stage == "names":
            environment["FLUX2BUILD_BFL_URL"] = "https://named.example"
        else:
            environment[f"FLUX2BUILD_{provider.upper()}_URL"] = server.url
        if stage == "claim":
            other = site.folder / "other"
            other.mkdir()
            other.joinpath("assets.toml").write_text(spec, encoding="utf-8")
            first = stack.enter_context(_build(other, environment, stage))
            stack.callback(first.kill)
            assert server.reached.wait(30)
        process = stack.enter_context(_build(site.folder, environment, stage))
        stack.callback(process.kill)
        _reach(process, server, stage)
        yield process


def _large_picture(path: Path) -> None:
    """A picture of several megabytes: more than what the sockets between hold."""
    size = (1920, 1440)
    noise = random.Random(1).randbytes(3 * size[0] * size[1])
    Image.frombytes("RGB", size, noise).save(path, compress_level=0)


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
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.3)
    process.communicate(timeout=90)
    return time.monotonic() - started


def _row(stage: str, stall: str, signals: str, took: float) -> None:
    sys.stdout.write(f"\n| {stage} | {stall} | {signals} | {took:.1f} |")


@pytest.mark.parametrize(
    ("stage", "stall"), [*BEFORE, *AFTER] if DEEP else [("submit", "headers"), ("download", "body")]
)
def test_a_second_ctrl_c_ends_at_once(empty: Site, stage: str, stall: str) -> None:
    """Whatever a build waits for, the second Ctrl-C ends it, if not the first one."""
    with _stalled(empty, stage, stall) as build:
        took = _seconds(build, signal.SIGINT, signal.SIGINT)

    _row(stage, stall, "SIGINT twice", took)
    assert took < NOTHING
    assert build.returncode in {130, -signal.SIGINT}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM] if DEEP else [signal.SIGTERM])
@pytest.mark.parametrize(
    ("stage", "stall"), BEFORE if DEEP else [("names", "silent"), ("proxy", "mute-tls")]
)
def test_one_signal_ends_what_costs_nothing(
    empty: Site, stage: str, stall: str, number: signal.Signals
) -> None:
    """Before anything is ordered there is nothing to collect, and no reason to wait."""
    with _stalled(empty, stage, stall) as build:
        took = _seconds(build, number)

    _row(stage, stall, number.name, took)
    assert took < NOTHING
    assert build.returncode in {130, -number}


@pytest.mark.skipif(not DEEP, reason="waits for a time of grace at each stage")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("stage", "stall"), AFTER)
def test_one_signal_ends_what_was_ordered_in_time(
    empty: Site, stage: str, stall: str, number: signal.Signals
) -> None:
    """What stalls is given up at the end of its grace, or earlier, by its own limits (exit 3)."""
    with _stalled(empty, stage, stall) as build:
        took = _seconds(build, number)

    _row(stage, stall, number.name, took)
    assert took < GRACE[number] + NOTHING
    assert build.returncode in {130, 3}
