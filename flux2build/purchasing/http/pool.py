"""A pool of connections, on which every exchange is bounded in bytes and time."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

from flux2build.errors import one_line
from flux2build.providers.contract import Call, Reply
from flux2build.purchasing.http.clock import Clock

AGENT: Final = {"user-agent": "flux2build", "accept-encoding": "identity"}

NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
"""Exceptions that prove that no byte of a request was sent; a proxy refuses before it connects."""


class BrokenError(Exception):
    """An answer is too long, too slow or cut short."""


FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, BrokenError)
"""The exceptions of a failed exchange."""


_CAUSES: Final[Sequence[tuple[type[BaseException], str]]] = (
    (socket.gaierror, "its name cannot be looked up"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ConnectionRefusedError, "it refuses the connection"),
    (httpx.ConnectTimeout, "it does not answer in time"),
    (httpx.ConnectError, "it cannot be reached"),
    (httpx.PoolTimeout, "no connection is free"),
    (httpx.TimeoutException, "no answer comes in time"),
    (httpx.RemoteProtocolError, "the answer is cut short, or is not HTTP"),
    (httpx.DecodingError, "the answer cannot be decoded"),
    (httpx.NetworkError, "the connection breaks"),
    (httpx.UnsupportedProtocol, "its URL is neither http nor https"),
    (httpx.InvalidURL, "its URL is not valid"),
)
"""What an exception or one of its causes means; the first match counts."""


def explained(error: BaseException) -> str:
    """What went wrong with an exchange, in words."""
    if isinstance(error, BrokenError):
        return str(error)
    if isinstance(error, httpx.ProxyError):
        return f"the proxy says {one_line(str(error))}"
    chain, inner = [error], error.__cause__ or error.__context__
    while inner is not None and len(chain) < _DEEPEST:
        chain.append(inner)
        inner = inner.__cause__ or inner.__context__
    texts = (text for kind, text in _CAUSES for each in chain if isinstance(each, kind))
    return next(texts, "the connection fails")


_DEEPEST: Final = 16
"""Most exceptions of a chain that are examined."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """How a pool connects; `transport` replaces the network in tests."""

    connections: int
    connect: float
    read: float
    proxy: str | None = None
    transport: httpx.AsyncBaseTransport | None = None
    certificates: ssl.SSLContext | None = None
    """The authorities to trust, instead of the usual ones."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most bytes and seconds that an answer may take."""

    bytes: int
    seconds: float


@dataclass(slots=True)
class Pool:
    """A pool that follows no redirect, reads no environment and keeps no cookie or key."""

    config: PoolConfig
    clock: Clock
    _client: httpx.AsyncClient | None = field(default=None, init=False)

    @property
    def client(self) -> httpx.AsyncClient:
        """The httpx client, created when it is first needed."""
        if self._client is None:
            self._client = _client(self.config)
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def touch(self, url: str) -> None:
        """Open a connection to a URL's host with a request that asks for nothing."""
        async with self.client.stream("HEAD", url, headers=AGENT):
            pass

    async def exchange(self, call: Call, secret: Mapping[str, str], bounds: Bounds) -> Reply:
        """Make a described call and receive its answer in full.

        Raises:
            httpx.HTTPError: the network failed; `NOT_SENT` names the exceptions that prove that nothing was sent.
            BrokenError: the answer exceeds the bounds.
        """
        started = self.clock.now()
        async with self.client.stream(
            call.method,
            call.url,
            headers={**AGENT, "accept": "application/json", **call.headers, **secret},
            **_content(call),
        ) as response:
            self.client.cookies.clear()
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > bounds.bytes:
                    raise BrokenError("the answer is too long")
                if self.clock.now() - started > bounds.seconds:
                    raise BrokenError("the answer takes too long")
            headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, _decoded(bytes(body), headers, bounds.bytes))

    @asynccontextmanager
    async def stream(
        self, url: httpx.URL, headers: Mapping[str, str], extensions: Mapping[str, Any]
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, whose body is still to be read; no key is ever sent here."""
        async with self.client.stream(
            "GET", url, headers={**AGENT, **headers}, extensions=dict(extensions)
        ) as response:
            self.client.cookies.clear()
            yield response


def _client(config: PoolConfig) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=config.transport,
        proxy=None if config.transport else config.proxy,
        verify=config.certificates or _certificates(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(config.read, connect=config.connect, pool=None),
        limits=httpx.Limits(
            max_connections=config.connections, max_keepalive_connections=config.connections
        ),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """The usual authorities, read once: reading them is slow."""
    return httpx.create_ssl_context(trust_env=False)


def _content(call: Call) -> dict[str, Any]:
    if call.upload is not None:
        file = call.upload
        return {"files": {"content": (_file_name(file.name), file.data, file.media_type)}}
    return {} if call.json is None else {"json": call.json}


def _file_name(name: str) -> str:
    """A file's bare name, so that no folder of the user's is disclosed."""
    return name.replace("\\", "/").rpartition("/")[2] or "reference"


def _decoded(body: bytes, headers: Mapping[str, str], most: int) -> bytes:
    """A body without the compression that some servers apply unasked, within the same bound."""
    if headers.get("content-encoding", "identity").lower() not in {"gzip", "deflate"}:
        return body
    try:
        plain = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, most + 1)
    except zlib.error:
        raise BrokenError("the answer cannot be decompressed") from None
    if len(plain) > most:
        raise BrokenError("the answer is too long")
    return plain
