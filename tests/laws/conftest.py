"""A simulator and a nursery for all laws of one worker, and scenes to play."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flux2build.simulator import spawned
from tests.laws.crash import Nursery, Play, Scene, Server, nursery

Staging = Callable[..., Play]


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: what a disk does is modelled, not waited for."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp("-laws", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def kids(scratch: Path) -> Iterator[Nursery]:
    """The nursery."""
    if sys.platform != "linux":
        pytest.skip("processes are forked and watched through /proc")
    with nursery(scratch) as found:
        yield found


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The simulator, a process of its own."""
    with spawned("--latency", "0", "--fast") as base:
        found = Server(base)
        yield found
        found.close()


@pytest.fixture
def stage(scratch: Path, kids: Nursery, server: Server) -> Iterator[Staging]:
    """Prepares a scene."""
    folder = Path(tempfile.mkdtemp(dir=scratch))

    def prepare(scene: Scene, control: str | None = None) -> Play:
        place = Path(tempfile.mkdtemp(dir=folder))
        play = Play(scene, kids, server, place, control)
        play.prepare()
        return play

    yield prepare
    shutil.rmtree(folder)
