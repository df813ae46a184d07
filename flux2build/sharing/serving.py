"""Runs uvicorn for every server of flux2build: quietly, and with a bounded shutdown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


def configured(app: Any, **own: Any) -> uvicorn.Config:
    """The configuration of a server for an application, with its own settings."""
    return uvicorn.Config(
        app,
        **{
            "ws": "none",
            "lifespan": "off",
            "log_config": None,
            "log_level": "critical",
            "access_log": False,
            "proxy_headers": False,
            "server_header": False,
            "timeout_keep_alive": 60,
            "timeout_graceful_shutdown": 5,
            **own,
        },
    )


@contextmanager
def in_thread(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread of this process; the socket queues connections, so nobody waits for it."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
