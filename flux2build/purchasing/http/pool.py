"""A pool of connections, on which every exchange is bounded in bytes and time."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, Final, NamedTuple

import httpx
from msgspec import Struct

from flux2build.providers.contract import Call, Reply
from flux2build.purchasing.http.address_policy import ProxyFor, directly
from flux2build.purchasing.http.clock import Clock
from flux2build.purchasing.http.sending import ExchangeError, Sending, failure, is_failure

HEADERS: Final = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "keep-alive",
    "user-agent": "flux2build",
}


class Way(NamedTuple):
    """The target of a connection."""

    proxy: str | None
    origin: str
    """The scheme, the host and the port of a server."""
    name: str = ""
    """The server's name, where its host is written as an address."""


class PoolConfig(Struct, frozen=True):
    """The configuration of a pool; `transport` replaces the network in tests."""

    connections: int
    connect: float
    read: float
    proxy: ProxyFor = directly
    transport: httpx.AsyncBaseTransport | None = None
    certificates: ssl.SSLContext | None = None
    """The authorities to trust, instead of the usual ones."""


class Bounds(Struct, frozen=True):
    """The most bytes and seconds that an answer may take."""

    bytes: int
    seconds: float


@dataclass(slots=True)
class Pool:
    """A pool that follows no redirect, reads no environment and keeps no cookie or key.

    It sends through transports of httpx, because httpx's clients do all of that and take twice as
    long. Each transport has one connection: the library searches all connections of a transport for
    each request, and may leak the place of a failed one. The most recently used transport is used
    next, so that the others may end.
    """

    config: PoolConfig
    clock: Clock
    _places: asyncio.Semaphore = field(init=False)
    _open: set[httpx.AsyncBaseTransport] = field(default_factory=set, init=False)
    _idle: list[tuple[Way, httpx.AsyncBaseTransport]] = field(default_factory=list, init=False)
    """The idle transports; the last one was used most recently."""
    _timeout: Mapping[str, float | None] = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self._places = asyncio.Semaphore(config.connections)
        self._timeout = httpx.Timeout(config.read, connect=config.connect).as_dict()

    def transport(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        """A new transport, through a proxy or direct."""
        return _transport(self.config, proxy)

    async def close(self) -> None:
        """Close every connection."""
        transports = [*self._open]
        self._open.clear()
        self._idle.clear()
        for transport in transports:
            await transport.aclose()

    async def touch(self, url: str) -> None:
        """Open a connection to a URL's host with an empty request.

        Raises:
            ExchangeError: there is none, or the host does not speak HTTP.
        """
        request = partial(httpx.Request, "HEAD", url, headers=HEADERS)
        way = Way(self.config.proxy(url), _origin(url))
        async with self._answer(request, self.config.connect, way):
            pass

    async def exchange(
        self,
        call: Call,
        secret: Mapping[str, str],
        bounds: Bounds,
        sending: Sending | None = None,
    ) -> Reply:
        """Make a described call and receive its answer in full.

        Raises:
            ExchangeError: the network failed, or the answer exceeds the bounds.
        """
        started, way = self.clock.now(), Way(self.config.proxy(call.url), _origin(call.url))
        headers = {**HEADERS, "accept": "application/json", **call.headers, **secret}
        request = partial(httpx.Request, call.method, call.url, headers=headers, **_content(call))
        async with self._answer(request, bounds.seconds, way, sending) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > bounds.bytes:
                    raise ExchangeError("the answer is too long")
                if self.clock.now() - started > bounds.seconds:
                    raise ExchangeError("the answer takes too long")
            headers = {name.lower(): value for name, value in response.headers.items()}
            headers |= _retry_after(headers)
        return Reply(response.status_code, headers, _decoded(bytes(body), headers, bounds.bytes))

    @asynccontextmanager
    async def stream(
        self,
        url: httpx.URL,
        headers: Mapping[str, str],
        extensions: Mapping[str, Any],
        seconds: float,
        proxy: str | None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, whose body is still to be read; it never sends a key.

        Raises:
            ExchangeError: the network failed, or it took too long.
        """
        own = {**HEADERS, **headers}
        request = partial(httpx.Request, "GET", url, headers=own)
        way = Way(proxy, _origin(str(url)), extensions.get("sni_hostname", ""))
        async with self._answer(request, seconds, way, extensions=extensions) as response:
            yield response

    @asynccontextmanager
    async def _answer(
        self,
        request: Callable[..., httpx.Request],
        seconds: float,
        way: Way,
        sending: Sending | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a request, which is followed while it is sent."""
        sending = sending or Sending()
        own = {**(extensions or {}), "timeout": self._timeout, "trace": sending}
        async with self._exchange(sending, seconds, way) as transport:
            response = await transport.handle_async_request(request(extensions=own))
            try:
                yield response
            finally:
                await response.aclose()

    @asynccontextmanager
    async def _exchange(
        self, sending: Sending, seconds: float, way: Way
    ) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """A transport for one exchange.

        Raises:
            ExchangeError: the exchange failed.
        """
        async with self._places:
            transport = self._taken(way)
            try:
                async with sending.bounded(self.config.connect, seconds):
                    yield transport
            except BaseException as error:  # a connection that is cancelled leaks its place, too
                await sending.give_up()
                await self._end(transport)
                if is_failure(error, sending, way.proxy):
                    raise failure(error, sending, proxied=way.proxy is not None) from error
                raise
            self._idle.append((way, transport))
            if len(self._idle) > self.config.connections:
                await self._end(self._idle.pop(0)[1])

    def _taken(self, way: Way) -> httpx.AsyncBaseTransport:
        """The most recently used transport of a way, or a new one."""
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place][0] == way:
                return self._idle.pop(place)[1]
        self._open.add(transport := self.transport(way.proxy))
        return transport

    async def _end(self, transport: httpx.AsyncBaseTransport) -> None:
        self._open.discard(transport)
        await transport.aclose()


def _transport(config: PoolConfig, proxy: str | None) -> httpx.AsyncBaseTransport:
    return config.transport or httpx.AsyncHTTPTransport(
        verify=config.certificates or _certificates(),
        trust_env=False,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        proxy=proxy,
    )


@cache
def _certificates() -> ssl.SSLContext:
    """The usual authorities; they are read once, because reading them is slow."""
    return httpx.create_ssl_context(trust_env=False)


def _origin(url: str) -> str:
    """The part of a URL that names scheme and server."""
    return "/".join(url.split("/", 3)[:3])


def _content(call: Call) -> dict[str, Any]:
    if call.upload is not None:
        file = call.upload
        return {"files": {"content": (_file_name(file.name), file.data, file.media_type)}}
    return {} if call.json is None else {"json": call.json}


def _retry_after(headers: Mapping[str, str]) -> Mapping[str, str]:
    """A `Retry-After` that names a date, in seconds by the clock of the server."""
    until = _moment(headers.get("retry-after", ""))
    if until is None:
        return {}
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return {"retry-after": str(max(0, round((until - now).total_seconds())))}


def _moment(text: str) -> datetime | None:
    """The moment that a date of HTTP names, in any of its three forms."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _file_name(name: str) -> str:
    """A file's bare name, so that no folder of the user's is disclosed."""
    return name.replace("\\", "/").rpartition("/")[2] or "reference"


def _decoded(body: bytes, headers: Mapping[str, str], most: int) -> bytes:
    """A body without the compression that some servers apply unasked, within the same limit."""
    if headers.get("content-encoding", "identity").lower() not in {"gzip", "deflate"}:
        return body
    try:
        plain = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, most + 1)
    except zlib.error:
        raise ExchangeError("the answer cannot be decompressed") from None
    if len(plain) > most:
        raise ExchangeError("the answer is too long")
    return plain
