"""Ctrl-C, as a real process at a real server meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flux2build.simulator import Scenario, running
from tests.conftest import Site
from tests.simulated import order_from

SPEC = """\
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 256
height = 256

[asset.shot]
matrix = { number = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
prompt = "thing number {{ number }}"

[[asset.shot.deliver]]
path = "small-{{ number }}.webp"
widths = [32]
"""


@pytest.fixture
def shop(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, str]]:
    """A project of twelve paid pictures, and a server that takes a while for each."""
    with running(Scenario(latency=0.4)) as url:
        order_from(url, monkeypatch)
        empty.write("assets.toml", SPEC)
        yield empty, url


def started(site: Site, *words: str) -> subprocess.Popen[str]:
    """A build as a process of its own."""
    command = [sys.executable, "-m", "flux2build", "build", "--yes", *words]
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        command,
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        text=True,
    )


def charges(url: str) -> int:
    """How many orders the server charged for."""
    return len(httpx.get(f"{url}/_sim/charges").json()["charges"])


def submitted(process: subprocess.Popen[str], most: int) -> list[str]:
    """The lines of a build until so many orders are submitted."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if sum(line.startswith("submitted") for line in lines) == most:
            break
    return lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_paid_for_is_collected(shop: tuple[Site, str], number: signal.Signals) -> None:
    """After the first signal nothing is ordered, and every picture that was is brought home."""
    site, url = shop
    build = started(site, "-j", "3")
    lines = submitted(build, 3)

    build.send_signal(number)
    _, rest = build.communicate()
    output = "".join(lines) + rest

    assert build.returncode == 130
    assert "nothing more is begun" in output
    assert "interrupted; the next build goes on from here" in output
    assert charges(url) == output.count("submitted ") < 12
    assert len(list(site.folder.glob("shot-*.png"))) == charges(url)
    assert "pending" not in site.run("orders", "list").out
    assert site.run("build", "--yes").code == 0
    assert charges(url) == 12


def test_the_second_one_ends_at_once(shop: tuple[Site, str]) -> None:
    """A second interrupt leaves the pictures with their tickets, and the next build collects them."""
    site, url = shop
    build = started(site, "-j", "3")
    submitted(build, 3)

    build.send_signal(signal.SIGINT)
    assert build.stderr is not None
    for line in build.stderr:
        if "nothing more is begun" in line:
            build.send_signal(signal.SIGINT)
            break
    _, rest = build.communicate()

    assert build.returncode == 130
    assert "interrupted; what was submitted is recorded and resumes" in rest
    assert "Traceback" not in rest
    assert site.run("build", "--yes").code == 0
    assert charges(url) == 12
