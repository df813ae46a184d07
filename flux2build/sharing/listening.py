"""A socket on which a server of this machine listens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flux2build.errors import SystemFault

_QUEUE: Final = 2048


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that takes connections at an address of this machine; port 0 picks a free one.

    Raises:
        SystemFault: the port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: 40 ms a request.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (UnicodeError, TypeError) as error:  # UnicodeError: IDNA cannot encode the name
            raise SystemFault(f"`{host}` is not an address of this machine") from error
        except OSError as error:
            raise SystemFault(
                f"cannot listen on `{host}:{port}`: {error.strerror}",
                hint="`--port 0` picks a free port",
            ) from error
        listener.listen(_QUEUE)
        yield listener


def base_url(host: str, listener: socket.socket) -> str:
    """The URL at which a socket listens."""
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{listener.getsockname()[1]}"
