"""The client against the simulator: real sockets, every dialect, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from flux2build.model import Order
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import InDoubt, Reference, Refusal, Refused, Remote, Ticket
from flux2build.purchasing.http import Arrived, Client, ClientDeps, Ended, Key, Limits, Overdue
from flux2build.simulator import Rule, Scenario, running

SECRET: Final = "canary-0123456789abcdef"
REMOTES: Final = {name: member for name, member in PROVIDERS.items() if isinstance(member, Remote)}
ORDERS: Final = [
    pytest.param(remote, model, id=f"{name}:{model}")
    for name, remote in REMOTES.items()
    for model in remote.cards
]
EDITORS: Final = [
    pytest.param(remote, model, id=f"{name}:{model}")
    for name, remote in REMOTES.items()
    for model, card in remote.cards.items()
    if card.references
]
"""Models that take references."""
LIMITS: Final = Limits(
    answer=40, reply=40, connect=2, picture_bytes=2**20, picture_rate=1, attempts=2, deadline=60
)


class FastClock:
    """A clock that runs twenty times as fast as the world."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() * 20

    async def sleep(self, seconds: float) -> None:
        """Wait a twentieth of what is asked for."""
        await asyncio.sleep(seconds / 20)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A simulator that renders at once, and refuses whatever a schema does not know."""
    with running(Scenario(latency=0, strict=True)) as base:
        yield base


def _order(remote: Remote, model: str, prompt: str = "a fox") -> Order:
    card = remote.cards[model]
    params: dict[str, Any] = dict(card.defaults)
    if "width" in card.params:
        sizes = {"aspect_ratio", "resolution"}
        params = {name: value for name, value in params.items() if name not in sizes}
        params |= {"width": 512, "height": 256}
    return Order(model, prompt, params, ())


def _picture(size: tuple[int, int] = (300, 280)) -> Reference:
    file = BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, "PNG")
    return Reference("desk.png", file.getvalue(), "image/png")


async def _buy(client: Client, order: Order, *references: Reference) -> Ended | InDoubt:
    async with client.turn() as turn:
        sent = await client.prepare(references)
        if isinstance(sent, Refused):
            return sent
        await turn.pend()
        async with client.window() as unreachable:
            answer = unreachable or await client.submit(order, sent)
        return await client.collect(answer, turn=turn) if isinstance(answer, Ticket) else answer


def _run(base: str, remote: Remote, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with Client(remote, Key(SECRET), base, LIMITS, ClientDeps(FastClock())) as client:
            return await work(client)

    return asyncio.run(inside())


def _charges(base: str) -> list[Any]:
    charges: list[Any] = httpx.get(f"{base}/_sim/charges", trust_env=False).json()["charges"]
    return charges


@pytest.mark.parametrize(("remote", "model"), ORDERS)
def test_every_model_is_bought(server: str, remote: Remote, model: str) -> None:
    """Each model of each provider takes an order with its defaults, and delivers a picture."""
    order = _order(remote, model)

    ended = _run(server, remote, lambda client: _buy(client, order))

    assert isinstance(ended, Arrived)
    image = Image.open(BytesIO(ended.data))
    if "width" in order.params:
        assert image.size == (512, 256)
        assert image.format == "PNG"


@pytest.mark.parametrize(("remote", "model"), EDITORS)
def test_references_are_taken_by_every_model(server: str, remote: Remote, model: str) -> None:
    """Small and large references arrive, however the dialect carries them."""
    references = (_picture(), _picture((600, 600)))

    ended = _run(server, remote, lambda client: _buy(client, _order(remote, model), *references))

    assert isinstance(ended, Arrived)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_only_the_settings_name_a_proxy(
    server: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The environment is read by the settings, which know the user's exceptions; no library does."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert _run(server, REMOTES["bfl"], lambda client: client.connect()) is None


Outcome = Callable[[Rule, Remote], tuple[Any, list[Any], list[Any]]]


@pytest.fixture(scope="module")
def troubled() -> Iterator[str]:
    """A simulator in which things are made to go wrong."""
    with running(Scenario(latency=0.02)) as base:
        yield base


@pytest.fixture
def outcome(troubled: str) -> Outcome:
    """How an order ends under a rule, what was charged, and every request that was made."""

    def found(rule: Rule, remote: Remote) -> tuple[Any, list[Any], list[Any]]:
        with httpx.Client(base_url=troubled, trust_env=False) as control:
            control.post("/_sim/reset").raise_for_status()
            rules = [rule.model_dump()]
            control.post("/_sim/scenario", json={"rules": rules}).raise_for_status()
            order = _order(remote, remote.default_model)
            ended = _run(troubled, remote, lambda client: _buy(client, order))
            requests = control.get("/_sim/requests").json()["requests"]
        return ended, _charges(troubled), requests

    return found


def _rule(stage: str, fault: str, **more: Any) -> Rule:
    return Rule.model_validate({"stage": stage, "fault": fault, **more})


REMOTE: Final = pytest.mark.parametrize("remote", REMOTES.values(), ids=REMOTES)


@REMOTE
@pytest.mark.parametrize(
    ("rule", "charged"),
    [
        (_rule("submit", "drop-before-read"), 0),
        (_rule("submit", "drop-after-read"), 1),
        (_rule("submit", "drop-mid-headers"), 1),
        (_rule("submit", "short-body"), 1),
        (_rule("submit", "garbage"), 0),
        (_rule("submit", "http", code=500), 0),
        (_rule("submit", "http", code=503, charged=True), 1),
        (_rule("submit", "http", code=200, body="html"), 0),
        (_rule("submit", "redirect", to="http://127.0.0.1:9/"), 0),
        (_rule("submit", "drop-after-read", reset=True), 1),
        (_rule("submit", "hang", seconds=2.5), 1),
    ],
    ids=lambda value: f"{value.fault}{value.code}" if isinstance(value, Rule) else str(value),
)
def test_uncertain_submission_is_posted_once(
    outcome: Outcome, remote: Remote, rule: Rule, charged: int
) -> None:
    """Whether it was charged or not, an order whose answer proves nothing is not sent again."""
    ended, charges, requests = outcome(rule, remote)

    assert isinstance(ended, InDoubt)
    assert len(charges) == charged
    assert len([request for request in requests if request["method"] == "POST"]) <= 1


@REMOTE
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, Refusal.INVALID),
        (401, Refusal.CREDENTIALS),
        (402, Refusal.CREDITS),
        (403, Refusal.CREDENTIALS),
        (404, Refusal.INVALID),
        (422, Refusal.INVALID),
    ],
)
def test_refused_submission_costs_nothing(
    outcome: Outcome, remote: Remote, code: int, expected: Refusal
) -> None:
    """An answer on the closed list is a refusal, at every dialect."""
    ended, charges, _ = outcome(_rule("submit", "http", code=code), remote)

    assert isinstance(ended, Refused)
    assert ended.refusal is expected
    assert charges == []


@REMOTE
@pytest.mark.parametrize(
    "rule",
    [
        _rule("submit", "http", code=429, retry_after="0", times="once"),
        _rule("submit", "ready-at-once"),
        _rule("submit", "missing-id"),
        _rule("submit", "polling-elsewhere", to="http://10.0.0.1/v1/get_result?id=1"),
        _rule("poll", "http", code=502, body="html", times=2),
        _rule("poll", "drop-mid-headers", times=2),
        _rule("poll", "garbage", times="once"),
        _rule("poll", "missing-sample", times="once"),
        _rule("poll", "status", status="Something New", times="once"),
        _rule("poll", "expired-url", times="once"),
        _rule("download", "truncated", times="once"),
        _rule("download", "short-body", times="once"),
        _rule("download", "no-end", times="once"),
        _rule("download", "http", code=503, times="once"),
        _rule("download", "expired-url", times="once"),
        _rule("download", "drop-mid-headers", times="once"),
    ],
    ids=lambda rule: f"{rule.stage}-{rule.fault}",
)
def test_passing_trouble_delivers_all_the_same(
    outcome: Outcome, remote: Remote, rule: Rule
) -> None:
    """What goes wrong for a while costs one charge and ends in the picture."""
    ended, charges, _ = outcome(rule, remote)

    assert isinstance(ended, Arrived)
    Image.open(BytesIO(ended.data)).load()
    assert len(charges) == 1


@REMOTE
@pytest.mark.parametrize(
    "rule",
    [
        _rule("poll", "sample-elsewhere", to="http://169.254.169.254/latest/meta-data"),
        _rule("poll", "sample-elsewhere", to="file:///etc/passwd"),
        _rule("download", "redirect", to="http://10.0.0.1/"),
        _rule("download", "oversized", size=2**21),
        _rule("download", "gzip-bomb", size=2**24),
        _rule("download", "truncated"),
        _rule("download", "http", code=403),
    ],
    ids=lambda rule: f"{rule.stage}-{rule.fault}",
)
def test_lasting_trouble_keeps_the_order(outcome: Outcome, remote: Remote, rule: Rule) -> None:
    """A picture that cannot be had is left with its ticket; one charge, nothing bought again."""
    ended, charges, requests = outcome(rule, remote)

    assert isinstance(ended, Overdue)
    assert len(charges) == 1
    assert len([request for request in requests if request["method"] == "POST"]) == 1


@REMOTE
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        # Replicate tells of both in one word.
        ("a forbidden fox", {Refusal.REQUEST_MODERATED, Refusal.CONTENT_MODERATED}),
        ("an explicit fox", {Refusal.CONTENT_MODERATED}),
    ],
)
def test_moderation_is_a_refusal(
    server: str, remote: Remote, prompt: str, expected: set[Refusal]
) -> None:
    """A blocked prompt or picture ends the order, and is told apart from a failure."""
    order = _order(remote, remote.default_model, prompt)

    ended = _run(server, remote, lambda client: _buy(client, order))

    assert isinstance(ended, Refused)
    assert ended.refusal in expected


def test_settled_cost_is_told() -> None:
    """The last poll's cost is what BFL charged, in dollars."""
    with running(Scenario(latency=0)) as base:
        ended = _run(
            base, REMOTES["bfl"], lambda client: _buy(client, _order(client.provider, "flux-2-pro"))
        )

        assert isinstance(ended, Arrived)
        assert ended.ready.cost == Decimal("0.03")


def test_limit_of_the_server_is_respected() -> None:
    """More orders than the server takes at once all arrive, each charged once."""
    remote = REMOTES["bfl"]
    orders = [_order(remote, "flux-2-klein-4b", f"fox {n}") for n in range(12)]

    async def all_of_them(client: Client) -> list[Any]:
        return await asyncio.gather(*(_buy(client, order) for order in orders))

    with running(Scenario(latency=0.1, limit=3, retry_after="0", fast=True)) as base:
        ended = _run(base, remote, all_of_them)

        assert all(isinstance(one, Arrived) for one in ended)
        assert len(_charges(base)) == len(orders)


def test_waiting_order_is_resumed_by_its_ticket() -> None:
    """Another client, as after a crash, collects by the ticket alone; nothing is bought again."""
    remote = REMOTES["bfl"]
    order = _order(remote, "flux-2-pro")
    with running(Scenario(latency=0.2, strict_polling=True)) as base:
        ticket = _run(base, remote, lambda client: client.submit(order))
        ended = _run(base, remote, lambda client: client.collect(ticket))

        assert isinstance(ended, Arrived)
        assert len(_charges(base)) == 1


def test_key_is_carried_to_the_api_only(outcome: Outcome) -> None:
    """Orders and questions carry the key; connecting and fetching the picture never do."""
    rule = _rule("download", "http", code=503, times="once")
    for remote in REMOTES.values():
        _, _, requests = outcome(rule, remote)

        assert {request["stage"] for request in requests if request["key"]} == {"submit", "poll"}
        assert {r["stage"] for r in requests if not r["key"]} == {"other", "download"}


def test_no_field_is_unknown(server: str) -> None:
    """Nothing that was sent in this file is unknown to a published schema."""
    state = httpx.get(f"{server}/_sim/state", trust_env=False).json()

    assert state["unknown_fields"] == []
