"""A pool of connections, on which every exchange is bounded in bytes and time."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final

import httpx
from msgspec import Struct

from flux2build.providers.contract import Call, Reply
from flux2build.purchasing.http.address_policy import ProxyFor, directly
from flux2build.purchasing.http.clock import Clock
from flux2build.purchasing.http.sending import ExchangeError, Sending, failure, is_failure

AGENT: Final = {"user-agent": "flux2build", "accept-encoding": "identity"}

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

    Each proxy has a client of its own. Where a connection is not made, the library may never free
    its place: then the client is replaced, and what is under way goes on in the old one.
    """

    config: PoolConfig
    clock: Clock
    _clients: dict[str | None, httpx.AsyncClient] = field(default_factory=dict, init=False)
    """By the proxy that they go through; created when first needed."""
    _places: asyncio.Semaphore = field(init=False)
    _users: Counter[httpx.AsyncClient] = field(default_factory=Counter, init=False)
    """Exchanges under way, by the client that makes them."""

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.config.connections)

    def client(self, proxy: str | None) -> httpx.AsyncClient:
        """The httpx client that goes through a proxy, or directly."""
        if proxy not in self._clients:
            self._clients[proxy] = _client(self.config, proxy)
        return self._clients[proxy]

    async def close(self) -> None:
        """Close every connection."""
        clients = {*self._users, *self._clients.values()}
        self._users.clear()
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def touch(self, url: str) -> None:
        """Open a connection to a URL's host with a request that asks for nothing.

        Raises:
            ExchangeError: there is none, or what answers does not speak HTTP.
        """
        proxy = self.config.proxy(url)
        async with (
            self._exchange(Sending(), self.config.connect, proxy) as (client, extensions),
            client.stream("HEAD", url, headers=AGENT, extensions=extensions),
        ):
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
        async with (
            self._exchange(sending or Sending(), bounds.seconds, proxy) as (client, extensions),
            client.stream(
                call.method,
                call.url,
                headers={**AGENT, "accept": "application/json", **call.headers, **secret},
                extensions=extensions,
                **_content(call),
            ) as response,
        ):
            client.cookies.clear()
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
        async with (
            self._exchange(Sending(), seconds, proxy) as (client, traced),
            client.stream(
                "GET", url, headers={**AGENT, **headers}, extensions={**extensions, **traced}
            ) as response,
        ):
            client.cookies.clear()
            yield response

    @asynccontextmanager
    async def _exchange(
        self, sending: Sending, seconds: float, proxy: str | None
    ) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
        """A client for one exchange, and what its request needs to be followed.

        Raises:
            ExchangeError: the exchange failed.
        """
        async with self._places:
            client = self.client(proxy)
            self._users[client] += 1
            try:
                async with sending.bounded(self.config.connect, seconds):
                    yield client, {"trace": sending}
            except BaseException as error:  # a connection that is cancelled leaks its place, too
                await sending.give_up()
                if not sending.began and client is self._clients.get(proxy):
                    del self._clients[proxy]
                if is_failure(error, sending, proxy):
                    raise failure(error, sending, proxied=proxy is not None) from error
                raise
            finally:
                self._users[client] -= 1
                if not self._users[client]:
                    del self._users[client]
                    if client is not self._clients.get(proxy):
                        await client.aclose()


def _client(config: PoolConfig, proxy: str | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=config.transport,
        proxy=None if config.transport else proxy,
        verify=config.certificates or _certificates(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(config.read, connect=config.connect, pool=_FREE),
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
