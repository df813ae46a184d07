"""The pool: one connection where one is enough, and another one after an exchange that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Final

import pytest

from flux2build.providers.contract import Call
from flux2build.purchasing.http.clock import Monotonic
from flux2build.purchasing.http.pool import Bounds, Pool, PoolConfig
from flux2build.purchasing.http.sending import ExchangeError

BOUNDS: Final = Bounds(1000, 5)


class Server:
    """Answers every request, and counts connections; a path with `long` is answered at length."""

    def __init__(self) -> None:
        self.connections, self.ended = 0, asyncio.Semaphore(0)
        self.hosts: list[str] = []
        self.serving: list[asyncio.Task[None] | None] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the other side closes it."""
        self.connections += 1
        self.serving.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = b"." * 5000 if b"long" in head else b"{}"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()
        self.ended.release()


def _served(work: Callable[[Server, Pool], Awaitable[None]], hosts: int = 1) -> Server:
    async def run() -> Server:
        server, pool = Server(), Pool(PoolConfig(4, 5, 5), Monotonic())
        async with AsyncExitStack() as stack:
            for _ in range(hosts):
                listening = await asyncio.start_server(server, "127.0.0.1", 0)
                await stack.enter_async_context(listening)
                server.hosts.append(f"127.0.0.1:{listening.sockets[0].getsockname()[1]}")
            async with asyncio.timeout(30):
                await work(server, pool)
            await pool.close()
            await asyncio.gather(*filter(None, server.serving))
        return server

    return asyncio.run(run())


async def _ask(pool: Pool, host: str, path: str = "short") -> None:
    await pool.exchange(Call("GET", f"http://{host}/{path}"), {}, BOUNDS)


def test_what_follows_each_other_shares_a_connection() -> None:
    """After many exchanges at once, one connection is used, and the others are at rest."""

    async def work(server: Server, pool: Pool) -> None:
        await asyncio.gather(*(_ask(pool, server.hosts[0]) for _ in range(20)))
        at_once = server.connections
        for _ in range(10):
            await _ask(pool, server.hosts[0])
        assert at_once <= 4
        assert server.connections == at_once

    _served(work)


def test_servers_in_turn_keep_their_connections() -> None:
    """Pictures may come from several hosts, one after the other."""

    async def work(server: Server, pool: Pool) -> None:
        for _ in range(5):
            for host in server.hosts:
                await _ask(pool, host)

    assert _served(work, hosts=3).connections == 3


def test_an_exchange_that_fails_ends_its_connection() -> None:
    """What is left of its answer is nobody else's."""

    async def work(server: Server, pool: Pool) -> None:
        with pytest.raises(ExchangeError, match="too long"):
            await _ask(pool, server.hosts[0], "long")
        await server.ended.acquire()
        await _ask(pool, server.hosts[0])

    assert _served(work).connections == 2


def test_no_more_connections_stay_than_are_used_at_once() -> None:
    """However many hosts there are."""

    async def work(server: Server, pool: Pool) -> None:
        for host in server.hosts:
            await _ask(pool, host)
        for _ in server.hosts[4:]:
            await server.ended.acquire()

    assert _served(work, hosts=10).connections == 10
