"""Faults of the connection: cut, mangled, slow and endless responses.

ASGI cannot break a connection, so the server's protocol hands each request its
transport. Where there is no socket, as with an in-process client, a cut is
raised as `ConnectionCutError` instead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from flux2build.simulator.answers import HTML, PAGE, Answer, reply
from flux2build.simulator.scenario import Rule

_TRANSPORT: Final = "flux2build.transport"
_CHUNK: Final = 2**16
_LINGER: Final = struct.pack("ii", 1, 0)
"""Makes a close send a reset."""


class ConnectionCutError(ConnectionResetError):
    """The server cut the connection, and there was no socket to cut."""


class CuttableProtocol(H11Protocol):
    """uvicorn's protocol, whose requests can reach the transport below them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Put the transport where each request's scope is copied from."""
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        super().connection_made(transport)


class Cut(Response):
    """Raw bytes, perhaps none, and then the end of the connection."""

    def __init__(self, piece: bytes = b"", *, reset: bool = False) -> None:
        super().__init__()
        self._piece, self._reset = piece, reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent by ASGI
        """Write past the server, end the connection, and wait until the client has left."""
        transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
        if transport is None:
            raise ConnectionCutError("the simulated server cut the connection")
        transport.write(self._piece)
        if self._reset:
            peer: socket.socket = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            transport.abort()
        else:
            # Not `close`: closing a socket that still holds unread bytes resets the connection.
            transport.write_eof()
        await _gone(receive)


class Late(Response):
    """A response that is delayed, unless the client leaves first."""

    def __init__(self, inner: Response, seconds: float) -> None:
        super().__init__()
        self._inner, self._seconds = inner, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        try:
            await asyncio.wait_for(_gone(receive), self._seconds)
        except TimeoutError:
            await self._inner(scope, receive, send)


def respond(answer: Answer, rule: Rule | None = None) -> Response:
    """The response that carries an answer, spoiled as a rule says."""
    spoil = None if rule is None else _FAULTS.get(rule.fault)
    return _plain(answer) if spoil is None or rule is None else spoil(answer, rule)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _plain(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), media_type=answer.media_type)


def _raw(answer: Answer, *, length: int | None) -> tuple[bytes, bytes]:
    """The bytes of a response's head and body."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}", f"content-type: {answer.media_type}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines.append("connection: close")
    if length is not None:
        lines.append(f"content-length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), answer.body


def _http(answer: Answer, rule: Rule) -> Response:
    headers = {} if rule.retry_after is None else {"retry-after": rule.retry_after}
    match rule.body:
        case "json":
            return _plain(reply(rule.code, {"detail": "simulated fault"}, headers))
        case "html":
            return _plain(Answer(rule.code, PAGE, HTML, headers))
        case "empty":
            return _plain(Answer(rule.code, b"", answer.media_type, headers))
        case text:
            return _plain(Answer(rule.code, text.encode(), headers=headers))


def _redirect(answer: Answer, rule: Rule) -> Response:  # noqa: ARG001 - one signature for all
    code = rule.code if 300 <= rule.code < 400 else 307
    return _plain(Answer(code, b"", headers={"location": str(rule.to)}))


def _no_answer(answer: Answer, rule: Rule) -> Response:  # noqa: ARG001 - one signature for all
    return Cut(reset=rule.reset)


def _half_head(answer: Answer, rule: Rule) -> Response:
    head, _ = _raw(answer, length=len(answer.body))
    inside = min(max(1, int(len(head) * rule.at)), len(head) - 1)
    return Cut(head[:inside], reset=rule.reset)


def _short(answer: Answer, rule: Rule) -> Response:
    head, body = _raw(answer, length=len(answer.body))
    return Cut(head + _share(body, rule), reset=rule.reset)


def _truncated(answer: Answer, rule: Rule) -> Response:
    head, body = _raw(answer, length=None)
    return Cut(head + _share(body, rule), reset=rule.reset)


def _share(body: bytes, rule: Rule) -> bytes:
    return body[: min(int(len(body) * rule.at), max(0, len(body) - 1))]


def _garbage(answer: Answer, rule: Rule) -> Response:  # noqa: ARG001 - one signature for all
    return Cut(b"\x16\x03\x01 this is not HTTP\r\n\r\n", reset=rule.reset)


def _mislabelled(answer: Answer, rule: Rule) -> Response:
    return _plain(Answer(answer.status, answer.body, rule.media_type, answer.headers))


def _bomb(answer: Answer, rule: Rule) -> Response:
    headers = {**answer.headers, "content-encoding": "gzip"}
    return StreamingResponse(
        _deflated(rule.size), answer.status, headers, media_type=answer.media_type
    )


def _deflated(size: int) -> Iterator[bytes]:
    squeeze = zlib.compressobj(9, wbits=31)
    for start in range(0, size, 2**20):
        if piece := squeeze.compress(bytes(min(2**20, size - start))):
            yield piece
    yield squeeze.flush()


def _endless(answer: Answer, rule: Rule) -> Response:
    pieces = _padded(answer.body, rule.size)
    return StreamingResponse(
        pieces, answer.status, dict(answer.headers), media_type=answer.media_type
    )


async def _padded(body: bytes, size: int) -> AsyncIterator[bytes]:
    yield body
    for start in range(len(body), size, _CHUNK):
        yield bytes(min(_CHUNK, size - start))


def _drip(answer: Answer, rule: Rule) -> Response:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    pieces = _dripped(answer.body, rule)
    return StreamingResponse(pieces, answer.status, headers, media_type=answer.media_type)


async def _dripped(body: bytes, rule: Rule) -> AsyncIterator[bytes]:
    for start in range(0, len(body), rule.piece):
        yield body[start : start + rule.piece]
        await asyncio.sleep(rule.seconds)


def _late(answer: Answer, rule: Rule) -> Response:
    return Late(_plain(answer), rule.seconds)


Spoil = Callable[[Answer, Rule], Any]
_FAULTS: Final[Mapping[str, Spoil]] = {
    "http": _http,
    "redirect": _redirect,
    "drop-before-read": _no_answer,
    "drop-after-read": _no_answer,
    "drop-mid-headers": _half_head,
    "short-body": _short,
    "truncated": _truncated,
    "garbage": _garbage,
    "wrong-type": _mislabelled,
    "gzip-bomb": _bomb,
    "oversized": _endless,
    "slow": _drip,
    "hang": _late,
}
