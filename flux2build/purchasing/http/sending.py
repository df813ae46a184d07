"""Follows the sending of a request: whether any of it left, and why an exchange failed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from flux2build.errors import one_line


class ExchangeError(Exception):
    """An exchange failed: no answer, or one that is too long, too slow or cut short.

    `sent` unless it is proven that no byte of the request left; `untrusted` if the server's
    certificate was the reason.
    """

    def __init__(self, message: str, *, sent: bool = True, untrusted: bool = False) -> None:
        super().__init__(message)
        self.sent, self.untrusted = sent, untrusted


_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError)
"""The errors of the libraries for a failed exchange."""

_BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
"""Their errors before a connection is begun; they prove nothing about a request under way."""

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
"""The meaning of an exception or one of its causes; the first match counts."""


_LOGIN_REFUSED: Final = ("Invalid username/password", "Requested ")
"""The beginnings of the library's messages if a SOCKS proxy wants another login, or none."""


def _explained(error: BaseException) -> str:
    """The reason why an exchange failed, in words."""
    if isinstance(error, httpx.ProxyError):
        answer = one_line(str(error)).removeprefix("Proxy Server could not connect: ")
        if answer.startswith(_LOGIN_REFUSED):
            return "the proxy refuses the login"
        return f"the proxy says {answer}"
    if not isinstance(error, _FAILURES):
        return "the proxy does not speak SOCKS5"
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
    """The sending of one request: whether any of it may have left, and its deadline.

    It is the `trace` extension of a request, which the library calls before each of its steps.
    """

    began: bool = False
    """Whether a byte of the request may have left."""
    _seconds: float = field(default=0, init=False)
    _deadline: asyncio.Timeout | None = field(default=None, init=False)
    _connects: bool = field(default=False, init=False)
    _stream: Any = field(default=None, init=False)
    """The bare connection, which the library for SOCKS leaves open if it fails."""

    async def __call__(self, step: str, details: Mapping[str, Any]) -> None:
        """Note a step; from the first one that sends, the request counts as sent."""
        if step.endswith("connect_tcp.complete"):
            self._stream = details["return_value"]
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
            TimeoutError: it took longer.
        """
        self._seconds = seconds
        async with asyncio.timeout(connect) as self._deadline:
            yield

    def _bound(self) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def give_up(self) -> None:
        """Close an unused connection."""
        if self.connecting and self._stream is not None:
            await self._stream.aclose()

    @property
    def connecting(self) -> bool:
        """Whether a connection was begun, and no byte of the request left."""
        return self._connects and not self.began

    def unsent(self, error: BaseException) -> bool:
        """Whether a failure proves that no byte of the request left."""
        return self.connecting or (not self.began and isinstance(error, _BEFORE_SENDING))


def _connects(step: str, details: Mapping[str, Any]) -> bool:
    """Whether a step only makes a connection, to a server or through a proxy.

    The list is closed: any other step may send the request.
    """
    layer, _, action = step.partition(".")
    if layer in {"connection", "proxy", "socks"} or action.startswith("response_closed."):
        return True
    return getattr(details.get("request"), "method", b"") == b"CONNECT"


def is_failure(error: BaseException, sending: Sending, proxy: str | None) -> bool:
    """Whether an exchange failed; the library for SOCKS raises anything for an odd answer."""
    odd = proxy is not None and proxy.startswith("socks") and sending.connecting
    return isinstance(error, _FAILURES) or (odd and isinstance(error, Exception))


def failure(error: BaseException, sending: Sending, *, proxied: bool) -> ExchangeError:
    """The failure of an exchange in words, and whether its request may have left."""
    if not sending.unsent(error):
        return ExchangeError(_explained(error))
    text = "it does not answer in time" if isinstance(error, TimeoutError) else _explained(error)
    if proxied and "the proxy" not in text:
        text += ", through the proxy"
    untrusted = any(isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error))
    return ExchangeError(text, sent=False, untrusted=untrusted)
