"""The HTTP server that takes callbacks: one POST on each connection, bounded in bytes and seconds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, Final

import h11
import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from flux2build.providers.contract import Message
from flux2build.purchasing.receiving.hearing import Answer
from flux2build.sharing.serving import configured

Post = Callable[[str, Message], Awaitable[Answer]]
"""Answers a message that was posted to a path."""
Known = Callable[[str], bool]
"""Whether a path may belong to a callback; other bodies are not kept."""
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_WELCOME: Final = Answer(HTTPStatus.OK, "callbacks are received here")
_NO_POST: Final = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are posted")
_TOO_LARGE: Final = Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "it is too large")
_TOO_SLOW: Final = Answer(HTTPStatus.REQUEST_TIMEOUT, "it arrives too slowly")
_IDLE: Final = "a connection that asks for nothing"
_CROWDED: Final = "one connection too many"
_PATIENT_END: Final = 3
"""Seconds for running answers when the server ends."""


class Bounds(Struct, frozen=True):
    """The limits for strangers."""

    body: int = 4 * 2**20
    """Bytes of a message; Replicate repeats the references of the order."""
    bodies: int = 32
    """Most messages whose bodies are in memory at once."""
    ignored: int = 16 * 2**20
    """Bytes of a too large message that are read, so that its sender gets the answer."""
    seconds: int = 10
    """For a message to arrive, and for a connection to begin one."""
    connections: int = 256
    """Beyond so many, messages are refused; beyond twice as many, connections."""


class Impatient(H11Protocol):
    """uvicorn's protocol; it ends connections without a request, and those beyond the limit."""

    _waiting: asyncio.TimerHandle | None = None
    app: _Site

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self.app.bounds.connections:
            self.app.desk.refuse(_CROWDED)
            transport.abort()
        self._waiting = self.loop.call_later(self.app.bounds.seconds, self._end_unless_asked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _end_unless_asked(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.app.desk.refuse(_IDLE)
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to its caller."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override] # any context
        """Capture none."""
        return nullcontext()

    async def until(self, halt: asyncio.Event, listener: socket.socket) -> None:
        """Serve until a halt."""
        serving = asyncio.ensure_future(self.serve(sockets=[listener]))
        halted = asyncio.ensure_future(halt.wait())
        try:
            await asyncio.wait([serving, halted], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.should_exit = True
            halted.cancel()
            await serving


class Desk(Struct, frozen=True):
    """The functions that judge and answer messages."""

    known: Known
    post: Post
    refuse: Callable[[str], None]
    """The callback for the reasons of refused requests."""


def server(desk: Desk, prefix: str, bounds: Bounds | None = None) -> Server:
    """A server of callbacks whose public URL has a path, which a proxy may pass on or drop."""
    bounds = bounds or Bounds()
    config = configured(
        _Site(desk, prefix, bounds, asyncio.Semaphore(bounds.bodies)),
        http=Impatient,
        log_level="error",
        limit_concurrency=bounds.connections,
        timeout_keep_alive=bounds.seconds,
        timeout_graceful_shutdown=_PATIENT_END,
    )
    return Server(config)


class _Site(Struct, frozen=True):
    """The ASGI application."""

    desk: Desk
    prefix: str
    bounds: Bounds
    bodies: asyncio.Semaphore

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, never with a redirect."""
        try:
            answer = await self._answer(scope, receive)
        except ConnectionError:  # the sender is gone
            return
        text = f"{answer.text}\n".encode()
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(text)),
            "connection": "close",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status.value, "headers": raw})
        await send({"type": "http.response.body", "body": text})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        path = scope["raw_path"].decode("latin-1").removeprefix(self.prefix).strip("/")
        if scope["method"] != "POST":
            return _NO_POST if path or scope["method"] not in {"GET", "HEAD"} else _WELCOME
        pairs = (
            (name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"]
        )
        known, headers = self.desk.known(path), dict(pairs)
        try:
            async with asyncio.timeout(self.bounds.seconds):
                if not known:
                    await self._body(receive, 0)
                    return await self.desk.post(path, Message(headers, b""))
                async with self.bodies:
                    body = await self._body(receive, self.bounds.body)
        except TimeoutError:
            return self._refused(_TOO_SLOW)
        if body is None:
            return self._refused(_TOO_LARGE)
        return await self.desk.post(path, Message(headers, body))

    def _refused(self, answer: Answer) -> Answer:
        self.desk.refuse(answer.text)
        return answer

    async def _body(self, receive: Receive, most: int) -> bytes | None:
        """A message's body; None if it is too large, although it is read.

        Raises:
            ConnectionError: its sender has left.
        """
        body, size, more = bytearray(), 0, True
        while more and size <= self.bounds.ignored:
            event = await receive()
            if event["type"] != "http.request":
                raise ConnectionError
            piece, more = event.get("body", b""), event.get("more_body", False)
            size += len(piece)
            if size <= most:
                body += piece
            else:
                body.clear()
        return bytes(body) if size <= most else None
