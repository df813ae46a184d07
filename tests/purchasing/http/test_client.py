"""The client: one POST for one order, the key for its provider only, every answer bounded."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from flux2build.errors import SystemFault
from flux2build.model import Order
from flux2build.providers import bfl, replicate
from flux2build.providers.contract import (
    Callback,
    InDoubt,
    Ready,
    Reference,
    Refusal,
    Refused,
    Remote,
    Ticket,
    Waiting,
)
from flux2build.purchasing.http import Arrived, Client, ClientDeps, Ended, Key, Limits, Overdue
from tests.paid_provider import FakeClock

SECRET: Final = "canary-0123456789abcdef"
ORDER: Final = Order("flux-2-pro", "a fox", {"width": 64, "height": 64}, ())
TASK: Final = "task-1"
POLL: Final = f"https://api.eu1.bfl.ai/v1/get_result?id={TASK}"
SAMPLE: Final = "https://delivery.example/a.png?sig=abcdef"
PICTURE: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x01\0\0\0\x007n\xf9$\0\0\0\0IEND\xaeB`\x82"
)
"""A PNG from its header to its end."""
NAMES: Final = {
    "api.bfl.ai": ["93.184.216.1"],
    "delivery.example": ["93.184.216.34"],
    "twice.example": ["93.184.216.35", "93.184.216.36"],
    "gateway.example": ["93.184.216.37"],
    "inside.example": ["10.0.0.5"],
}

Handler = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)


async def _resolve(host: str) -> Sequence[str]:
    if host not in NAMES:
        raise OSError(host)
    return NAMES[host]


@dataclass
class Internet:
    """Answers by script: for each stage a list, whose last entry is repeated."""

    posts: list[Any] = field(default_factory=list)
    polls: list[Any] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)
    heads: list[Any] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer of the stage that a request belongs to."""
        self.seen.append(request)
        script = self._script(request)
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        found: httpx.Response = answer(request)
        return found

    def _script(self, request: httpx.Request) -> list[Any]:
        if request.method == "HEAD":
            return self.heads or [_page(404)]
        if request.method == "POST":
            return self.files if request.url.path == "/v1/files" else self.posts
        api = {"/v1/get_result", f"/v1/predictions/{TASK}"}
        return self.polls if request.url.path in api else self.pictures

    def asked(self, method: str) -> list[httpx.Request]:
        """The requests of one method."""
        return [request for request in self.seen if request.method == method]


def _page(status: int, body: bytes = b"", **headers: str) -> Callable[..., httpx.Response]:
    lengths = {"content-length": str(len(body))} | headers
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(body), headers=lengths)


def _json(body: Any, status: int = 200, **headers: str) -> Callable[..., httpx.Response]:
    return _page(status, json.dumps(body).encode(), **headers)


def _state(status: str, **more: Any) -> Callable[..., httpx.Response]:
    return _json({"id": TASK, "status": status, **more})


def _unframed(body: bytes) -> Callable[..., httpx.Response]:
    """An answer whose body ends with the connection, not at a length that its head gives."""
    return lambda _: httpx.Response(200, stream=httpx.ByteStream(body))


def _chunks(*parts: bytes, **headers: str) -> Callable[..., httpx.Response]:
    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return lambda _: httpx.Response(200, content=body(), headers=headers)


ACCEPTED = _json({"id": TASK, "polling_url": POLL, "cost": 3})
PENDING = _state("Pending")
READY = _state("Ready", result={"sample": SAMPLE, "seed": 7})
DELIVERED = _page(200, PICTURE)


def _client(internet: Handler, time: FakeClock | None = None, **limits: Any) -> Client:
    deps = ClientDeps(time or FakeClock(), lambda: 1.0, _resolve, httpx.MockTransport(internet))
    return Client(bfl.PROVIDER, Key(SECRET), limits=Limits(**limits), deps=deps)


def _run(client: Client, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with client:
            return await work(client)

    return asyncio.run(inside())


def _submit(internet: Handler, time: FakeClock | None = None, **limits: Any) -> Any:
    return _run(_client(internet, time, **limits), lambda client: client.submit(ORDER))


def _collect(internet: Internet, time: FakeClock | None = None, **limits: Any) -> Ended:
    ticket = Ticket(TASK, POLL)
    ended: Ended = _run(_client(internet, time, **limits), lambda client: client.collect(ticket))
    return ended


# Placing an order


def test_order_is_posted_once_with_the_key() -> None:
    """An accepted order is one POST to the endpoint, with the key in its header."""
    internet = Internet(posts=[ACCEPTED])

    ticket = _submit(internet)

    [post] = internet.seen
    assert isinstance(ticket, Ticket)
    assert (ticket.task, ticket.poll) == (TASK, POLL)
    assert post.url == "https://api.bfl.ai/v1/flux-2-pro"
    assert post.headers["x-key"] == SECRET
    assert post.headers["accept"] == "application/json"
    assert post.headers["accept-encoding"] == "identity"
    assert json.loads(post.content)["prompt"] == "a fox"


def test_an_order_that_names_a_callback_is_polled_as_well() -> None:
    """BFL's answer to it has no polling URL: the ticket is where the task's id is asked for."""
    webhook = "https://hooks.example.com/x"
    answer = {"id": TASK, "status": "Pending", "webhook_url": webhook, "cost": 3}
    internet = Internet(posts=[_json(answer)], polls=[READY], pictures=[DELIVERED])
    callback = Callback(webhook, "hush")

    async def bought(client: Client) -> tuple[object, Ended]:
        ticket = await client.submit(ORDER, callback=callback)
        assert isinstance(ticket, Ticket)
        return ticket, await client.collect(ticket)

    ticket, ended = _run(_client(internet), bought)

    sent = json.loads(internet.asked("POST")[0].content)
    assert (sent["webhook_url"], sent["webhook_secret"]) == (webhook, "hush")
    assert ticket == Ticket(TASK, f"https://api.bfl.ai/v1/get_result?id={TASK}", Decimal("0.03"))
    assert isinstance(ended, Arrived)


@pytest.mark.parametrize(
    "error",
    [
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.CloseError("x"),
        httpx.DecodingError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_after_sending_is_doubt(error: Exception) -> None:
    """A connection that breaks after the order was sent proves nothing; it is not sent again."""
    internet = Internet(posts=[error, ACCEPTED])

    assert isinstance(_submit(internet), InDoubt)
    assert len(internet.seen) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.UnsupportedProtocol("x"),
        httpx.LocalProtocolError("x"),
        httpx.ProxyError("407 Proxy Authentication Required"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_before_sending_is_tried_again(error: Exception) -> None:
    """If no byte was sent, the order is sent again, a few times."""
    internet = Internet(posts=[error, error, ACCEPTED])
    never = Internet(posts=[error])

    assert isinstance(_submit(internet), Ticket)
    answer = _submit(never, attempts=3)
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.UNREACHABLE
    assert len(never.seen) == 3


@pytest.mark.parametrize("status", [200, 202, 301, 307, 308, 408, 409, 500, 502, 503, 504])
def test_answers_that_prove_nothing_are_doubt(status: int) -> None:
    """Every answer outside the closed list is in doubt, and no redirect is followed."""
    internet = Internet(posts=[_page(status, b"{}", location="https://evil.example/")])

    assert isinstance(_submit(internet), InDoubt)
    assert [request.url.host for request in internet.seen] == ["api.bfl.ai"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422])
def test_refusals_are_final(status: int) -> None:
    """A proved refusal is not tried again."""
    internet = Internet(posts=[_json({"detail": "no"}, status), ACCEPTED])

    assert isinstance(_submit(internet), Refused)
    assert len(internet.seen) == 1


def test_rate_limit_is_waited_out() -> None:
    """429 proves that nothing was accepted: wait as asked, then the same order again."""
    internet = Internet(posts=[_json({}, 429, **{"retry-after": "7"}), _json({}, 429), ACCEPTED])
    time = FakeClock()

    assert isinstance(_submit(internet, time), Ticket)
    assert time.slept == [7, 1.0]
    assert len({request.content for request in internet.seen}) == 1


def test_rate_limit_ends_at_the_deadline() -> None:
    """A server that is always busy is given up in the end; nothing was bought."""
    internet = Internet(posts=[_json({}, 429, **{"retry-after": "100"})])
    time = FakeClock(100.0)

    answer = _submit(internet, time, deadline=300)

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.RATE_LIMITED
    assert 400 <= time.at < 600


@pytest.mark.parametrize(
    ("asked", "date", "seconds"),
    [
        ("Thu, 26 Nov 2026 10:00:42 GMT", "Thu, 26 Nov 2026 10:00:00 GMT", 42),
        ("Thursday, 26-Nov-26 10:00:42 GMT", "Thu, 26 Nov 2026 10:00:00 GMT", 42),
        ("Thu Nov 26 10:00:42 2026", "Thu, 26 Nov 2026 10:00:00 GMT", 42),
        ("Thu, 26 Nov 2026 11:00:42 +0100", "Thu, 26 Nov 2026 10:00:00 GMT", 42),
        ("Thu, 26 Nov 2026 09:00:00 GMT", "Thu, 26 Nov 2026 10:00:00 GMT", 0),
        ("Thu, 01 Jan 2099 10:00:00 GMT", None, 120),
        ("7.5", None, 7.5),
        ("soon", None, 0.5),
        ("٣", None, 0.5),
    ],
)
def test_a_server_names_a_date(asked: str, date: str | None, seconds: float) -> None:
    """A date counts by the server's own clock, if it tells that; nonsense is not obeyed."""
    headers = {"retry-after": asked} | ({"date": date} if date else {})
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    busy = lambda _: httpx.Response(429, headers=encoded, stream=httpx.ByteStream(b"{}"))  # noqa: E731
    time = FakeClock()

    assert isinstance(_submit(Internet(posts=[busy, ACCEPTED]), time), Ticket)
    assert time.slept == [seconds]


@pytest.mark.parametrize("posts", [True, False], ids=["order", "inquiry"])
def test_a_deadline_before_the_end_of_the_wait_wins(*, posts: bool) -> None:
    """A server that asks for more patience than there is gets that much, and one more try."""
    busy = _json({}, 429, **{"retry-after": "99999"})
    time = FakeClock()
    if posts:
        answer = _submit(Internet(posts=[busy]), time, deadline=8)
        assert isinstance(answer, Refused)
    else:
        assert isinstance(_collect(Internet(polls=[busy]), time, deadline=8), Overdue)

    assert time.at == 8


def _told(internet: Handler, work: Callable[[Client], Awaitable[Any]], **limits: Any) -> list[str]:
    said: list[str] = []
    deps = ClientDeps(
        FakeClock(), lambda: 1.0, _resolve, httpx.MockTransport(internet), say=said.append
    )
    _run(Client(bfl.PROVIDER, Key(SECRET), limits=Limits(**limits), deps=deps), work)
    return said


def test_a_wait_is_told() -> None:
    """What takes more than a moment is told: for what, and until when; one line for all orders."""
    busy = _json({}, 429, **{"retry-after": "30"})

    async def three(client: Client) -> None:
        await asyncio.gather(*(client.submit(ORDER) for _ in range(3)))

    assert _told(Internet(posts=[busy, busy, busy, ACCEPTED]), three) == [
        "`bfl` is busy: tried again in 30 seconds, and given up after 15 minutes"
    ]


def test_a_short_wait_is_not_told() -> None:
    """Five seconds need no explanation; many short waits do."""
    brief, unreached = _json({}, 429, **{"retry-after": "2"}), httpx.ConnectError("x")

    assert _told(Internet(posts=[brief, brief, ACCEPTED]), lambda c: c.submit(ORDER)) == []
    assert _told(Internet(posts=[brief] * 3 + [ACCEPTED]), lambda c: c.submit(ORDER)) == [
        "`bfl` is busy: tried again in 2 seconds, and given up after 15 minutes"
    ]
    assert _told(Internet(heads=[unreached]), lambda c: c.connect()) == [
        "no connection to `bfl`: it cannot be reached: tried again in 4 seconds"
    ]


def test_waiting_for_a_picture_is_told() -> None:
    """A server that does not answer while a picture is waited for is named with the reason."""
    polls = [httpx.ConnectError("x")] * 5 + [READY]
    internet = Internet(polls=polls, pictures=[DELIVERED])

    (line,) = _told(internet, lambda c: c.collect(Ticket(TASK, POLL)))

    assert line.startswith("`bfl` does not answer (it cannot be reached): tried again in 4 seconds")


@pytest.mark.parametrize(
    ("status", "words"), [(429, "is busy"), (500, "answers HTTP 500"), (300, "answers HTTP 300")]
)
def test_a_server_that_answers_badly_is_told(status: int, words: str) -> None:
    """Busy is busy, and everything else is its number; a state is none of them."""
    internet = Internet(polls=[_json({}, status, **{"retry-after": "30"}), READY])
    internet.pictures = [DELIVERED]
    states: list[Waiting] = []

    (line,) = _told(internet, lambda c: c.collect(Ticket(TASK, POLL), states.append))

    assert line == f"`bfl` {words}: tried again in 30 seconds, and given up after 15 minutes"


def test_one_busy_answer_quiets_all_orders() -> None:
    """While one order waits as the server asks, no other one is sent."""
    internet = Internet(posts=[_json({}, 429, **{"retry-after": "50"}), ACCEPTED])
    time = FakeClock()
    moments: list[float] = []

    def timed(request: httpx.Request) -> httpx.Response:
        moments.append(time.at)
        return internet(request)

    async def both(client: Client) -> None:
        first = asyncio.create_task(client.submit(ORDER))
        await time.asleep.wait()
        time.at = 1.0
        await client.submit(ORDER)
        await first

    _run(_client(timed, time), both)

    assert moments[0] == 0
    assert all(moment >= 50 for moment in moments[1:])


def test_endless_answer_is_doubt() -> None:
    """An answer that never ends is cut, and the order is in doubt."""
    internet = Internet(posts=[_chunks(*[b" " * 600_000] * 2)])

    answer = _submit(internet, picture_bytes=2**16)

    assert answer == InDoubt("after the order was sent, the answer is too long")


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (60, Ticket(TASK, POLL)),
        (61, InDoubt("after the order was sent, the answer takes too long")),
    ],
)
def test_an_order_is_answered_in_its_own_time(seconds: float, answer: Ticket | InDoubt) -> None:
    """A gateway may render before it answers: an order has longer than a question."""
    time = FakeClock()

    async def body() -> AsyncIterator[bytes]:
        time.at += seconds
        yield json.dumps({"id": TASK, "polling_url": POLL}).encode()

    internet = Internet(posts=[lambda _: httpx.Response(200, content=body())])
    assert _submit(internet, time, answer=60, reply=30) == answer


@pytest.mark.parametrize(
    ("name", "compress"), [("deflate", zlib.compress), ("gzip", gzip.compress)]
)
def test_compressed_answer_is_read(name: str, compress: Callable[[bytes], bytes]) -> None:
    """Some servers compress unasked: an accepted order must not be in doubt for that."""
    body = compress(json.dumps({"id": TASK, "polling_url": POLL}).encode())
    internet = Internet(posts=[_page(200, body, **{"content-encoding": name})])
    bomb = Internet(posts=[_page(200, compress(b" " * 2**25), **{"content-encoding": name})])

    assert isinstance(_submit(internet), Ticket)
    tracemalloc.start()
    bombed = _submit(bomb, picture_bytes=2**16)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bombed == InDoubt("after the order was sent, the answer is too long")
    assert most < 2**24


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_echoed_key_is_masked(status: int) -> None:
    """A server that repeats the key in its message does not get it printed."""
    internet = Internet(posts=[_json({"detail": f"bad key {SECRET}"}, status)])

    assert SECRET not in repr(_submit(internet))


def test_key_is_not_sent_in_clear() -> None:
    """Plain http is for endpoints on this machine or in a private network only."""
    deps = ClientDeps(
        FakeClock(), lambda: 1.0, _resolve, httpx.MockTransport(Internet(posts=[ACCEPTED]))
    )

    def client(endpoint: str) -> Client:
        return Client(bfl.PROVIDER, Key(SECRET), endpoint, deps=deps)

    with pytest.raises(SystemFault):
        _run(client("http://delivery.example"), lambda client: client.submit(ORDER))
    assert isinstance(
        _run(client("http://inside.example"), lambda client: client.submit(ORDER)), Ticket
    )


@pytest.mark.parametrize(
    "endpoint", ["api.bfl.ai", "ftp://api.bfl.ai", "https://u:p@x.example", "https://x.example?a=1"]
)
def test_endpoint_must_be_a_url(endpoint: str) -> None:
    """A mistyped endpoint is noticed at once, by the name of its variable."""
    with pytest.raises(SystemFault) as error:
        Client(bfl.PROVIDER, None, endpoint)

    assert "FLUX2BUILD_BFL_URL" in str(error.value)


@pytest.mark.parametrize(
    ("host", "proxy"), [("unknown.example", None), ("inside.example", "http://proxy.example:3128")]
)
def test_unknown_endpoint_is_treated_as_public(host: str, proxy: str | None) -> None:
    """If it is not known where the endpoint lies, as behind a proxy, the key is not sent in clear."""
    deps = ClientDeps(
        FakeClock(),
        lambda: 1.0,
        _resolve,
        httpx.MockTransport(Internet(posts=[ACCEPTED])),
        proxy=lambda _: proxy,
    )
    client = Client(bfl.PROVIDER, Key(SECRET), f"http://{host}", deps=deps)

    with pytest.raises(SystemFault):
        _run(client, lambda client: client.submit(ORDER))


def test_no_key_sends_none() -> None:
    """Without a key nothing is attached."""
    internet = Internet(posts=[ACCEPTED])
    deps = ClientDeps(FakeClock(), lambda: 1.0, _resolve, httpx.MockTransport(internet))

    _run(Client(bfl.PROVIDER, None, deps=deps), lambda client: client.submit(ORDER))

    assert "x-key" not in internet.seen[0].headers


def test_answer_that_is_only_said_to_be_compressed_is_doubt() -> None:
    """A body that cannot be read proves nothing."""
    internet = Internet(posts=[_page(200, b"{}", **{"content-encoding": "gzip"})])

    message = "after the order was sent, the answer cannot be decompressed"
    assert _submit(internet) == InDoubt(message)


# Before an order


def test_connection_stands_before_the_order() -> None:
    """Connecting sends neither key nor body, and is not repeated while it is fresh."""
    internet = Internet(posts=[ACCEPTED])

    async def work(client: Client) -> None:
        async with client.window() as unreachable:
            assert unreachable is None
            await client.submit(ORDER)
        async with client.window() as unreachable:
            assert unreachable is None

    _run(_client(internet), work)

    assert [request.method for request in internet.seen] == ["HEAD", "POST"]
    assert "x-key" not in internet.seen[0].headers
    assert internet.seen[0].headers["user-agent"] == "flux2build"


def test_a_connection_is_trusted_for_two_seconds() -> None:
    """After that it may be closed, and is opened again ahead of the order."""
    internet, time = Internet(posts=[ACCEPTED]), FakeClock()

    async def work(client: Client) -> None:
        for moment in (0.0, 1.9, 2.0, 3.9, 4.1):
            time.at = moment
            await client.connect()

    _run(_client(internet, time), work)

    assert len(internet.asked("HEAD")) == 3


def test_a_retry_waits_as_long_as_the_user_says() -> None:
    """The first wait is the user's, each further one twice as long."""
    internet, time = Internet(heads=[httpx.ConnectError("x")]), FakeClock()

    _run(_client(internet, time, wait=0.01, attempts=4), lambda client: client.connect())

    assert time.slept == [0.01, 0.02, 0.04]


def test_no_connection_is_told_before_the_order() -> None:
    """Without a network the ledger is not touched: the window says so."""
    internet = Internet(heads=[httpx.ConnectError("x")])

    refused = _run(_client(internet), lambda client: client.connect())

    assert refused.refusal is Refusal.UNREACHABLE
    assert len(internet.seen) == 5


@pytest.mark.parametrize("heads", [[httpx.ConnectTimeout("x"), _page(405)], [httpx.ReadError("x")]])
def test_rough_connection_is_good_enough(heads: list[Any]) -> None:
    """A connection that comes at the second try, or answers badly, does not stop an order."""
    assert _run(_client(Internet(heads=heads)), lambda client: client.connect()) is None


def test_few_orders_are_in_the_window_at_once() -> None:
    """At most four orders wait for an answer, and as many are pending as allowed."""
    inside: list[int] = []
    pending: list[int] = []
    now = [0, 0]

    async def one(client: Client) -> None:
        async with client.turn() as turn:
            await turn.pend()
            now[1] += 1
            pending.append(now[1])
            async with client.window():
                now[0] += 1
                inside.append(now[0])
                await asyncio.sleep(0)
                now[0] -= 1
            for _ in range(40):
                await asyncio.sleep(0)
            now[1] -= 1

    async def all_of_them(client: Client) -> None:
        await asyncio.gather(*(one(client) for _ in range(30)))

    _run(_client(Internet(), in_flight=9), all_of_them)

    assert max(inside) == 4
    assert max(pending) == 9


# References


def _replicate(internet: Internet, time: FakeClock | None = None, **limits: Any) -> Client:
    remote: Remote = replicate.PROVIDER
    deps = ClientDeps(time or FakeClock(), lambda: 1.0, _resolve, httpx.MockTransport(internet))
    return Client(remote, Key(SECRET), limits=Limits(**limits), deps=deps)


LARGE: Final = Reference("/home/me/desk.png", b"x" * 300_000, "image/png")
BY_REPLICATE: Final = Order("flux-2-pro", "a fox", {}, ())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (LARGE.name, b"desk.png"),
        ("C:\\home\\me\\desk.png", b"desk.png"),
        ("/home/me/", b"reference"),
    ],
)
def test_large_reference_is_uploaded_before_the_order(name: str, told: bytes) -> None:
    """A reference goes up as multipart with the key, without its folder; its URL is ordered."""
    internet = Internet(
        files=[
            _page(503),
            httpx.ConnectError("x"),
            _json({"urls": {"get": "https://f.example/1"}}, 201),
        ],
        posts=[_json({"id": TASK, "status": "starting"}, 201)],
    )

    large = msgspec.structs.replace(LARGE, name=name)
    ticket = _run(_replicate(internet), lambda client: client.submit(BY_REPLICATE, [large]))

    assert isinstance(ticket, Ticket)
    *_, upload, post = internet.seen
    assert upload.url.path == "/v1/files"
    assert upload.headers["authorization"] == f"Bearer {SECRET}"
    assert b'name="content"; filename="%s"' % told in upload.content
    assert b"home" not in upload.content
    assert json.loads(post.content)["input"]["input_images"] == ["https://f.example/1"]


@pytest.mark.parametrize(
    ("files", "expected", "tries"),
    [
        ([_page(503)], Refusal.UNREACHABLE, 5),
        ([_page(500)], Refusal.UNREACHABLE, 5),
        ([httpx.ReadTimeout("x")], Refusal.UNREACHABLE, 5),
        ([_json({"detail": "too large"}, 413)], Refusal.INVALID, 1),
        ([_json({"detail": f"no {SECRET}"}, 401)], Refusal.CREDENTIALS, 1),
    ],
)
def test_failed_upload_buys_nothing(files: list[Any], expected: Refusal, tries: int) -> None:
    """Without its references an order is not placed."""
    internet = Internet(files=files)

    answer = _run(_replicate(internet), lambda client: client.submit(BY_REPLICATE, [LARGE]))

    assert isinstance(answer, Refused)
    assert answer.refusal is expected
    assert SECRET not in answer.message
    assert [request.url.path for request in internet.seen] == ["/v1/files"] * tries


# Collecting an order


def test_picture_is_fetched_without_the_key() -> None:
    """The key goes to the provider's hosts; the picture comes from elsewhere, without it."""
    internet = Internet(polls=[PENDING, READY], pictures=[DELIVERED])

    ended = _collect(internet)

    assert isinstance(ended, Arrived)
    assert ended.data == PICTURE
    assert ended.ready == Ready(SAMPLE, TASK, seed=7)
    *polls, picture = internet.seen
    assert all(request.url == POLL and request.headers["x-key"] == SECRET for request in polls)
    assert SECRET not in repr(picture.headers.raw)
    assert picture.headers["accept-encoding"] == "identity"


def test_connection_is_pinned_to_the_address_that_was_looked_at() -> None:
    """The picture's host is connected to at its checked address, under its own name."""
    internet = Internet(polls=[READY], pictures=[DELIVERED])

    _collect(internet)

    picture = internet.seen[-1]
    assert picture.url.host == "93.184.216.34"
    assert picture.headers["host"] == "delivery.example"
    assert picture.extensions["sni_hostname"] == "delivery.example"


def test_behind_a_proxy_no_name_is_looked_up() -> None:
    """The proxy knows the names, of the endpoint and of the picture's host."""
    internet = Internet(
        polls=[_state("Ready", result={"sample": "https://unknown.example/a.png"})],
        pictures=[DELIVERED],
    )
    deps = ClientDeps(
        FakeClock(),
        lambda: 1.0,
        _resolve,
        httpx.MockTransport(internet),
        proxy=lambda _: "http://proxy.example:3128",
    )
    client = Client(bfl.PROVIDER, Key(SECRET), deps=deps)

    assert isinstance(_run(client, lambda c: c.collect(Ticket(TASK, POLL))), Arrived)
    assert internet.seen[-1].url.host == "unknown.example"


def test_every_address_of_a_host_is_tried() -> None:
    """A host of two addresses is reached when one of them answers."""
    ready = _state("Ready", result={"sample": "https://twice.example/a.png"})
    internet = Internet(polls=[ready], pictures=[httpx.ConnectError("x"), DELIVERED])

    assert isinstance(_collect(internet), Arrived)
    assert [r.url.host for r in internet.seen[1:]] == NAMES["twice.example"]


def test_states_are_told() -> None:
    """Each state is reported as the server words it, without secrets."""
    internet = Internet(
        polls=[_state("Pending", progress=0.5), _state(f"New {SECRET}"), READY],
        pictures=[DELIVERED],
    )
    states: list[Waiting] = []

    _run(_client(internet), lambda client: client.collect(Ticket(TASK, POLL), states.append))

    assert states == [Waiting("Pending", 0.5), Waiting("New ***")]


@pytest.mark.parametrize(("here", "wait"), [(True, 0.5), (False, 0.0)])
def test_a_new_order_is_left_alone_at_first(here: bool, wait: float) -> None:  # noqa: FBT001 - parametrized
    """An order placed just now is not asked for at once; one that an earlier run placed is."""
    time, moments = FakeClock(), list[float]()
    internet = Internet(posts=[ACCEPTED], polls=[READY], pictures=[DELIVERED])

    def timed(request: httpx.Request) -> httpx.Response:
        if str(request.url) == POLL:
            moments.append(time.at)
        return internet(request)

    async def order_and_collect(client: Client) -> None:
        if here:
            await client.submit(ORDER)
        await client.collect(Ticket(TASK, POLL))

    _run(_client(timed, time), order_and_collect)

    assert moments == [wait]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        _page(500),
        _page(502, b"<html>"),
        _json({}, 429, **{"retry-after": "9"}),
        _page(302, location="https://evil.example/"),
        _chunks(*[b" " * 600_000] * 2),
    ],
)
def test_flaps_are_sat_out(trouble: Any) -> None:
    """A network or a server that fails for a while does not lose a paid picture."""
    internet = Internet(polls=[*[trouble] * 6, READY], pictures=[DELIVERED])
    time = FakeClock()

    assert isinstance(_collect(internet, time, picture_bytes=2**16), Arrived)
    assert time.at > 3
    assert {request.url.host for request in internet.seen} <= {"api.eu1.bfl.ai", "93.184.216.34"}


def test_wait_ends_at_the_deadline() -> None:
    """An order that is never ready is left for a later build, with its ticket."""
    internet = Internet(polls=[PENDING])
    time = FakeClock()

    ended = _collect(internet, time)

    assert ended == Overdue("not ready after 15 minutes (last answer: Pending)")
    assert 900 <= time.at < 910
    assert len(internet.seen) < 400


@pytest.mark.parametrize(
    ("denials", "expected"), [(1, Arrived), (2, Arrived), (3, Refused), (9, Refused)]
)
def test_lost_order_is_asked_for_three_times(denials: int, expected: type) -> None:
    """A task that is not found may turn up; the third denial in five-second steps counts."""
    internet = Internet(polls=[*[_state("Task not found")] * denials, READY], pictures=[DELIVERED])
    time = FakeClock()

    ended = _collect(internet, time)

    assert isinstance(ended, expected)
    assert len([request for request in internet.seen if "x-key" in request.headers]) <= 3
    assert set(time.slept) == {5.0}


@pytest.mark.parametrize("knows", ["api.bfl.ai", "api.eu.bfl.ai", "api.us.bfl.ai", ""])
def test_an_order_without_a_polling_url_is_asked_for_in_every_region(knows: str) -> None:
    """BFL names no place to ask where an order names a callback: the one that knows it is found."""
    internet = Internet(pictures=[DELIVERED])

    def answer(request: httpx.Request) -> httpx.Response:
        known = request.url.host == knows
        return (READY if known else _state("Task not found"))(request)

    internet.polls = [answer]
    time = FakeClock()
    ticket = bfl.PROVIDER.claim(TASK, bfl.PROVIDER.endpoint)

    ended = _run(_client(internet, time), lambda client: client.collect(ticket))

    assert isinstance(ended, Arrived if knows else Refused)
    hosts = [each.url.host for each in internet.seen if "x-key" in each.headers]
    regions = ["api.bfl.ai", "api.eu.bfl.ai", "api.us.bfl.ai"]
    assert hosts == (regions[: regions.index(knows) + 1] if knows else regions * 3)
    assert time.slept == ([] if knows else [5.0, 5.0])


@pytest.mark.parametrize(
    ("knows", "elsewhere", "expected"),
    [
        ("api.bfl.ai", "Task not found", None),
        ("api.eu.bfl.ai", "Task not found", None),
        ("api.us.bfl.ai", "Error", None),
        ("", "Task not found", Refusal.LOST),
        ("", 503, Refusal.UNREACHABLE),
        ("", 401, Refusal.UNREACHABLE),
        ("", httpx.ConnectError("no route"), Refusal.UNREACHABLE),
    ],
)
def test_a_task_is_denied_where_no_region_knows_it(
    knows: str, elsewhere: str | int | Exception, expected: Refusal | None
) -> None:
    """One question each, without a wait; a server that fails to answer has denied nothing."""

    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(elsewhere, Exception):
            raise elsewhere
        if request.url.host == knows:
            return READY(request)
        return (_page(elsewhere) if isinstance(elsewhere, int) else _state(elsewhere))(request)

    time = FakeClock()
    ticket = bfl.PROVIDER.claim(TASK, bfl.PROVIDER.endpoint)

    refused = _run(_client(Internet(polls=[answer]), time), lambda client: client.denied(ticket))

    assert (refused and refused.refusal) == expected
    assert time.slept == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Request Moderated", Refusal.REQUEST_MODERATED),
        ("Content Moderated", Refusal.CONTENT_MODERATED),
        ("Error", Refusal.FAILED),
    ],
)
def test_ends_without_a_picture_are_told_apart(status: str, expected: Refusal) -> None:
    """The server's own word ends an order at once."""
    internet = Internet(polls=[_state(status)])

    ended = _collect(internet)

    assert isinstance(ended, Refused)
    assert ended.refusal is expected
    assert len(internet.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_leaves_the_order(status: int) -> None:
    """A key that no longer works does not write off what was paid."""
    internet = Internet(polls=[_json({"detail": "no"}, status)])

    assert _collect(internet) == Overdue("the provider refuses the key", keyless=True)
    assert len(internet.seen) == 3


def test_a_key_that_is_refused_now_and_then_is_good() -> None:
    """Only refusals in a row count."""
    no = _json({"detail": "no"}, 403)
    internet = Internet(polls=[no, no, PENDING, no, no, READY], pictures=[DELIVERED])

    assert isinstance(_collect(internet), Arrived)


@pytest.mark.parametrize(
    "poll",
    [
        "https://api.eu1.bfl.ai/v1/get_result?id=task-1",
        "https://gateway.bfl.ai/v1/get_result?id=task-1",
        "http://api.eu1.bfl.ai/v1/get_result?id=task-1",
    ],
)
def test_the_providers_hosts_are_asked_with_the_key(poll: str) -> None:
    """Any host of the provider's domain is asked as it was named, and over https."""
    internet = Internet(polls=[READY], pictures=[DELIVERED])

    ended = _run(_client(internet), lambda client: client.collect(Ticket(TASK, poll)))

    assert isinstance(ended, Arrived)
    asked = internet.seen[0]
    assert str(asked.url) == poll.replace("http:", "https:")
    assert asked.headers["x-key"] == SECRET


FOREIGN: Final = "https://gateway.example/v1/get_result?id=task-1"
UNFETCHABLE: Final = [
    "http://gateway.example/v1/get_result?id=task-1",
    "https://inside.example/v1/get_result?id=task-1",
    "https://169.254.169.254/v1/get_result",
    "https://nowhere.example/v1/get_result?id=task-1",
    "file:///etc/passwd",
    "https://[x",
]


def test_another_host_is_asked_without_the_key() -> None:
    """A gateway's polling URL may name a host that nobody knows: it never sees the key."""
    internet = Internet(polls=[PENDING, READY], pictures=[DELIVERED])

    ended = _run(_client(internet), lambda client: client.collect(Ticket(TASK, FOREIGN)))

    assert isinstance(ended, Arrived)
    assert {each.url.host for each in internet.seen} == {"93.184.216.37", "93.184.216.34"}
    assert not [each for each in internet.seen if SECRET in str(each.headers)]


@pytest.mark.parametrize("poll", UNFETCHABLE)
def test_where_nobody_may_be_asked_the_endpoint_is(poll: str) -> None:
    """Private addresses and other schemes are never asked: the endpoint may know the task by its id."""
    internet = Internet(polls=[READY], pictures=[DELIVERED])

    ended = _run(_client(internet), lambda client: client.collect(Ticket(TASK, poll)))

    assert isinstance(ended, Arrived)
    assert [each.url.host for each in internet.seen] == ["api.bfl.ai", "93.184.216.34"]


@pytest.mark.parametrize(
    ("answer", "last"),
    [
        (_page(401), "HTTP 401"),
        (_state("Task not found"), "it is denied"),
        (_page(200, b"<html>"), "HTTP 200"),
        (httpx.ConnectError("x"), "no answer: it cannot be reached"),
    ],
)
def test_a_person_is_called_where_nobody_knows_the_order(answer: Any, last: str) -> None:
    """A foreign host and the endpoint are asked a few times; what they deny is not lost for it."""
    internet = Internet(polls=[answer])

    ended = _run(_client(internet), lambda client: client.collect(Ticket(TASK, FOREIGN)))

    assert isinstance(ended, Overdue)
    assert ended.decide
    assert ended.message == (
        "`gateway.example` is not a host of `bfl`, and neither it nor the endpoint "
        f"tells of the order ({last})"
    )
    assert {each.method for each in internet.seen} == {"GET"}
    assert [each.url.host for each in internet.seen] == ["93.184.216.37", "api.bfl.ai"] * 3
    assert all(
        (SECRET in each.headers.values()) == (each.url.host == "api.bfl.ai")
        for each in internet.seen
    )


def test_a_patient_user_asks_seldom() -> None:
    """The first question waits for as long as the user's limit says, and so does every other."""
    time = FakeClock()
    internet = Internet(posts=[ACCEPTED], polls=[PENDING, READY], pictures=[DELIVERED])

    async def bought(client: Client) -> Ended:
        ticket = await client.submit(ORDER)
        assert isinstance(ticket, Ticket)
        return await client.collect(ticket)

    assert isinstance(_run(_client(internet, time, wait=3), bought), Arrived)
    assert time.slept == [3, 3]


def test_failures_make_a_user_wait_who_asks_seldom() -> None:
    """They count in a row: an answer in between begins anew, with the wait that the user set."""
    down, time = _page(503), FakeClock(1000.0)
    polls = [PENDING, down, down, PENDING, down, READY]
    internet = Internet(polls=polls, pictures=[_page(503), DELIVERED])

    assert isinstance(_collect(internet, time, wait=2), Arrived)
    assert time.slept == [2, *(2, 2), *(4, 2), 2, *(2, 2), 2]


def test_an_upload_has_as_long_as_an_order() -> None:
    """A large picture over a slow line takes longer than a question."""
    time = FakeClock()

    async def body() -> AsyncIterator[bytes]:
        time.at += 45
        yield json.dumps({"urls": {"get": "https://f.example/1"}}).encode()

    internet = Internet(
        files=[lambda _: httpx.Response(201, content=body()), _page(500)],
        posts=[_json({"id": TASK, "status": "starting"}, 201)],
    )
    client = _replicate(internet, time, answer=60, reply=30)

    assert isinstance(_run(client, lambda client: client.submit(BY_REPLICATE, [LARGE])), Ticket)


def test_every_eighth_order_is_asked_for_sooner() -> None:
    """Otherwise nobody would notice that the server has become much faster."""
    time = FakeClock()
    client = _client(Internet(posts=[ACCEPTED], polls=[READY], pictures=[DELIVERED]), time)

    async def bought(client: Client) -> list[float]:
        first_waits = []
        for _ in range(9):
            ticket = await client.submit(ORDER)
            assert isinstance(ticket, Ticket)
            time.slept.clear()
            await client.collect(ticket)
            first_waits.append(time.slept[0])
        return first_waits

    first, *waits = _run(client, bought)

    usual = [first * 0.995**number for number in range(1, 9)]
    assert waits == pytest.approx([*usual[:6], 0.9 * usual[6], 0.9 * usual[7]], rel=0.01)


class Still(FakeClock):
    """A clock on which waits of more than half a second never end."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, or never."""
        if seconds > 0.5:
            await asyncio.Event().wait()
        await super().sleep(seconds)


def test_what_one_order_shows_counts_for_those_that_wait() -> None:
    """The first that is found ready ends the wait of all others of its model."""

    def accepted(task: str) -> Callable[..., httpx.Response]:
        return _json({"id": task, "polling_url": f"https://api.bfl.ai/v1/get_result?id={task}"})

    def ready(request: httpx.Request) -> httpx.Response:
        task = request.url.params["id"]
        return _json({"id": task, "status": "Ready", "result": {"sample": SAMPLE}})(request)

    internet = Internet(
        posts=[accepted("first"), accepted("second")], polls=[ready], pictures=[DELIVERED]
    )

    async def both(client: Client) -> list[Ended]:
        tickets = [await client.submit(ORDER) for _ in range(2)]
        async with asyncio.timeout(10):
            return await asyncio.gather(*map(client.collect, tickets))  # type: ignore[arg-type]  # they are accepted

    ended = _run(_client(internet, Still()), both)

    assert [isinstance(each, Arrived) for each in ended] == [True, True]


def test_each_model_has_its_own_pace() -> None:
    """A fast one is not left alone for as long as a slow one takes."""
    time = FakeClock()
    slow = replace(ORDER, model="flux-2-max")
    client = _client(
        Internet(
            posts=[ACCEPTED],
            polls=[lambda request: READY(request) if time.at > 10 else PENDING(request), READY],
            pictures=[DELIVERED],
        ),
        time,
    )

    async def both(client: Client) -> None:
        for order in (slow, ORDER):
            ticket = await client.submit(order)
            assert isinstance(ticket, Ticket)
            time.slept.clear()
            await client.collect(ticket)

    _run(client, both)

    assert time.slept == [0.5]


def test_the_next_order_is_pending_while_a_picture_is_fetched() -> None:
    """A place at the server is free as soon as it says that the order is ready."""
    moments: list[str] = []
    internet = Internet(polls=[READY], pictures=[DELIVERED])

    async def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) == POLL:
            return internet(request)
        moments.append("fetched")
        for _ in range(50):
            await asyncio.sleep(0)
        moments.append("here")
        return internet(request)

    async def one(client: Client) -> None:
        async with client.turn() as turn:
            await turn.pend()
            moments.append("pending")
            await client.collect(Ticket(TASK, POLL), turn=turn)

    async def both(client: Client) -> None:
        await asyncio.gather(one(client), one(client))

    _run(_client(answer, in_flight=1), both)

    assert moments == ["pending", "fetched", "pending", "here", "fetched", "here"]


def test_the_library_ends_no_wait_before_the_limits_do() -> None:
    """Its own times are those of the limits, where it has to know of them at all."""
    internet = Internet(posts=[ACCEPTED])

    _submit(internet, connect=7, answer=90)

    assert internet.seen[-1].extensions["timeout"] == {
        "connect": 7,
        "pool": 90,
        "read": 90,
        "write": 90,
    }


def test_a_busy_server_is_given_up_in_time() -> None:
    """The last wait ends at the deadline, however long it would be."""
    time = FakeClock()

    ended = _submit(Internet(posts=[_page(429)]), time, deadline=8)

    assert isinstance(ended, Refused)
    assert (ended.refusal, time.at) == (Refusal.RATE_LIMITED, 8)


def test_a_server_that_said_nothing_is_not_quoted() -> None:
    """Where a picture is ready and cannot be fetched in time, there is no last answer to tell."""
    internet = Internet(polls=[READY], pictures=[httpx.ConnectError("x")])

    ended = _run(_client(internet, deadline=0.1), lambda client: client.collect(Ticket(TASK, POLL)))

    assert ended == Overdue("not ready after 0.1 seconds")


@pytest.mark.parametrize("began", [True, False])
def test_ctrl_c_cuts_off_no_order_that_was_sent(*, began: bool) -> None:
    """Once a byte may have left, its answer is waited for; before, it is as if it never was."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if began:
            await request.extensions["trace"]("http11.send_request_headers.started", {})
        client.halt.set()
        for _ in range(10 if began else 10**9):
            await asyncio.sleep(0)
        return ACCEPTED(request)

    client = _client(answer)
    ended = _run(client, lambda client: client.submit(ORDER))

    assert isinstance(ended, Ticket if began else Refused)


@pytest.mark.parametrize("stage", ["order", "task", "task at the endpoint"])
def test_a_picture_may_stand_in_the_answer(stage: str) -> None:
    """A picture that comes as base64 is the same as one that is fetched, and may be large."""
    note = b"tEXt" + b" " * 2_000_000
    chunk = (len(note) - 4).to_bytes(4, "big") + note + zlib.crc32(note).to_bytes(4, "big")
    large = PICTURE[:-12] + chunk + PICTURE[-12:]
    text = base64.b64encode(large).decode()
    told = {"id": TASK, "polling_url": POLL, "status": "succeeded", "result": {"images": [text]}}
    answer = _page(200, b"\n" + json.dumps(told).encode())

    def asked(request: httpx.Request) -> httpx.Response:
        knows = stage == "task" or request.url.host == "api.bfl.ai"
        return (answer if knows else _page(401))(request)

    internet = Internet(posts=[answer], polls=[] if stage == "order" else [asked])

    async def bought(client: Client) -> Ended:
        placed = await client.submit(ORDER) if stage == "order" else None
        poll = POLL if stage == "task" else FOREIGN
        return await client.collect(placed if isinstance(placed, Ticket) else Ticket(TASK, poll))

    ended = _run(_client(internet), bought)

    assert isinstance(ended, Arrived)
    assert ended.data == large
    assert ended.ready.url == ""


@pytest.mark.parametrize("stage", ["polls", "pictures"])
def test_a_certificate_ends_the_wait(stage: str) -> None:
    """Asking again cannot help: the user has to say whom to trust, and the ticket stays good."""
    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLCertVerificationError("x")
    internet = Internet(polls=[error if stage == "polls" else READY], pictures=[error])

    ended = _collect(internet)

    assert isinstance(ended, Overdue)
    assert ended.untrusted
    assert "its certificate is not trusted" in ended.message
    assert len(internet.seen) <= 2


@pytest.mark.parametrize("status", ["Ready", "Error", "Content Moderated"])
def test_answer_about_another_order_ends_nothing(status: str) -> None:
    """A picture or a refusal that names another task is shown to a person."""
    other = _json({"id": "task-2", "status": status, "result": {"sample": SAMPLE}})
    internet = Internet(polls=[other], pictures=[DELIVERED])

    ended = _collect(internet)

    assert ended == Overdue("the server answers with another order", decide=True)
    assert len(internet.seen) == 1


# Fetching a picture


def _crawling(time: FakeClock) -> Callable[..., httpx.Response]:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            time.at += 5
            yield b"x"

    return lambda _: httpx.Response(200, content=body())


@pytest.mark.parametrize(
    "trouble",
    [
        _page(403, b"expired"),
        _page(404),
        _page(500),
        httpx.ReadError("x"),
        _page(200, PICTURE[:-4]),
        _chunks(PICTURE, **{"content-length": "999"}),
        _page(200, b""),
    ],
)
def test_failed_download_asks_for_a_fresh_url(trouble: Any) -> None:
    """An expired, broken or cut download is begun again, from a new answer of the server."""
    again = _state("Ready", result={"sample": "https://delivery.example/b.png"})
    internet = Internet(polls=[READY, again], pictures=[trouble, DELIVERED])

    ended = _collect(internet)

    assert isinstance(ended, Arrived)
    assert ended.data == PICTURE
    assert ended.ready.url == "https://delivery.example/b.png"


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (_page(403), Overdue("the picture's URL answers HTTP 403", gone=True)),
        (_page(410), Overdue("the picture's URL answers HTTP 410", gone=True)),
        (_page(500), Overdue("the picture's URL answers HTTP 500")),
        (_unframed(PICTURE[:-4]), Overdue("the download is cut short after 41 bytes")),
        (
            _chunks(PICTURE, **{"content-length": "999"}),
            Overdue("the download is cut short: 45 of 999 bytes"),
        ),
        (httpx.ReadError("x"), Overdue("the download failed: the connection breaks")),
    ],
)
def test_download_that_always_fails_keeps_the_order(trouble: Any, expected: Overdue) -> None:
    """After some attempts the picture is left for a later build; nothing is bought again."""
    internet = Internet(polls=[READY], pictures=[trouble])

    assert _collect(internet) == expected
    assert len(internet.asked("POST")) == 0
    assert len(internet.seen) == 10


@pytest.mark.parametrize("broken", [PICTURE[:-4], PICTURE[:8] + b"\xff" + PICTURE[9:]])
@pytest.mark.parametrize("answer", [lambda body: _page(200, body), _chunks])
def test_a_broken_picture_is_kept_in_the_end(
    broken: bytes, answer: Callable[[bytes], Callable[..., httpx.Response]]
) -> None:
    """A picture that always arrives in full was paid for: it is kept after some attempts."""
    internet = Internet(polls=[READY], pictures=[answer(broken)])

    ended = _collect(internet)

    assert isinstance(ended, Arrived)
    assert ended.data == broken
    assert len(internet.seen) == 10


def test_slow_download_is_given_up() -> None:
    """A download that is too slow is given up."""
    time = FakeClock()
    internet = Internet(polls=[READY], pictures=[_crawling(time), DELIVERED])

    assert isinstance(_collect(internet, time), Arrived)
    assert time.at < 60
    slow = Internet(polls=[READY], pictures=[_crawling(time)])
    assert _collect(slow, time) == Overdue("the download is too slow")


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_a_few_redirects_are_followed(hops: int) -> None:
    """Up to three redirects are followed, and each is checked."""
    step = _page(302, location="https://twice.example/b.png")
    internet = Internet(polls=[READY], pictures=[*[step] * hops, DELIVERED])

    assert isinstance(_collect(internet), Arrived)
    assert all("x-key" not in request.headers for request in internet.seen[1:])


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (
            _page(302, location="https://delivery.example/again"),
            "the picture's URL redirects too often",
        ),
        (
            _page(302, location="https://inside.example/a"),
            "the picture's URL points into a private network, at `inside.example`",
        ),
        (
            _page(302, location="http://delivery.example/a"),
            "the picture's URL is not https, at `delivery.example`",
        ),
        (
            _page(302, location="http://169.254.169.254/latest"),
            "the picture's URL points into a link-local network, at `169.254.169.254`",
        ),
        (_page(302, location="file:///etc/passwd"), "the picture's URL is not a plain https URL"),
        (_page(302, location="https://[x"), "the picture's URL redirects to no URL"),
        (_chunks(*[b"x" * 500] * 3), "the picture is larger than 0 MiB"),
        (_page(200, b"x", **{"content-length": "5000"}), "the picture is larger than 0 MiB"),
        (
            _page(200, zlib.compress(b"x"), **{"content-encoding": "deflate"}),
            "the picture arrives compressed",
        ),
    ],
)
def test_hostile_downloads_are_refused_at_once(picture: Any, message: str) -> None:
    """What breaks a rule is not tried again; the order stays."""
    internet = Internet(polls=[READY], pictures=[picture])

    ended = _collect(internet, picture_bytes=1000)

    assert isinstance(ended, Overdue)
    assert ended.message == message
    assert len(internet.asked("GET")) <= 5


@pytest.mark.parametrize(
    "sample",
    [
        "https://inside.example/a.png",
        "http://delivery.example/a.png",
        "https://127.0.0.1/a.png",
    ],
)
def test_picture_in_a_forbidden_place_is_not_fetched(sample: str) -> None:
    """A finished picture inside a private network or in clear text is not asked for."""
    internet = Internet(polls=[_state("Ready", result={"sample": sample})])

    assert isinstance(_collect(internet), Overdue)
    assert len(internet.seen) == 1


def test_the_bound_of_a_picture() -> None:
    """It is the last length that is taken, and is told in MiB."""
    large = _page(200, b"x", **{"content-length": str(64 * 2**20 + 1)})

    refused = _collect(Internet(polls=[READY], pictures=[large]))
    taken = _collect(Internet(polls=[READY], pictures=[DELIVERED]), picture_bytes=len(PICTURE))

    assert refused == Overdue("the picture is larger than 64 MiB")
    assert isinstance(taken, Arrived)


def test_a_host_without_an_address_is_given_up() -> None:
    """Where it never has one, the order waits for a later build."""
    nowhere = _state("Ready", result={"sample": "https://nowhere.example/a.png"})

    assert _collect(Internet(polls=[nowhere])) == Overdue("the picture's host has no address")


def test_what_may_be_kept_of_a_ticket() -> None:
    """A task or a URL that holds the key is masked, and asked for all the same."""
    client = _client(Internet())
    root = "https://api.bfl.ai/v1/get_result?id"

    assert client.fit(Ticket(TASK, POLL)) == Ticket(TASK, POLL)
    assert client.fit(Ticket(TASK, f"{POLL}&k={SECRET}")) == Ticket(TASK, f"{root}={TASK}")
    masked = client.fit(Ticket(f"t-{SECRET}", POLL))
    assert (masked.task, masked.poll) == ("t-***", f"{root}=t-%2A%2A%2A")


def test_picture_without_an_address_is_asked_for_again() -> None:
    """A host that does not resolve may do so later: the server is asked for a URL again."""
    nowhere = _state("Ready", result={"sample": "https://nowhere.example/a.png"})
    internet = Internet(polls=[nowhere, READY], pictures=[DELIVERED])

    assert isinstance(_collect(internet), Arrived)


def test_ready_at_submission_is_fetched_without_asking() -> None:
    """A ticket that already knows its picture saves the question."""
    internet = Internet(pictures=[DELIVERED])
    ticket = Ticket(TASK, POLL, ready=Ready(SAMPLE, TASK))

    ended = _run(_client(internet), lambda client: client.collect(ticket))

    assert isinstance(ended, Arrived)
    assert len(internet.seen) == 1


# FakeClock and identity


def test_what_is_usual_is_learned() -> None:
    """After the first picture, the next order is left alone until it can be ready."""
    time = FakeClock()
    internet = Internet(
        posts=[ACCEPTED],
        polls=[lambda request: READY(request) if time.at % 100 > 10 else PENDING(request)],
        pictures=[DELIVERED],
    )
    questions: list[int] = []

    async def one(client: Client) -> None:
        before = len(internet.asked("GET"))
        await client.collect(await client.submit(ORDER))  # type: ignore[arg-type]  # it is accepted
        questions.append(len(internet.asked("GET")) - before)

    async def three(client: Client) -> None:
        for n in range(3):
            time.at = n * 100.0
            await one(client)

    _run(_client(internet, time), three)

    first, *later = questions
    assert first > 10
    assert all(count < 6 for count in later)


# What the account has


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_json({"credits": 250}), Decimal("2.5")),
        (httpx.ConnectError("x"), "no connection to `bfl`: it cannot be reached"),
        (_json({"detail": f"bad key {SECRET}"}, 401), "bad key ***"),
    ],
)
def test_what_is_left_is_asked_for(answer: Any, expected: Decimal | str) -> None:
    """The amount, or why it is not known, without the key."""
    internet = Internet(pictures=[answer])

    left = _run(_client(internet), lambda client: client.balance())

    assert (left.message if isinstance(left, Refused) else left) == expected
    assert str(internet.seen[0].url) == "https://api.bfl.ai/v1/credits"
    assert internet.seen[0].headers["x-key"] == SECRET


def test_who_does_not_tell_is_not_asked() -> None:
    """Replicate does not say what is left."""
    internet = Internet()

    assert _run(_replicate(internet), lambda client: client.balance()) is None
    assert internet.seen == []


# The key and the picture


def test_an_address_with_the_key_in_it_is_not_fetched() -> None:
    """A picture's host would see the key: a person decides."""
    internet = Internet(polls=[_state("Ready", result={"sample": f"{SAMPLE}&k={SECRET}"})])

    ended = _collect(internet)

    message = "the picture's URL holds the key, and is not fetched"
    assert ended == Overdue(message, decide=True)


def test_the_prompt_that_was_used_is_kept_without_the_key() -> None:
    """What the server says of the prompt is kept, and the key in it is not."""
    result = {"sample": SAMPLE, "prompt": f"a red fox {SECRET}"}
    internet = Internet(polls=[_state("Ready", result=result)], pictures=[DELIVERED])

    ended = _collect(internet)

    assert isinstance(ended, Arrived)
    assert ended.ready.prompt == "a red fox ***"
    assert ended.ready.url == SAMPLE


def test_an_order_that_is_asked_for_once_is_not_ready_yet() -> None:
    """Without a deadline there is one question, and no time to name."""
    ended = _collect(Internet(polls=[PENDING]), deadline=0)

    assert ended == Overdue("not ready yet (last answer: Pending)")


def test_the_longest_answer_is_read() -> None:
    """A bound is the last length that is allowed, compressed or not."""
    body = json.dumps({"id": TASK, "polling_url": POLL}).encode().ljust(1000)
    most: dict[str, Any] = {"reply_bytes": len(body), "picture_bytes": 0}
    packed = _page(200, zlib.compress(body), **{"content-encoding": "deflate"})

    assert isinstance(_submit(Internet(posts=[_page(200, body)]), **most), Ticket)
    assert isinstance(_submit(Internet(posts=[packed]), **most), Ticket)
    assert isinstance(_submit(Internet(posts=[_page(200, body + b" ")]), **most), InDoubt)


def test_libraries_are_silent() -> None:
    """The records of the libraries below hold signed URLs in full."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.INFO)

    _client(Internet())

    assert {logging.getLogger(name).level for name in ("httpx", "httpcore")} == {logging.WARNING}
