"""Calls the URL that an order names, on this machine only."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

PAUSES: Final = (1.0, 5.0, 30.0)
"""Seconds before each further call to a receiver that did not accept the one before."""
_PATIENCE: Final = 30.0
"""Seconds that the receiver may take to answer."""


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

    @property
    def missigned(self) -> Callback:
        """The same call with a wrong signature."""
        wrong = {
            name: f"{value[:-4]}AAA=" if name.endswith("signature") else value
            for name, value in self.headers.items()
        }
        return replace(self, headers=wrong)

    async def made(self, pauses: Sequence[float] = PAUSES) -> None:
        """Call until the receiver accepts it, at most once more after each pause."""
        for pause in (*pauses, None):
            with suppress(OSError, TimeoutError):
                if await self._accepted():
                    return
            if pause is not None:
                await asyncio.sleep(pause)

    async def _accepted(self) -> bool:
        """Whether the receiver answers with success; a redirect does not count."""
        parts = urlsplit(self.url)
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write(self._request(parts))
                _, _, status = (await reader.readline()).partition(b" ")
                return status.startswith(b"2")
            finally:
                writer.close()

    def _request(self, parts: SplitResult) -> bytes:
        headers = {
            "host": parts.netloc,
            "content-type": "application/json",
            "content-length": str(len(self.body)),
            "connection": "close",
            **self.headers,
        }
        path = quote(f"{parts.path or '/'}?{parts.query}".rstrip("?"), safe="%/:?=&+,;@!$'()*~")
        lines = (f"POST {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items()))
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.body
