"""A pool of connections, on which every exchange is bounded in bytes and time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final

import httpx

from flux2build.errors import one_line
from flux2build.providers.contract import Call, Reply
from flux2build.purchasing.http.clock import Clock

AGENT: Final = {"user-agent": "flux2build", "accept-encoding": "identity"}

_FREE: Final = 1.0
"""Seconds until a connection is taken for lost; there is one for each exchange."""


class ExchangeError(Exception):
    """An exchange failed: no answer, or one that is too long, too slow or cut short.

    `sent` unless it is proven that no byte of the request left; `untrusted` where the
    server's certificate was the reason.
    """

    def __init__(self, message: str, *, sent: bool = True, untrusted: bool = False) -> None:
        super().__init__(message)
        self.sent, self.untrusted = sent, untrusted


_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError)
"""What the libraries raise for a failed exchange."""

_BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
"""What they raise before a connection is begun; of a request that has set out they prove nothing."""

_CAUSES: Final[Sequence[tuple[type[BaseException], str]]] = (
    (socket.gaierror, "its name cannot be looked up"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "it does not speak TLS"),
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
    (TimeoutError, "no answer comes in time"),
)
"""What an exception or one of its causes means; the first match counts."""


def _explained(error: BaseException) -> str:
    """What went wrong with an exchange, in words."""
    if isinstance(error, httpx.ProxyError):
        return f"the proxy says {one_line(str(error))}"
    chain = _chain(error)
    texts = (text for kind, text in _CAUSES for each in chain if isinstance(each, kind))
    return next(texts, "the connection fails")


def _chain(error: BaseException) -> Sequence[BaseException]:
    """An exception and its causes."""
    chain, inner = [error], error.__cause__ or error.__context__
    while inner is not None and len(chain) < _DEEPEST:
        chain.append(inner)
        inner = inner.__cause__ or inner.__context__
    return chain


_DEEPEST: Final = 16
"""Most exceptions of a chain that are examined."""


@dataclass(slots=True)
class Sending:
    """The sending of one request: whether any of it may have left, and until when it may take.

    It is the `trace` extension of a request, which the library calls before each of its steps.
    """

    began: bool = False
    """Whether a byte of the request may have left."""
    _seconds: float = field(default=0, init=False)
    _deadline: asyncio.Timeout | None = field(default=None, init=False)
    _connects: bool = field(default=False, init=False)

    async def __call__(self, step: str, details: Mapping[str, Any]) -> None:
        """Note a step; from the first one that sends, the request counts as sent."""
        if not step.endswith(".started"):
            return
        if not self.began and _connects(step, details):
            self._connects = True
            return
        if not self.began or step.endswith("receive_response_headers.started"):
            self._bound()
        self.began = True

    @asynccontextmanager
    async def bounded(self, connect: float, seconds: float) -> AsyncIterator[None]:
        """Give a connection `connect` seconds, and sending and answer `seconds` each.

        Raises:
            TimeoutError: that was not enough.
        """
        self._seconds = seconds
        async with asyncio.timeout(connect) as self._deadline:
            yield

    def _bound(self) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._seconds)

    def unsent(self, error: BaseException) -> bool:
        """Whether a failure proves that no byte of the request left."""
        return not self.began and (self._connects or isinstance(error, _BEFORE_SENDING))


def _connects(step: str, details: Mapping[str, Any]) -> bool:
    """Whether a step only makes a connection, to a server or through a proxy.

    The list is closed: any other step may send the request.
    """
    layer, _, action = step.partition(".")
    if layer in {"connection", "proxy"} or action.startswith("response_closed."):
        return True
    return getattr(details.get("request"), "method", b"") == b"CONNECT"


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
    """A pool that follows no redirect, reads no environment and keeps no cookie or key.

    Where a connection is not made, the library may never free its place: then the pool is
    replaced, and what is under way goes on in the old one.
    """

    config: PoolConfig
    clock: Clock
    _client: httpx.AsyncClient | None = field(default=None, init=False)
    _places: asyncio.Semaphore = field(init=False)
    _users: Counter[httpx.AsyncClient] = field(default_factory=Counter, init=False)
    """Exchanges under way, by the client that makes them."""

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.config.connections)

    @property
    def client(self) -> httpx.AsyncClient:
        """The httpx client, created when it is first needed."""
        if self._client is None:
            self._client = _client(self.config)
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        clients, self._client = {*self._users, self._client}, None
        self._users.clear()
        for client in filter(None, clients):
            await client.aclose()

    async def touch(self, url: str) -> None:
        """Open a connection to a URL's host with a request that asks for nothing.

        Raises:
            ExchangeError: there is none, or what answers does not speak HTTP.
        """
        async with (
            self._exchange(Sending(), self.config.connect) as (client, extensions),
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
        started = self.clock.now()
        async with (
            self._exchange(sending or Sending(), bounds.seconds) as (client, extensions),
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
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, whose body is still to be read; no key is ever sent here.

        Raises:
            ExchangeError: the network failed, or it took too long.
        """
        async with (
            self._exchange(Sending(), seconds) as (client, traced),
            client.stream(
                "GET", url, headers={**AGENT, **headers}, extensions={**extensions, **traced}
            ) as response,
        ):
            client.cookies.clear()
            yield response

    @asynccontextmanager
    async def _exchange(
        self, sending: Sending, seconds: float
    ) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
        """A client for one exchange, and what its request needs to be followed.

        Raises:
            ExchangeError: the exchange failed.
        """
        async with self._places:
            client = self.client
            self._users[client] += 1
            try:
                async with sending.bounded(self.config.connect, seconds):
                    yield client, {"trace": sending}
            except BaseException as error:  # a connection that is cancelled leaks its place, too
                if not sending.began and client is self._client:
                    self._client = None
                if isinstance(error, _FAILURES):
                    raise self._failure(error, sending) from error
                raise
            finally:
                self._users[client] -= 1
                if not self._users[client]:
                    del self._users[client]
                    if client is not self._client:
                        await client.aclose()

    def _failure(self, error: Exception, sending: Sending) -> ExchangeError:
        if sending.unsent(error):
            late = isinstance(error, TimeoutError)
            text = "it does not answer in time" if late else _explained(error)
            if self.config.proxy and not isinstance(error, httpx.ProxyError):
                text += ", through the proxy"
            untrusted = any(
                isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error)
            )
            return ExchangeError(text, sent=False, untrusted=untrusted)
        return ExchangeError(_explained(error))


def _client(config: PoolConfig) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=config.transport,
        proxy=None if config.transport else config.proxy,
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
