"""What sends without a proxy: httpx's transport again, on connections of asyncio itself.

httpcore takes nearly twice as long with its own ones: they bound each step by a scope of their own,
and describe a socket anew whenever it is asked whether an idle one has been closed by the server.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import httpcore
import httpx

_MOST: Final = 1 << 20
"""Bytes that may arrive before they are read; then the server has to wait."""

_NEXT_ADDRESS: Final = 0.25
"""Seconds until the next address of a host is tried as well, as RFC 8305 recommends."""

_FAILURES: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


class Direct(httpx.AsyncBaseTransport):
    """Sends to servers without a proxy; fails as httpx does."""

    def __init__(self, connections: int, certificates: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=certificates,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=httpx.Limits().keepalive_expiry,
            network_backend=_Backend(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of its answer is still to be read."""
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = await self._pool.handle_async_request(sent)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast("AsyncIterable[bytes]", answer.stream)),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        with _as_httpx():
            await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        with _as_httpx():
            await self._stream.aclose()  # type: ignore[attr-defined]  # its pool's streams have one


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Failures under the names that httpx gives them, which are the same."""
    try:
        yield
    except _FAILURES as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class _Backend(httpcore.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del local_address, socket_options  # nobody asks for any
        connect = asyncio.get_running_loop().create_connection
        with _failing_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                opened = connect(_Connection, host, port, happy_eyeballs_delay=_NEXT_ADDRESS)
                return (await opened)[1]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Connection(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection: what arrives is kept until it is read."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._readable: Callable[[], bool]
        self._chunks, self._bytes = deque[bytes](), 0
        self._ended = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        """What a reader waits for."""
        self._room = asyncio.Event()
        """Set unless too much waits for being sent."""
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._readable = _readable(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._bytes += len(data)
        if self._bytes > _MOST:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, self._error or exc
        self._room.set()
        self._wake()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        with _failing_as(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                while not self._chunks and not self._ended:
                    self._arrival = asyncio.get_running_loop().create_future()
                    await self._arrival
            if self._chunks:
                return self._next(max_bytes)
            if self._error is not None:
                raise self._error
            return b""

    def _next(self, most: int) -> bytes:
        data = self._chunks.popleft()
        if len(data) > most:
            self._chunks.appendleft(data[most:])
            data = data[:most]
        full = self._bytes > _MOST
        self._bytes -= len(data)
        if full and self._bytes <= _MOST and not self._transport.is_closing():
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        with _failing_as(httpcore.WriteTimeout, httpcore.WriteError):
            self._transport.write(buffer)
            if not self._room.is_set():
                async with asyncio.timeout(timeout):
                    await self._room.wait()
            if self._transport.is_closing():
                raise self._error or ConnectionResetError

    async def aclose(self) -> None:
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        start = asyncio.get_running_loop().start_tls
        with _failing_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                async with asyncio.timeout(timeout):
                    secured = await start(
                        self._transport, self, ssl_context, server_hostname=server_hostname
                    )
            except BaseException:
                self._transport.abort()
                raise
            if secured is None:
                raise self._error or ConnectionResetError
        self._transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._ended or bool(self._chunks) or self._readable()
        return self._transport.get_extra_info(info)


def _readable(socket: Any) -> Callable[[], bool]:
    """Asks whether there is something to read, which on an idle connection can only be its end."""
    if not hasattr(select, "poll"):  # pragma: no cover - on Windows
        return lambda: socket.fileno() < 0 or bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return lambda: socket.fileno() < 0 or bool(poll.poll(0))


@contextmanager
def _failing_as(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Failures in the words of the library."""
    try:
        yield
    except TimeoutError as error:
        raise late(error) from error
    except OSError as error:
        raise broken(error) from error
