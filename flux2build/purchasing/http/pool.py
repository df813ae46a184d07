"""A pool of connections, on which every exchange is bounded in bytes and time."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, Final

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

_FREE: Final = 1.0
"""Seconds until a connection is taken for lost; there is one for each exchange."""


class PoolConfig(Struct, frozen=True):
    """How a pool connects; `transport` replaces the network in tests."""

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

    It sends through transports of httpx, whose clients do all that, and take as long again. Each proxy
    has a transport of its own. Where a connection is not made, the library may never free its place:
    then the transport is replaced, and what is under way goes on in the old one.
    """

    config: PoolConfig
    clock: Clock
    _transports: dict[str | None, httpx.AsyncBaseTransport] = field(
        default_factory=dict, init=False
    )
    """By the proxy that they go through; created when first needed."""
    _places: asyncio.Semaphore = field(init=False)
    _users: Counter[httpx.AsyncBaseTransport] = field(default_factory=Counter, init=False)
    """Exchanges under way, by the transport that makes them."""
    _timeout: Mapping[str, float | None] = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self._places = asyncio.Semaphore(config.connections)
        self._timeout = httpx.Timeout(config.read, connect=config.connect, pool=_FREE).as_dict()

    def transport(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        """What sends through a proxy, or directly."""
        if proxy not in self._transports:
            self._transports[proxy] = _transport(self.config, proxy)
        return self._transports[proxy]

    async def close(self) -> None:
        """Close every connection."""
        transports = {*self._users, *self._transports.values()}
        self._users.clear()
        self._transports.clear()
        for transport in transports:
            await transport.aclose()

    async def touch(self, url: str) -> None:
        """Open a connection to a URL's host with a request that asks for nothing.

        Raises:
            ExchangeError: there is none, or what answers does not speak HTTP.
        """
        request = partial(httpx.Request, "HEAD", url, headers=HEADERS)
        async with self._answer(request, self.config.connect, self.config.proxy(url)):
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
        started, proxy = self.clock.now(), self.config.proxy(call.url)
        headers = {**HEADERS, "accept": "application/json", **call.headers, **secret}
        request = partial(httpx.Request, call.method, call.url, headers=headers, **_content(call))
        async with self._answer(request, bounds.seconds, proxy, sending) as response:
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
        """The answer to a GET, whose body is still to be read; no key is ever sent here.

        Raises:
            ExchangeError: the network failed, or it took too long.
        """
        own = {**HEADERS, **headers}
        request = partial(httpx.Request, "GET", url, headers=own)
        async with self._answer(request, seconds, proxy, extensions=extensions) as response:
            yield response

    @asynccontextmanager
    async def _answer(
        self,
        request: Callable[..., httpx.Request],
        seconds: float,
        proxy: str | None,
        sending: Sending | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a request, which is followed while it is sent."""
        sending = sending or Sending()
        own = {**(extensions or {}), "timeout": self._timeout, "trace": sending}
        async with self._exchange(sending, seconds, proxy) as transport:
            response = await transport.handle_async_request(request(extensions=own))
            try:
                yield response
            finally:
                await response.aclose()

    @asynccontextmanager
    async def _exchange(
        self, sending: Sending, seconds: float, proxy: str | None
    ) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """A transport for one exchange.

        Raises:
            ExchangeError: the exchange failed.
        """
        async with self._places:
            transport = self.transport(proxy)
            self._users[transport] += 1
            try:
                async with sending.bounded(self.config.connect, seconds):
                    yield transport
            except BaseException as error:  # a connection that is cancelled leaks its place, too
                await sending.give_up()
                if not sending.began and transport is self._transports.get(proxy):
                    del self._transports[proxy]
                if is_failure(error, sending, proxy):
                    raise failure(error, sending, proxied=proxy is not None) from error
                raise
            finally:
                self._users[transport] -= 1
                if not self._users[transport]:
                    del self._users[transport]
                    if transport is not self._transports.get(proxy):
                        await transport.aclose()


def _transport(config: PoolConfig, proxy: str | None) -> httpx.AsyncBaseTransport:
    return config.transport or httpx.AsyncHTTPTransport(
        verify=config.certificates or _certificates(),
        trust_env=False,
        limits=httpx.Limits(
            max_connections=config.connections, max_keepalive_connections=config.connections
        ),
        proxy=proxy,
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
    """A body without the compression that some servers apply unasked, within the same bound."""
    if headers.get("content-encoding", "identity").lower() not in {"gzip", "deflate"}:
        return body
    try:
        plain = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, most + 1)
    except zlib.error:
        raise ExchangeError("the answer cannot be decompressed") from None
    if len(plain) > most:
        raise ExchangeError("the answer is too long")
    return plain
