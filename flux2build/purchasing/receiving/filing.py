"""Files the pictures of orders that a provider called back for.

A message is a hint, and its content is never kept: the provider is asked with the user's own key,
and the ledger says which orders are still to be collected. An order that lost its ticket in a crash
gets it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from flux2build.errors import Flux2BuildError, SystemFault, UsageError
from flux2build.ledger import Attempt, Delivered, Intended, State, Ticketed, fold
from flux2build.model import Bought
from flux2build.providers.contract import Ticket
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.http import Client
from flux2build.purchasing.receiving.hearing import Answer, Heard
from flux2build.purchasing.safekeeping import Safekeeping
from flux2build.purchasing.settling import check_unclaimed
from flux2build.purchasing.unasked import UnaskedOrders
from flux2build.purchasing.webhooks import Called

_MOST: Final = 256
"""Most orders that are collected or wait for it; a provider calls again for others."""
_PAUSE: Final = 0.5
"""Seconds between two looks at an order that another process holds."""
_LAST_WORD: Final = 4.0
"""Seconds to finish collections at the end."""

_FILED: Final = Answer(HTTPStatus.OK, "its picture is filed")
_SETTLED: Final = Answer(HTTPStatus.OK, "nothing is left to do")
_LATER: Final = Answer(HTTPStatus.ACCEPTED, "it is not here yet: a later build collects it")
_UNDER_WAY: Final = Answer(HTTPStatus.ACCEPTED, "it is being collected")
_UNSHARED: Final = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "it is filed and not shared: call again")
_BUSY: Final = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "too much is under way: call again")


class Account(Struct, frozen=True):
    """The user's account at a provider."""

    client: Client
    fingerprint: str


Work = Callable[[Account], Awaitable[Answer]]
"""A task for an order, with its account."""

Share = Callable[[Delivered, Called | None], None]
"""Shares a picture and its order with the team's store; it blocks."""


@dataclass(slots=True)
class Filing:
    """Collects orders into ledger and store, each order once at a time."""

    accounts: Mapping[str, Account]
    """By the provider's name."""
    keeping: Safekeeping
    say: Callable[[str], None]
    share: Share
    patience: float
    """Seconds for which the answer to a message waits for its picture."""
    _under_way: dict[str, asyncio.Task[Answer]] = field(default_factory=dict, init=False)
    """The running collections, by attempt."""

    async def hear(self, heard: Heard) -> Answer:
        """File the order of a message; success tells the provider not to call again."""
        intended = heard.called.intended
        filing = self._under_way.get(intended.attempt)
        if filing is None and len(self._under_way) >= _MOST:
            return _BUSY
        filing = filing or self._begin(intended, partial(self._collected, heard))
        await asyncio.wait([filing], timeout=self.patience)
        return filing.result() if filing.done() else _UNDER_WAY

    def sweep(self) -> None:
        """Start to collect the ledger's pending orders, whose callbacks may have been missed."""
        for intended, _ in self.keeping.journal.ledger().pending.values():
            if intended.provider in self.accounts:
                self._begin(intended, partial(self._swept, intended))

    async def finish(self) -> None:
        """Finish running collections; a later build collects the ones that take longer."""
        if under_way := list(self._under_way.values()):
            _, unfinished = await asyncio.wait(under_way, timeout=_LAST_WORD)
            for filing in unfinished:
                filing.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _begin(self, intended: Intended, work: Work) -> asyncio.Task[Answer]:
        filing = asyncio.ensure_future(self._filed(intended, work))
        self._under_way[intended.attempt] = filing
        filing.add_done_callback(lambda _: self._under_way.pop(intended.attempt, None))
        return filing

    async def _filed(self, intended: Intended, work: Work) -> Answer:
        """The answer of a task for an order, even after an error."""
        account = self.accounts.get(intended.provider)
        if account is None:
            text = f"`{intended.provider}` cannot be asked here"
            self.say(f"not filed: {text}, as its key is not set")
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, text)
        try:
            return await work(account)
        except SystemFault as fault:
            self.say(f"not filed: {fault}")
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "it cannot be kept now: call again")
        except UsageError as foreign:
            self.say(f"not filed: {foreign}")
            return Answer(HTTPStatus.CONFLICT, "this is not its task")
        except Flux2BuildError as settled:
            self.say(f"not filed: {settled}")
            attempt = self._attempt(intended)
            return _LATER if attempt and attempt.state is State.PENDING else _SETTLED

    async def _swept(self, intended: Intended, account: Account) -> Answer:
        """Collect an order that is pending, unless another process has it."""
        if await self._collect(intended, account) is None:
            return _SETTLED
        return await self._shared(intended)

    async def _collected(self, heard: Heard, account: Account) -> Answer:
        """Collect the order of a message, even if another process holds it for long."""
        while (pending := await asyncio.to_thread(self._pending, heard, account)) is not None:
            if not isinstance(pending, Intended) or await self._collect(pending, account) is None:
                await asyncio.sleep(_PAUSE)
        return await self._shared(heard.called.intended, heard.called)

    async def _shared(self, intended: Intended, called: Called | None = None) -> Answer:
        """Share a delivery with the team, made here or by another process."""
        attempt = self._attempt(intended)
        if attempt is None or attempt.delivered is None:
            return _SETTLED
        try:
            await asyncio.to_thread(self.share, attempt.delivered, called)
        except SystemFault as fault:
            self.say(f"warning: {fault}; the picture is filed here, and not shared with the team")
            return _UNSHARED
        return _FILED

    async def _collect(self, pending: Intended, account: Account) -> Bought | None:
        books = Bookkeeping(self.keeping, BudgetGuard(), pending.project, self.say)
        orders = UnaskedOrders(Collector(account.client, books), account.fingerprint)
        async with account.client.turn() as turn:
            bought = await orders.collect(pending, turn)
        if bought is not None:
            self.say(f"filed {pending.asset}  {bought.digest}  task={bought.receipt.task}")
        return bought

    def _pending(self, heard: Heard, account: Account) -> Intended | bool | None:
        """The attempt to collect; True while another process holds it, else None.

        Raises:
            UsageError: the task is not that of the attempt.
        """
        intention, client = heard.called.intended, account.client
        ticket = client.fit(client.provider.claim(heard.task, client.endpoint))
        with self.keeping.journal.claims.free(intention.order) as free:
            attempt = self._attempt(intention)
            if attempt is None or attempt.intended is None:
                _require_own(intention, account)
            if attempt is not None and attempt.ticketed and attempt.ticketed.task != ticket.task:
                raise UsageError(f"`{ticket.task}` is not the task of order `{_name(intention)}`")
            state = attempt.state if attempt else State.DOUBT
            if state not in {State.DOUBT, State.PENDING}:
                return None
            if not free:
                return True
            intended = attempt.intended if attempt else None
            if state is State.DOUBT:
                self._note(intended, intention, ticket)
            return intended or intention

    def _attempt(self, intended: Intended) -> Attempt | None:
        """An attempt in this machine's ledger."""
        attempts = fold(self.keeping.journal.about(intended.order)).attempts
        return next((each for each in attempts if each.name == intended.attempt), None)

    def _note(self, intended: Intended | None, intention: Intended, ticket: Ticket) -> None:
        """Note the ticket that the ledger lacks, and the attempt if another machine made it."""
        journal = self.keeping.journal
        entry = Ticketed(
            order=intention.order,
            attempt=intention.attempt,
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            task=ticket.task,
            poll=ticket.poll,
        )
        check_unclaimed(journal.read(), entry)
        if intended is None:
            journal.append(intention)
        journal.append(entry)
        asset = (intended or intention).asset
        self.say(f"submitted {asset} task={ticket.task}, as its callback tells")


def _require_own(intended: Intended, account: Account) -> None:
    """Make sure that another machine's order belongs to the account of this machine's key.

    Raises:
        UsageError: it is another account's.
    """
    if intended.account != account.fingerprint:
        variable = account.client.provider.key_variable
        raise UsageError(f"order `{_name(intended)}` was placed with another `{variable}`")


def _name(intended: Intended) -> str:
    return intended.attempt[:8]
