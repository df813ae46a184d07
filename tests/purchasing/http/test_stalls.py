"""No wait without a bound: whatever stalls, at whatever stage, a client comes to an end."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import pytest
from msgspec.structs import replace

from flux2build.model import Order
from flux2build.providers import bfl, replicate
from flux2build.providers.contract import InDoubt, Ready, Reference, Refusal, Refused, Ticket
from flux2build.providers.predictions import INLINE
from flux2build.purchasing.http import Client, ClientDeps, Key, Limits, Overdue
from tests import stalls
from tests.proxies import SOCKS_FAULTS, socks

ORDER: Final = Order("flux-2-pro", "a fox", {"width": 64, "height": 64}, ())
LIMITS: Final = Limits(
    connect=0.3, answer=0.3, reply=0.3, deadline=0.5, picture_seconds=0.3, attempts=5, wait=0.01
)
LONGEST: Final = 8.0
"""Most seconds to the end; what has no bound takes minutes, or for ever."""


async def _bought(client: Client, *references: Reference) -> Any:
    sent = await client.prepare(references)
    if isinstance(sent, Refused):
        return sent
    async with client.window() as unreachable:
        answer = unreachable or await client.submit(ORDER, sent)
    return await client.collect(answer) if isinstance(answer, Ticket) else answer


def _end(client: Client, *references: Reference) -> Any:
    async def inside() -> Any:
        async with client:
            return await _bought(client, *references)

    started = time.monotonic()
    ended = asyncio.run(inside())
    assert time.monotonic() - started < LONGEST
    return ended


@pytest.mark.parametrize("stall", stalls.PROXIES)
def test_what_fails_inside_a_proxy_is_not_sent(stall: str) -> None:
    """A proxy that drops CONNECT, or answers it and fails TLS, carried no byte of an order."""
    with stalls.stalling("proxy", stall) as proxy:
        deps = ClientDeps(proxy=lambda _: proxy.url)
        ended = _end(Client(bfl.PROVIDER, Key("k" * 20), limits=LIMITS, deps=deps))

        assert isinstance(ended, Refused)
        assert ended.refusal is Refusal.UNREACHABLE
        assert "through the proxy" in ended.message
        assert 1 <= len(proxy.asked) <= LIMITS.attempts


@pytest.mark.parametrize("fault", SOCKS_FAULTS)
def test_what_fails_at_a_socks_proxy_is_not_sent(fault: str) -> None:
    """Whatever a SOCKS proxy says or does not say, it ends in time, and no byte of an order left."""
    with socks(fault=fault) as (url, _):
        deps = ClientDeps(proxy=lambda _: url)
        ended = _end(Client(bfl.PROVIDER, Key("k" * 20), limits=LIMITS, deps=deps))

    assert isinstance(ended, Refused)
    assert ended.refusal is Refusal.UNREACHABLE
    words = {
        "another login": "the proxy refuses the login",
        "refusing": "the proxy says Connection refused",
        "silent": "it does not answer in time, through the proxy",
        "silent when asked to connect": "it does not answer in time, through the proxy",
    }
    assert words.get(fault, "the proxy does not speak SOCKS5") in ended.message


@pytest.mark.parametrize(
    ("stage", "stall", "kind"),
    [
        ("submit", "unread", InDoubt),
        *(("submit", stall, InDoubt) for stall in ("silent", "headers", "body")),
        *(("poll", stall, Overdue) for stall in ("silent", "headers", "body")),
        *(("download", stall, Overdue) for stall in ("silent", "headers", "body")),
    ],
)
def test_what_stalls_is_given_up(stage: str, stall: str, kind: type) -> None:
    """Silence and dribbled bytes end within the limits, at each stage; one order is sent."""
    big = Reference("big.png", b"x" * 8_000_000, "image/png")
    with stalls.stalling(stage, stall) as server:
        # What is large takes a while to be encoded on a busy machine.
        client = Client(bfl.PROVIDER, Key("k" * 20), server.url, replace(LIMITS, connect=3))
        ended = _end(client, *[big] * (stall == "unread"))

        assert isinstance(ended, kind)
        assert sum(line.startswith("POST") for line in server.asked) == 1


@pytest.mark.parametrize("stall", stalls.STALLS)
def test_an_upload_that_stalls_is_given_up(stall: str) -> None:
    """An upload costs nothing, so it is tried again; where it never succeeds, nothing is ordered."""
    big = Reference("big.png", b"x" * (INLINE + 8_000_000), "image/png")
    with stalls.stalling("upload", stall) as server:
        limits = Limits(connect=0.3, answer=0.3, reply=0.3, attempts=2, wait=0.01)
        ended = _end(Client(replicate.PROVIDER, Key("k" * 20), server.url, limits), big)

        assert isinstance(ended, Refused)
        assert ended.refusal is Refusal.UNREACHABLE


@pytest.mark.parametrize("stall", ["silent", "headers"])
def test_a_server_that_stalls_before_the_order_is_still_sent_it(stall: str) -> None:
    """What is asked for ahead only warms the connection: the order itself is answered."""
    with stalls.stalling("touch", stall) as server:
        limits = Limits(connect=0.3, attempts=2, wait=0.01)
        ended = _end(Client(bfl.PROVIDER, Key("k" * 20), server.url, limits))

        assert not isinstance(ended, Refused | InDoubt | Overdue)


def test_a_name_server_that_is_silent_is_given_up() -> None:
    """Looking a name up is bounded as well: the picture's host counts as one without an address."""

    async def silent(host: str) -> list[str]:
        await asyncio.sleep(600)
        return [host]

    ticket = Ticket(stalls.TASK, "", ready=Ready("https://named.example/a.png"))
    with stalls.stalling("", "") as server:
        limits, deps = replace(LIMITS, attempts=1), ClientDeps(resolve=silent)
        client = Client(bfl.PROVIDER, Key("k" * 20), server.url, limits, deps)
        started = time.monotonic()
        ended = asyncio.run(_collected(client, ticket))

        assert ended == Overdue("the picture's host has no address")
        assert time.monotonic() - started < LONGEST


async def _collected(client: Client, ticket: Ticket) -> Any:
    async with client:
        return await client.collect(ticket)


@pytest.mark.parametrize("stage", ["proxy", "touch", "upload"])
def test_a_halt_cuts_what_costs_nothing(stage: str) -> None:
    """While nothing is ordered, a halted client stops at once, however long its limits are."""
    big = Reference("big.png", b"x" * (INLINE + 1), "image/png")
    stall = "mute-tls" if stage == "proxy" else "silent"
    with stalls.stalling(stage, stall) as server:
        halt = asyncio.Event()
        endpoint = None if stage == "proxy" else server.url
        deps = ClientDeps(proxy=lambda _: server.url if stage == "proxy" else None, halt=halt)
        client = Client(replicate.PROVIDER, Key("k" * 20), endpoint, deps=deps)

        async def inside() -> Any:
            async with client:
                buying = asyncio.ensure_future(_bought(client, *[big] * (stage == "upload")))
                await asyncio.to_thread(server.reached.wait)
                halt.set()
                return await buying

        started = time.monotonic()
        ended = asyncio.run(inside())
        assert isinstance(ended, Refused)
        assert time.monotonic() - started < LONGEST
        assert not [line for line in server.asked if "predictions" in line]
