"""Calls back the URL that an order names, on this machine only."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct, field

_PATIENCE: Final = 5.0
"""Seconds for which the receiver may take to answer."""


class Callback(Struct, frozen=True):
    """A POST to a receiver."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether the receiver is on this machine, reached without TLS."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if host != "localhost":
            with suppress(ValueError):
                return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
        return parts.scheme == "http" and host == "localhost"

    async def made(self) -> None:
        """Make the call once; a receiver that is not there misses it."""
        with suppress(OSError, HTTPException):
            await asyncio.to_thread(self._post)

    def _post(self) -> None:
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
        try:
            path = f"{parts.path or '/'}?{parts.query}".rstrip("?")
            headers = {"content-type": "application/json", **self.headers}
            connection.request("POST", path, self.body, headers)
            connection.getresponse().read()
        finally:
            connection.close()
