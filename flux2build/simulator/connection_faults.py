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
from collections.abc import AsyncIterator, Iterator
from http.client import responses
from typing import Final

from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from flux2build.simulator.answers import HTML, JSON, PAGE, Answer
from flux2build.simulator.scenario import Rule

_TRANSPORT: Final = "flux2build.transport"
_BODIES: Final = {"json": b'{"detail":"simulated fault"}', "html": PAGE, "empty": b""}
_CHUNK: Final = 2**16
_LINGER: Final = struct.pack("ii", 1, 0)
"""Makes a close send a reset."""


class ConnectionCutError(ConnectionResetError):
    """The server cut the connection, and there was no socket to cut."""


class CuttableProtocol(H11Protocol):
    """uvicorn's protocol, whose requests can reach the transport below them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Put the transport into the state that is copied into each request's scope."""
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
    """The response that carries an answer, spoiled by a rule."""
    if rule is None:
        return _plain(answer)
    if (piece := _before_the_cut(answer, rule)) is not None:
        return Cut(piece, reset=rule.reset)
    pieces: AsyncIterator[bytes] | Iterator[bytes]
    match rule.fault:
        case "gzip-bomb":
            pieces, header = _deflated(rule.size), {"content-encoding": "gzip"}
        case "oversized":
            pieces, header = _padded(answer.body, rule.size), {}
        case "slow":
            pieces, header = _dripped(answer.body, rule), {"content-length": str(len(answer.body))}
        case "hang":
            return Late(_plain(answer), rule.seconds)
        case _:
            return _plain(_changed(answer, rule))
    headers = {**answer.headers, **header}
    return StreamingResponse(pieces, answer.status, headers, media_type=answer.media_type)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _plain(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), media_type=answer.media_type)


def _before_the_cut(answer: Answer, rule: Rule) -> bytes | None:
    """The bytes that are sent before the connection is cut; None if the rule does not cut it."""
    head, body = _head(answer, sized=rule.fault != "truncated"), answer.body
    match rule.fault:
        case "drop-before-read" | "drop-after-read":
            return b""
        case "drop-mid-headers":
            return head[: min(max(1, int(len(head) * rule.at)), len(head) - 1)]
        case "short-body" | "truncated":
            return head + body[: min(int(len(body) * rule.at), max(0, len(body) - 1))]
        case "garbage":
            return b"\x16\x03\x01 this is not HTTP\r\n\r\n"
        case _:
            return None


def _head(answer: Answer, *, sized: bool) -> bytes:
    """The status line and the headers of a response, with its length or without."""
    lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
    lines += [f"content-type: {answer.media_type}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += ["connection: close", *([f"content-length: {len(answer.body)}"] if sized else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _changed(answer: Answer, rule: Rule) -> Answer:
    match rule.fault:
        case "http":
            headers = {} if rule.retry_after is None else {"retry-after": rule.retry_after}
            body = _BODIES.get(rule.body, rule.body.encode())
            types = {"html": HTML, "empty": answer.media_type}
            return Answer(rule.code, body, types.get(rule.body, JSON), headers)
        case "redirect":
            code = rule.code if 300 <= rule.code < 400 else 307
            return Answer(code, b"", headers={"location": str(rule.to)})
        case "wrong-type":
            return replace(answer, media_type=rule.media_type)
        case _:
            return answer


def _deflated(size: int) -> Iterator[bytes]:
    squeeze = zlib.compressobj(9, wbits=31)
    for start in range(0, size, 2**20):
        if piece := squeeze.compress(bytes(min(2**20, size - start))):
            yield piece
    yield squeeze.flush()


async def _padded(body: bytes, size: int) -> AsyncIterator[bytes]:
    yield body
    for start in range(len(body), size, _CHUNK):
        yield bytes(min(_CHUNK, size - start))


async def _dripped(body: bytes, rule: Rule) -> AsyncIterator[bytes]:
    for start in range(0, len(body), rule.piece):
        yield body[start : start + rule.piece]
        await asyncio.sleep(rule.seconds)
