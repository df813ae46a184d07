"""The simulation as a real HTTP server: in the foreground, in a thread, or as a process."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import uvicorn
from starlette.applications import Starlette

from flux2build.simulator.scenario import Scenario
from flux2build.simulator.simulation import Simulation
from flux2build.simulator.web import site
from flux2build.simulator.wire import CuttableProtocol

VARIABLES: Final = ("FLUX2BUILD_BFL_URL", "FLUX2BUILD_COMETAPI_URL", "FLUX2BUILD_REPLICATE_URL")
_QUEUE: Final = 2048


def app(scenario: Scenario | None = None) -> Starlette:
    """The simulated servers as an ASGI application."""
    return site(Simulation(scenario))


def serve(
    scenario: Scenario | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    out: TextIO | None = None,
) -> None:
    """Serve until interrupted; the first line written is the base URL.

    Raises:
        OSError: the port is taken.
    """
    with _listening(host, port) as listener:
        announce(_base(host, listener), out or sys.stdout)
        _server(app(scenario)).run(sockets=[listener])


def announce(base: str, out: TextIO) -> None:
    """Say where the server is and how to point flux2build at it."""
    lines = [base, *(f"export {variable}={base}" for variable in VARIABLES)]
    out.write("\n".join(lines) + "\n")
    out.flush()


@contextmanager
def running(
    scenario: Scenario | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """The base URL of a server in a thread of this process, stopped at the end."""
    server = _server(app(scenario))
    with _listening(host, port) as listener:
        # The socket already queues connections, so nobody has to wait for the thread.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield _base(host, listener)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def spawned(*arguments: str, scenario: Path | None = None) -> Iterator[str]:
    """The base URL of a server in a process of its own; arguments as on the command line."""
    file = () if scenario is None else ("--scenario", str(scenario))
    command = [sys.executable, "-m", __package__, "--port", "0", *arguments, *file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: 40 ms a request.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_QUEUE)
        yield listener


def _base(host: str, listener: socket.socket) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{listener.getsockname()[1]}"


def _server(application: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    return uvicorn.Server(config)
