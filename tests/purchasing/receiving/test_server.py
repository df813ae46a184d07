"""Whatever a stranger sends, the server of callbacks answers plainly, within bounds, and goes on."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from http import HTTPStatus
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from flux2build.providers.contract import Message
from flux2build.purchasing.receiving.hearing import Answer
from flux2build.purchasing.receiving.server import Bounds, Desk, server
from flux2build.sharing.listening import base_url, listening

HOST: Final = "127.0.0.1"
BOUNDS: Final = Bounds(body=1000, ignored=100_000, seconds=2, connections=8)
POST: Final = b"POST /f2b/a HTTP/1.1\r\nhost: x\r\n"
Posted = list[tuple[str, Message]]
REFUSED: Final[list[str]] = []
"""Why something did not come to be a message, in the test that runs."""


@pytest.fixture(autouse=True)
def _nothing_refused() -> None:
    """Every test begins with a clean sheet."""
    REFUSED.clear()


def known(path: str) -> bool:
    """Whether a path is that of an order."""
    return path in {"a", "bfl/x.y"}


@contextmanager
def receiving(prefix: str = "/f2b") -> Iterator[tuple[str, int, Posted]]:
    """The URL and port of a server, and what was posted to it."""
    posted: Posted = []

    async def post(path: str, message: Message) -> Answer:
        posted.append((path, message))
        return Answer(HTTPStatus.ACCEPTED, "taken")

    halt, loops = asyncio.Event(), []

    async def run(listener: socket.socket) -> None:
        loops.append(asyncio.get_running_loop())
        await server(Desk(known, post, REFUSED.append), prefix, BOUNDS).until(halt, listener)

    with listening(HOST, 0) as listener:
        thread = Thread(target=lambda: asyncio.run(run(listener)))
        thread.start()
        url = base_url(HOST, listener)
        try:
            assert httpx.get(f"{url}/f2b", trust_env=False).status_code == 200
            yield url, listener.getsockname()[1], posted
        finally:
            loops[0].call_soon_threadsafe(halt.set)
            thread.join()


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[str, int, Posted]]:
    """One server for many strangers."""
    with receiving() as serving:
        yield serving


def connected(port: int) -> socket.socket:
    """A connection of a stranger."""
    return socket.create_connection((HOST, port), timeout=20)


def rest(peer: socket.socket) -> bytes:
    """What comes back until the connection ends."""
    try:
        return b"".join(iter(lambda: peer.recv(65536), b""))
    except ConnectionError:
        return b""


def answered(port: int, *pieces: bytes) -> bytes:
    """What somebody hears who sends these pieces."""
    with closing(connected(port)) as peer:
        with suppress(ConnectionError):
            for piece in pieces:
                peer.sendall(piece)
        return rest(peer)


@pytest.mark.parametrize("path", ["/f2b/bfl/x.y", "/bfl/x.y", "/bfl/x.y?a=b", "/f2b/bfl/x.y/"])
def test_a_message_is_passed_on(serving: tuple[str, int, Posted], path: str) -> None:
    """With its body, its headers and its path, whether or not a proxy has taken the prefix away."""
    url, _, posted = serving
    posted.clear()

    reply = httpx.post(
        f"{url}{path}", content=b"{}", headers={b"X-Sign": "é".encode()}, trust_env=False
    )

    assert (reply.status_code, reply.text) == (202, "taken\n")
    ((at, message),) = posted
    assert (at, message.body) == ("bfl/x.y", b"{}")
    assert message.headers["x-sign"].encode("latin-1").decode() == "é"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/bfl/x.y", 405), ("PUT", "/", 405), ("DELETE", "/bfl/x", 405)],
)
def test_only_posts_are_messages(
    serving: tuple[str, int, Posted], method: str, path: str, status: int
) -> None:
    """A look at the public URL tells that somebody is there; nothing else is answered."""
    url, _, posted = serving
    posted.clear()

    reply = httpx.request(method, f"{url}{path}", trust_env=False)

    assert (reply.status_code, posted) == (status, [])
    assert "location" not in reply.headers


@pytest.mark.parametrize(
    ("pieces", "start"),
    [
        ((POST, b"content-length: 5000\r\n\r\n", b"x" * 5000), b"HTTP/1.1 413 "),
        ((POST, b"transfer-encoding: chunked\r\n\r\n", b"7d0\r\n", b"x" * 2000, b"\r\n0\r\n\r\n"), b"HTTP/1.1 413 "),
        ((POST, b"content-length: ten\r\n\r\n"), b"HTTP/1.1 400 "),
        ((b"\x16\x03\x01 TLS?\r\n\r\n",), b"HTTP/1.1 400 "),
        ((b"POST /x HTTP/1.1\r\n", b"x: " + b"y" * 200_000), b""),
    ],
    ids=["large", "chunked", "length", "tls", "headers"],
)  # fmt: skip
def test_a_strange_message_ends_soon(
    serving: tuple[str, int, Posted], pieces: tuple[bytes, ...], start: bytes
) -> None:
    """It is answered or cut off, and nobody is told of it."""
    _, port, posted = serving
    posted.clear()

    answer = answered(port, *pieces)

    assert answer.startswith(start)
    assert posted == []


def test_what_takes_too_long_is_ended(serving: tuple[str, int, Posted]) -> None:
    """A body that does not come is answered; half a head, or silence, is cut off."""
    _, port, posted = serving
    posted.clear()
    begun = [POST + b"content-length: 10\r\n\r\n{", POST, b""]

    with ExitStack() as stack:
        peers = [stack.enter_context(closing(connected(port))) for _ in begun]
        for peer, piece in zip(peers, begun, strict=True):
            peer.sendall(piece)
        answers = [rest(peer)[:12] for peer in peers]

    assert answers == [b"HTTP/1.1 408", b"", b""]
    assert posted == []
    assert sorted(REFUSED) == [*["a connection that asks for nothing"] * 2, "it arrives too slowly"]


def test_what_is_posted_to_no_order_is_not_kept(serving: tuple[str, int, Posted]) -> None:
    """Whoever is to say so gets no body to judge it by, however large that is."""
    url, _, posted = serving
    posted.clear()

    for size in (2, 50_000):
        assert httpx.post(f"{url}/b", content=b"x" * size, trust_env=False).status_code == 202

    assert [(path, message.body) for path, message in posted] == [("b", b"")] * 2


def test_a_body_without_end_is_cut_off(serving: tuple[str, int, Posted]) -> None:
    """Ten megabytes are read in pieces and dropped: none of it is kept."""
    _, port, posted = serving
    posted.clear()

    answered(port, POST, b"content-length: 10485760\r\n\r\n", *[b"x" * 65536] * 160)

    assert (posted, REFUSED) == ([], ["it is too large"])
    assert answered(port, POST, b"content-length: 2\r\n\r\n{}").endswith(b"taken\n")


def test_what_is_dropped_takes_no_memory() -> None:
    """A body that is too large takes no more memory than one that is not."""
    posted: list[int] = []
    pieces = [True] * 63 + [False]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(2**18), "more_body": pieces.pop(0)}

    async def send(event: Mapping[str, Any]) -> None:
        posted.append(event.get("status", 0))

    async def never(path: str, message: Message) -> Answer:
        raise AssertionError((path, message))

    site = server(Desk(known, never, REFUSED.append), "", Bounds(body=2**20)).config.app
    assert callable(site)
    tracemalloc.start()
    asyncio.run(site({"method": "POST", "raw_path": b"/a", "headers": []}, receive, send))  # type: ignore[call-arg, arg-type] # as uvicorn calls it
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert posted == [413, 0]
    assert peak < 4 * 2**20


def test_many_connections_are_let_go() -> None:
    """Those that ask for nothing end by themselves, and then the next message is taken."""
    with receiving() as (_, port, posted), ExitStack() as stack:
        peers = [stack.enter_context(closing(connected(port))) for _ in range(40)]

        assert b"".join(map(rest, peers)) == b""

        assert answered(port, POST, b"content-length: 2\r\n\r\n{}").endswith(b"taken\n")
        assert len(posted) == 1
        assert set(REFUSED) == {"a connection that asks for nothing", "one connection too many"}
