"""One simulator and one fork server for the laws of a test worker, and sandboxes to run them in."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flux2build.simulator import spawned
from tests.laws.processes import ForkServer, running_fork_server
from tests.laws.trials import Sandbox, Server, Situation

MakeSandbox = Callable[..., Sandbox]


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: what a disk does is modelled, not waited for."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp("-laws", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def fork_server(scratch: Path) -> Iterator[ForkServer]:
    """The fork server."""
    if sys.platform != "linux":
        pytest.skip("processes are forked and watched through /proc")
    with running_fork_server(scratch) as running:
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The simulator, a process of its own."""
    with spawned("--latency", "0", "--fast") as base:
        server = Server(base)
        yield server
        server.close()


@pytest.fixture
def make_sandbox(scratch: Path, fork_server: ForkServer, server: Server) -> Iterator[MakeSandbox]:
    """Prepares a sandbox for a situation."""
    folder = Path(tempfile.mkdtemp(dir=scratch))

    def prepare(situation: Situation, mutant: str | None = None) -> Sandbox:
        place = Path(tempfile.mkdtemp(dir=folder))
        sandbox = Sandbox(situation, fork_server, server, place, mutant)
        sandbox.prepare()
        return sandbox

    yield prepare
    shutil.rmtree(folder)
