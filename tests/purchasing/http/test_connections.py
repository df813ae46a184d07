"""Connections without a proxy: whole bodies at any speed, no use of a closed one, httpx's failures."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from flux2build.purchasing.http.connections import Direct
from flux2build.purchasing.http.sending import Sending, failure

LARGE: Final = bytes(range(256)) * 4096 * 5
"""More than may arrive before it is read, and more than a socket takes at once."""

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@asynccontextmanager
async def _served(answer: Answering) -> AsyncIterator[tuple[str, list[int]]]:
    """A server's URL, and how many requests each of its connections had."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(requests)
        requests.append(0)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                requests[number] += 1
                await answer(reader, writer, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", requests


async def _write(writer: asyncio.StreamWriter, body: bytes, promised: int | None = None) -> None:
    length = len(body) if promised is None else promised
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + body)
    await writer.drain()


async def _asked(
    direct: Direct, url: str, content: bytes = b"", pause: float = 0, **more: Any
) -> bytes:
    """The body of the answer to a POST, read with a pause after its first part."""
    extensions = {"timeout": httpx.Timeout(5).as_dict(), **more}
    request = httpx.Request("POST", url, content=content, extensions=extensions)
    answer, body = await direct.handle_async_request(request), b""
    try:
        async for part in answer.aiter_raw():
            body += part
            await asyncio.sleep(pause if body == part else 0)
    finally:
        await answer.aclose()
    return body


def _run(answer: Answering, work: Callable[[Direct, str, list[int]], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with _served(answer) as (url, requests):
            direct = Direct(2, ssl.create_default_context())
            try:
                async with asyncio.timeout(20):
                    return await work(direct, url, requests)
            finally:
                await direct.aclose()

    return asyncio.run(inside())


def test_what_arrives_faster_than_it_is_read_is_whole() -> None:
    """The server waits, and every byte comes in its order."""

    async def answer(_: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        del head
        await _write(writer, LARGE)

    assert _run(answer, lambda direct, url, _: _asked(direct, url, pause=0.2)) == LARGE


def test_what_is_sent_faster_than_it_is_taken_is_whole() -> None:
    """A large upload waits for the server, and counts as sent only then."""
    moments: list[str] = []

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        del head
        await asyncio.sleep(0.1)
        moments.append("taken")
        assert await reader.readexactly(len(LARGE)) == LARGE
        await _write(writer, b"thanks")

    async def step(name: str, _: Any) -> None:
        if name.endswith("send_request_body.complete"):
            moments.append("sent")

    assert _run(answer, lambda direct, url, _: _asked(direct, url, LARGE, trace=step)) == b"thanks"
    assert moments == ["taken", "sent"]


def test_an_open_connection_is_used_again_and_a_closed_one_never() -> None:
    """A request that is sent into a closed connection would be in doubt."""

    async def answer(_: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        await _write(writer, b"here")
        if b"/last" in head:
            writer.close()

    async def work(direct: Direct, url: str, requests: list[int]) -> list[int]:
        await _asked(direct, url)
        await _asked(direct, f"{url}last")
        await asyncio.sleep(0.05)
        await _asked(direct, url)
        return requests

    assert _run(answer, work) == [2, 1]


def test_one_that_was_closed_this_very_moment_is_not_used() -> None:
    """Although the loop had no time to hear of it."""

    async def answer(_: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        del head
        await _write(writer, b"here")

    class Watched(Direct):
        """Closes what the server holds before each request, behind the back of the loop."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            for held in closing:
                held.shutdown(socket.SHUT_RDWR)
                held.close()
            closing.clear()
            return await super().handle_async_request(request)

    closing: list[socket.socket] = []

    async def inside() -> list[bytes]:
        async def kept(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
        ) -> None:
            await answer(reader, writer, head)
            closing.append(socket.socket(fileno=socket.dup(_number(writer))))

        async with _served(kept) as (url, _):
            direct = Watched(1, ssl.create_default_context())
            try:
                return [await _asked(direct, url) for _ in range(3)]
            finally:
                await direct.aclose()
                for held in closing:
                    held.close()

    assert asyncio.run(inside()) == [b"here"] * 3


def _number(writer: asyncio.StreamWriter) -> int:
    number: int = writer.get_extra_info("socket").fileno()
    return number


@pytest.mark.parametrize("abrupt", [False, True])
def test_a_body_that_breaks_off_is_told_as_httpx_tells_it(*, abrupt: bool) -> None:
    """Whether the server hangs up or resets the connection."""

    async def answer(_: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        del head
        await _write(writer, b"half", promised=8)
        if abrupt:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        raise ConnectionError

    kind = httpx.ReadError if abrupt else httpx.RemoteProtocolError
    with pytest.raises(kind):
        _run(answer, lambda direct, url, _: _asked(direct, url))


def test_a_refused_connection_is_told_as_httpx_tells_it() -> None:
    """With its cause, so that it is known that nothing was sent, and why."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def inside() -> None:
        direct = Direct(1, ssl.create_default_context())
        try:
            await _asked(direct, f"http://127.0.0.1:{port}/")
        finally:
            await direct.aclose()

    with pytest.raises(httpx.ConnectError) as caught:
        asyncio.run(inside())
    assert failure(caught.value, Sending(), proxied=False).sent is False
    assert str(failure(caught.value, Sending(), proxied=False)) == "it refuses the connection"


def test_one_that_is_given_up_is_not_used_again() -> None:
    """Its answer may still come, and would be taken for that to the next request."""

    async def answer(_: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        if b"/slow" in head:
            await asyncio.sleep(0.1)
        await _write(writer, b"slow" if b"/slow" in head else b"here")

    async def work(direct: Direct, url: str, requests: list[int]) -> tuple[bytes, list[int]]:
        slow = asyncio.ensure_future(_asked(direct, f"{url}slow"))
        await asyncio.sleep(0.03)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        return await _asked(direct, url), requests

    assert _run(answer, work) == (b"here", [1, 1])
