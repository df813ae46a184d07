"""What is hinted at is collected once, from the provider, into the ledger that is here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
import pytest
from msgspec.structs import replace

from flux2build.ledger import Delivered, Intended, State, charges
from flux2build.purchasing.receiving.filing import Account, Filing, Share
from flux2build.purchasing.receiving.hearing import Answer, Heard
from flux2build.purchasing.webhooks import Called, Webhooks
from tests.paid_provider import Buyer, FakeProvider, order, recipe

HOOKS: Final = Webhooks("https://hooks.example.com", "s" * 32)
FOX: Final = order(recipe("fox"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "home"


def ordered(home: Path, fate: str = "forgotten", **more: str) -> Buyer:
    """A user whose build ended after it had ordered, at a provider that has the picture by now."""
    provider = FakeProvider({"fox": fate, **more})
    Buyer(home, provider, webhooks=HOOKS).buy("fox")
    provider.fates = {}
    return Buyer(home, provider)


def hint(buyer: Buyer, task: str = "task-1") -> Heard:
    """What the provider's message about the newest attempt says."""
    intended = buyer.ledger.attempts[-1].intended
    assert intended is not None
    return told(intended, task)


def told(intended: Intended, task: str = "task-1") -> Heard:
    """A message that was heard, as its URL tells of the order."""
    called = HOOKS.called(HOOKS.callback(FOX, intended).url.removeprefix(f"{HOOKS.url}/"))
    assert called is not None
    return Heard(called, task)


Use = Callable[[Filing], Awaitable[list[Answer]]]


def filed(
    buyer: Buyer, *hints: Heard, use: Use | None = None, share: Share | None = None
) -> list[Answer]:
    """What the messages were answered, which all came at once."""

    def say(delivered: Delivered, called: Called | None) -> None:
        assert called is None or called.intended.order == delivered.order
        buyer.said.append(f"shared {delivered.output}")

    async def run() -> list[Answer]:
        async with buyer.client() as client:
            accounts = {"bfl": Account(client, buyer.account)}
            filing = Filing(accounts, buyer.keeping(), buyer.said.append, share or say, 10)
            if use is not None:
                return await use(filing)
            return list(await asyncio.gather(*map(filing.hear, hints)))

    return asyncio.run(run())


def states(buyer: Buyer) -> list[State]:
    """How far each attempt came."""
    return [attempt.state for attempt in buyer.ledger.attempts]


def test_a_pending_order_is_filed(home: Path) -> None:
    """Its picture is in store and ledger, under the name that the ledger has for it."""
    buyer = ordered(home)

    (answer,) = filed(buyer, hint(buyer))

    (delivered,) = buyer.ledger.delivered.values()
    assert answer.status == HTTPStatus.OK
    assert buyer.store.has(delivered.output)
    assert (delivered.asset, delivered.project) == ("fox", "/project")
    assert buyer.said[0] == f"filed fox  {delivered.output}  task=task-1"
    assert buyer.said[1] == f"shared {delivered.output}"
    assert len(list(charges(buyer.ledger))) == 1


def test_an_order_in_doubt_gets_its_ticket_back(home: Path) -> None:
    """The answer to the order was lost; what the provider posts names the task that was paid for."""
    buyer = ordered(home, "lost")
    buyer.provider._tasks["task-1"] = "fox"
    assert states(buyer) == [State.DOUBT]

    filed(buyer, hint(buyer))

    assert states(buyer) == [State.DELIVERED]
    assert buyer.provider.posts == ["fox"]


def test_an_order_of_another_machine_is_filed(home: Path) -> None:
    """Where the ledger knows nothing of it, what its URL says of it is entered there."""
    gone = ordered(home)
    here = Buyer(home.with_name("here"), gone.provider)

    (answer,) = filed(here, hint(gone))

    (attempt,), (known,) = here.ledger.attempts, gone.ledger.attempts
    assert answer.status == HTTPStatus.OK
    assert attempt.state is State.DELIVERED
    assert known.intended is not None
    assert attempt.intended == replace(known.intended, asset="unknown", project="")
    assert here.buy("fox") != []
    assert here.provider.posts == ["fox"], "a later build adopts it"


def test_an_order_of_another_account_is_not(home: Path) -> None:
    """It could not be asked for with this key, so this ledger knows nothing of it."""
    gone = ordered(home)
    here = Buyer(home.with_name("here"), gone.provider, account="another")

    (answer,) = filed(here, hint(gone))

    assert answer.status == HTTPStatus.CONFLICT
    assert here.ledger.attempts == ()
    assert "was placed with another `BFL_API_KEY`" in here.said[0]


@pytest.mark.parametrize("fate", ["forgotten", "lost"])
def test_a_foreign_task_changes_nothing(home: Path, fate: str) -> None:
    """A task that the ledger has for another attempt, or not for this one, is not its task."""
    buyer = ordered(home, fate, owl="forgotten")
    buyer.provider.fates = {"owl": "forgotten"}
    buyer.buy("owl")
    (fox, owl) = buyer.ledger.attempts
    assert owl.ticketed is not None
    assert fox.intended is not None
    before = buyer.journal.path.read_bytes()

    (answer,) = filed(buyer, told(fox.intended, owl.ticketed.task))

    assert answer.status == HTTPStatus.CONFLICT
    assert buyer.journal.path.read_bytes() == before


def test_a_message_that_comes_again_changes_nothing(home: Path) -> None:
    """Two at once, and a third one later: one delivery, and every sender hears a success."""
    buyer = ordered(home)
    asked = len(buyer.provider.asked)

    answers = filed(buyer, hint(buyer), hint(buyer))
    after = buyer.journal.path.read_bytes()
    answers += filed(buyer, hint(buyer))

    assert {answer.status for answer in answers} == {HTTPStatus.OK}
    assert buyer.journal.path.read_bytes() == after
    assert len(buyer.provider.asked) == asked + 2, "one inquiry and one picture"


@pytest.mark.parametrize(
    ("fate", "state"),
    [("moderated", State.VOIDED), ("failed", State.VOIDED), ("small", State.KEPT)],
)
def test_the_provider_says_what_became_of_it(home: Path, fate: str, state: State) -> None:
    """A message counts as a hint only: what is asked for with the key is what the ledger says."""
    buyer = ordered(home)
    buyer.provider.fates = {"fox": fate}

    (answer,) = filed(buyer, hint(buyer))

    assert answer.status == HTTPStatus.OK
    assert states(buyer) == [state]
    assert any(line.startswith("not filed: ") for line in buyer.said)


class Elsewhere(FakeProvider):
    """A provider that sends whoever asks for an order to another host."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """A redirect in the place of a state."""
        if request.url.path != "/v1/get_result":
            return super().__call__(request)
        self.asked.append(str(request.url.host))
        return httpx.Response(302, headers={"location": "https://elsewhere.example/x"})


def test_a_redirect_changes_nothing(home: Path) -> None:
    """The key is not shown to another host, and the order waits for a better answer."""
    buyer = ordered(home)
    provider = Elsewhere(_salt="x")
    buyer = Buyer(home, provider)

    (answer,) = filed(buyer, hint(buyer))

    assert answer.status == HTTPStatus.ACCEPTED
    assert set(provider.asked) <= {"api.bfl.ai", "api.eu.bfl.ai", "api.us.bfl.ai"}
    assert states(buyer) == [State.PENDING]


@pytest.mark.parametrize("outcome", [State.VOIDED, State.KEPT])
def test_what_is_settled_is_not_asked_for(home: Path, outcome: State) -> None:
    """A late message about an order that a build or a person has settled is without effect."""
    provider = FakeProvider({"fox": "moderated" if outcome is State.VOIDED else "small"})
    buyer = Buyer(home, provider, webhooks=HOOKS)
    buyer.buy("fox")
    asked, before = len(provider.asked), buyer.journal.path.read_bytes()

    (answer,) = filed(buyer, hint(buyer))

    assert answer == Answer(HTTPStatus.OK, "nothing is left to do")
    assert (len(provider.asked), buyer.journal.path.read_bytes()) == (asked, before)


@pytest.mark.parametrize(("fate", "state"), [("forgotten", State.PENDING), ("lost", State.DOUBT)])
def test_an_order_that_a_build_holds_is_left_to_it(home: Path, fate: str, state: State) -> None:
    """As long as it lives; once it is gone the order is filed all the same."""
    buyer = ordered(home, fate)
    buyer.provider._tasks["task-1"] = "fox"
    claim = buyer.journal.claims.take(FOX.digest)
    assert claim is not None

    async def use(filing: Filing) -> list[Answer]:
        hearing = asyncio.ensure_future(filing.hear(hint(buyer)))
        await asyncio.wait([hearing], timeout=0.2)
        assert not hearing.done()
        assert states(buyer) == [state]
        os.close(claim)
        return [await hearing]

    (answer,) = filed(buyer, use=use)

    assert answer.status == HTTPStatus.OK
    assert states(buyer) == [State.DELIVERED]


def test_what_is_held_too_long_is_answered_and_goes_on(home: Path) -> None:
    """The sender need not call again; what is not finished at the end is left pending."""
    buyer = ordered(home)
    claim = buyer.journal.claims.take(FOX.digest)
    assert claim is not None

    async def use(filing: Filing) -> list[Answer]:
        filing.patience = 0.1
        answer = await filing.hear(hint(buyer))
        os.close(claim)
        await filing.finish()
        return [answer]

    (answer,) = filed(buyer, use=use)

    assert answer.status == HTTPStatus.ACCEPTED
    assert states(buyer) == [State.DELIVERED]


def test_a_disk_that_takes_nothing_is_said(home: Path) -> None:
    """The sender is asked to call again, and the order stays pending."""
    buyer = ordered(home)
    for name in ("store", "spool"):
        folder = home / name if name == "store" else home.with_name(name)
        folder.parent.mkdir(exist_ok=True)
        if folder.is_dir():
            folder.rename(folder.with_name("away"))
        folder.write_bytes(b"")

    (answer,) = filed(buyer, hint(buyer))

    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert states(buyer) == [State.PENDING]


def test_the_start_collects_what_is_pending(home: Path) -> None:
    """Its message may have come while nobody listened."""
    buyer = ordered(home)

    async def use(filing: Filing) -> list[Answer]:
        filing.sweep()
        await filing.finish()
        return []

    filed(buyer, use=use)

    assert states(buyer) == [State.DELIVERED]
    assert [charge.usd for charge in charges(buyer.ledger)] == [Decimal("0.03")]


def test_a_provider_without_a_key_is_not_asked(home: Path) -> None:
    """Its orders stay pending, and its message is to come again."""
    buyer = ordered(home)

    async def use(filing: Filing) -> list[Answer]:
        filing.accounts = {}
        return [await filing.hear(hint(buyer))]

    (answer,) = filed(buyer, use=use)

    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert states(buyer) == [State.PENDING]
