"""The server as a process and in a thread: what it prints, how it ends, how it grows."""

from __future__ import annotations

import gc
import json
import socket
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from flux2build.errors import SystemFault
from flux2build.simulator import Scenario, running, serve, spawned
from flux2build.simulator.server import announcement
from flux2build.simulator.simulation import Simulation
from flux2build.simulator.web import BFL


def no_uploads(_name: str) -> None:
    """Nobody uploaded anything."""


def test_a_variable_for_each_provider() -> None:
    """After the URL stand the variables that point flux2build at it; or all as JSON."""
    first, *others = announcement("http://h:1").splitlines()
    assert first == "http://h:1"
    assert others == [
        "FLUX2BUILD_BFL_URL=http://h:1",
        "FLUX2BUILD_COMETAPI_URL=http://h:1",
        "FLUX2BUILD_COMETAPI_REPLICATE_URL=http://h:1/replicate",
        "FLUX2BUILD_REPLICATE_URL=http://h:1",
    ]
    announced = json.loads(announcement("http://h:1", as_json=True))
    assert announced["url"] == "http://h:1"
    assert set(announced["environment"]) == {line.partition("=")[0] for line in others}


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops takes its temporary folder with it, however it was stopped."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(Scenario(latency=0)):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    with spawned():
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken() -> None:
    """A port that cannot be had is a fault of the environment, with a hint."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemFault) as caught:
        serve(port=taken.getsockname()[1])
    assert "cannot listen" in caught.value.problems[0].message


def test_a_task_costs_little_memory() -> None:
    """What is kept in memory does not grow with prompts and pictures."""
    simulation = Simulation(Scenario(latency=0, limit=10**6))

    def order(number: int) -> None:
        prompt = f"{number} " + "a very long prompt about a fox " * 300
        order, _ = BFL.read("flux-2-pro", {"prompt": prompt}, simulation.scenario, no_uploads)
        simulation.accept("bfl", order, None)

    order(0)
    tracemalloc.start()
    for number in range(1, 1001):
        order(number)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    simulation.storage.close()
    # Half of one prompt each; the interpreter's own tables grow by leaps of megabytes.
    assert grown / 1000 < 4500
