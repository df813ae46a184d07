"""The simulation as a real HTTP server: in the foreground, in a thread, or as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn
from starlette.applications import Starlette

from flux2build.sharing.listening import base_url, listening
from flux2build.sharing.serving import configured, in_thread
from flux2build.simulator.connection_faults import CuttableProtocol
from flux2build.simulator.scenario import Scenario
from flux2build.simulator.simulation import Simulation
from flux2build.simulator.web import site

VARIABLES: Final = {
    "FLUX2BUILD_BFL_URL": "",
    "FLUX2BUILD_COMETAPI_URL": "",
    "FLUX2BUILD_COMETAPI_REPLICATE_URL": "/replicate",
    "FLUX2BUILD_REPLICATE_URL": "",
}
"""The variables of the providers' endpoints, and the path of each API."""


def app(scenario: Scenario | None = None) -> Starlette:
    """The simulated servers as an ASGI application."""
    return site(Simulation(scenario))


def serve(
    scenario: Scenario | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    as_json: bool = False,
) -> None:
    """Serve until interrupted; the first line on stdout is the base URL.

    Raises:
        SystemFault: the port is taken, or the address is not of this machine.
    """
    simulation = Simulation(scenario)
    # A termination must pass through here, so that the temporary folder is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with listening(host, port) as listener, suppress(KeyboardInterrupt):
            sys.stdout.write(announcement(base_url(host, listener), as_json=as_json))
            sys.stdout.flush()
            _server(site(simulation)).run(sockets=[listener])
    finally:
        simulation.storage.close()


def announcement(base: str, *, as_json: bool = False) -> str:
    """Where the server is, and how to point flux2build at it."""
    environment = {name: base + path for name, path in VARIABLES.items()}
    if as_json:
        return json.dumps({"url": base, "environment": environment}) + "\n"
    lines = (base, *(f"{name}={url}" for name, url in environment.items()))
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def running(
    scenario: Scenario | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """The base URL of a server in a thread of this process, stopped at the end."""
    simulation = Simulation(scenario)
    try:
        with (
            listening(host, port) as listener,
            in_thread(_server(site(simulation)), listener),
        ):
            yield base_url(host, listener)
    finally:
        simulation.storage.close()


@contextmanager
def spawned(*arguments: str) -> Iterator[str]:
    """The base URL of a server in a process of its own; arguments as of `flux2build simulate`."""
    command = [sys.executable, "-m", "flux2build", "simulate", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _server(application: Starlette) -> uvicorn.Server:
    return uvicorn.Server(
        configured(application, http=CuttableProtocol, timeout_graceful_shutdown=1)
    )
