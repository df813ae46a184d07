"""The client of one provider: connects, orders once, polls until the picture is ready, fetches it.

The steps of one order, with what the ledger notes in between:

    async with client.turn() as turn:
        sent = await client.prepare(references)
        await turn.pend()
        async with client.window() as unreachable:
            …intended…
            answer = await client.submit(order, sent)
            …ticketed, or voided…
        picture = await client.collect(answer, report, turn)
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, Final, Self, TypeVar

import httpx
from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.errors import HaltedError
from flux2build.model import Order
from flux2build.providers.contract import (
    Call,
    Callback,
    CallsBack,
    HasBalance,
    InDoubt,
    Reference,
    Refusal,
    Refused,
    Remote,
    Ticket,
    Waiting,
)
from flux2build.purchasing.http.address_policy import ProxyFor, Resolve, directly, resolved
from flux2build.purchasing.http.auth import Auth, checked_endpoint
from flux2build.purchasing.http.clock import (
    LONGEST,
    Clock,
    Limits,
    Monotonic,
    Patience,
    backoff,
    sleep_until,
)
from flux2build.purchasing.http.download import Downloads
from flux2build.purchasing.http.polling import Ended, Polling, PollingDeps
from flux2build.purchasing.http.pool import Pool, PoolConfig
from flux2build.purchasing.http.sending import ExchangeError, Sending
from flux2build.purchasing.http.turns import Turn, Turns
from flux2build.purchasing.http.usual_time import UsualTime
from flux2build.purchasing.redaction import Key

_T = TypeVar("_T")

Sent = Reference | str
"""A reference as it travels: inside the order, or as the URL it was uploaded to."""

_WARM: Final = 2.0
"""Seconds for which a connection that was just used is trusted to be open."""

_ASKING: Final = 8
"""Most inquiries at once; each is answered in a moment."""

_FETCHING: Final = 12
"""Most pictures fetched at once: enough to use any bandwidth."""


class ClientDeps(Struct, frozen=True):
    """What a client depends on: the network, the clock and randomness; tests pass their own."""

    clock: Clock = field(default_factory=Monotonic)
    jitter: Callable[[], float] = random.random
    resolve: Resolve = resolved
    transport: httpx.AsyncBaseTransport | None = None
    proxy: ProxyFor = directly
    """The proxy of each URL; that of a picture may differ from the endpoint's."""
    certificates: ssl.SSLContext | None = None
    """The authorities to trust, instead of the usual ones."""
    say: Callable[[str], None] = lambda _: None
    """Tells a person what is waited for."""
    halt: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, nothing is retried and no order is sent; what is under way is still answered."""


class Client:
    """Drives one remote provider; the key goes to its hosts only, and every call is bounded."""

    def __init__(
        self,
        provider: Remote,
        key: Key | None,
        endpoint: str | None = None,
        limits: Limits | None = None,
        deps: ClientDeps | None = None,
    ) -> None:
        self.provider = provider
        self._limits = limits = limits or Limits()
        self._deps = deps = deps or ClientDeps()
        pending = limits.in_flight or provider.in_flight
        self._turns = Turns(pending)
        self._windows = asyncio.Semaphore(limits.posts)
        endpoint = checked_endpoint(endpoint or provider.endpoint, provider)
        self._resolve = _bounded(deps.resolve, limits.connect)
        resolve = _resolved_by_the_proxy if deps.proxy(endpoint) else self._resolve
        self._auth = Auth(provider, endpoint, key, limits, resolve)
        self._orders = self._pool(limits.posts, limits.answer)
        # httpx searches a whole pool for each request, so small pools are fast.
        self._inquiries = self._pool(min(pending, _ASKING), limits.reply)
        self._pictures = self._pool(min(pending, _FETCHING), limits.reply)
        self._placed: dict[str, tuple[float, UsualTime]] = {}
        """When each order was sent, and how long its model takes."""
        self._unfit: dict[str, Ticket] = {}
        """Tickets whose task holds the key, by what the ledger and people may know of it."""
        self._usual: defaultdict[str, UsualTime] = defaultdict(UsualTime)
        """By model."""
        self._quiet_until = self._warm_until = deps.clock.now()
        self._patience = Patience(deps.clock, deps.say)
        self.halt = deps.halt
        for name in ("httpx", "httpcore"):
            # Their INFO records hold signed URLs in full.
            logging.getLogger(name).setLevel(logging.WARNING)

    def _pool(self, connections: int, read: float) -> Pool:
        deps = self._deps
        config = PoolConfig(
            connections=connections,
            connect=self._limits.connect,
            read=read,
            proxy=deps.proxy,
            transport=deps.transport,
            certificates=deps.certificates,
        )
        return Pool(config, deps.clock)

    @property
    def endpoint(self) -> str:
        """The base URL of the API."""
        return self._auth.endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in (self._orders, self._inquiries, self._pictures):
            await pool.close()

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """The turn of an order, from its preparation until its picture is kept."""
        return self._turns.turn()

    @asynccontextmanager
    async def window(self) -> AsyncIterator[Refused | None]:
        """A place between ledger and answer; yields None once connected, else the error."""
        async with self._windows:
            yield await self.connect()

    async def connect(self) -> Refused | None:
        """Open a connection ahead, so that an order is sent as soon as it is in the ledger."""
        attempt = 0
        while self._deps.clock.now() >= self._warm_until:
            attempt += 1
            refused = await self._touch()
            if refused is None or refused.refusal not in _TRANSIENT or self._was_last(attempt):
                return refused
            await self._wait(refused, attempt)
        return None

    async def _touch(self) -> Refused | None:
        try:
            await self._unless_halted(self._orders.touch(self.endpoint))
        except HaltedError:
            return _INTERRUPTED
        except ExchangeError as error:
            # If something answers, even badly, the order itself will show the problem.
            return None if error.sent else self._unreachable(error)
        self._warm_until = self._deps.clock.now() + _WARM
        self._patience.over()
        return None

    def _unreachable(self, error: ExchangeError) -> Refused:
        kind = Refusal.UNTRUSTED if error.untrusted else Refusal.UNREACHABLE
        return Refused(kind, f"no connection to `{self.provider.name}`: {error}")

    async def balance(self) -> Decimal | Refused | None:
        """The balance in USD, or the reason why it is unknown; None without such an API."""
        if not isinstance(self.provider, HasBalance):
            return None
        call = self.provider.account(self.endpoint)
        try:
            answer = self.provider.balance(await self._auth.call(self._inquiries, call))
        except ExchangeError as error:
            answer = self._unreachable(error)
        return self._auth.redacted_answer(answer) if isinstance(answer, Refused) else answer

    async def prepare(self, references: Sequence[Sent]) -> tuple[Sent, ...] | Refused:
        """The references as they will be sent; uploads some of them ahead, which is free.

        A refusal is returned instead when one cannot be uploaded.
        """
        prepared: list[Sent] = []
        for reference in references:
            ready = await self._uploaded(reference)
            if isinstance(ready, Refused):
                return self._auth.redacted_answer(ready)
            prepared.append(ready)
        return tuple(prepared)

    async def _uploaded(self, reference: Sent) -> Sent | Refused:
        if isinstance(reference, str):
            return reference
        call = self.provider.upload(reference, self.endpoint)
        if call is None:
            return reference
        answer: Sent | Refused = Refused(Refusal.UNREACHABLE, "not tried")
        for attempt in range(1, self._limits.attempts + 1):
            answer = await self._upload(call)
            if isinstance(answer, str) or answer.refusal not in _TRANSIENT:
                return answer
            await self._wait(answer, attempt)
        return answer

    async def _upload(self, call: Call) -> str | Refused:
        work = self._auth.call(self._inquiries, call, patience=self._limits.answer)
        try:
            reply = await self._unless_halted(work)
        except HaltedError:
            return _INTERRUPTED
        except ExchangeError as error:
            return self._unreachable(error)
        if reply.status >= 500:
            return Refused(Refusal.UNREACHABLE, f"the upload answers HTTP {reply.status}")
        return self.provider.uploaded(reply)

    async def submit(
        self, order: Order, references: Sequence[Sent] = (), callback: Callback | None = None
    ) -> Ticket | Refused | InDoubt:
        """Place an order: one POST, sent again only on proof that it was not accepted.

        A provider that calls back gets the URL; polling continues nevertheless.
        """
        sent = await self.prepare(references)
        if isinstance(sent, Refused):
            return sent
        call = self.provider.submission(order, sent, self.endpoint)
        if callback is not None and isinstance(self.provider, CallsBack):
            call = self.provider.calling_back(order, call, callback)
        started, attempt = self._deps.clock.now(), 0
        while True:
            await self._wait_for_quiet()
            if self.halt.is_set():
                return _INTERRUPTED
            placed = self._deps.clock.now()
            answer, attempt = await self._post(call), attempt + 1
            if not isinstance(answer, Refused) or not self._may_pass(answer, attempt, started):
                if isinstance(answer, Ticket):
                    self._patience.over()
                    self._placed[answer.task] = placed, self._usual[order.model]
                    return self.fit(answer)
                return self._auth.redacted_answer(answer)
            await self._wait(answer, attempt, started + self._limits.deadline)

    async def _post(self, call: Call) -> Ticket | Refused | InDoubt:
        sending = Sending()
        work = self._auth.call(
            self._orders, call, patience=self._limits.answer, sending=sending, pictured=True
        )
        try:
            reply = await self._unless_halted(work, sending)
        except HaltedError:
            return _INTERRUPTED
        except ExchangeError as error:
            if error.sent:
                return InDoubt(f"after the order was sent, {error}")
            return self._unreachable(error)
        self._warm_until = self._deps.clock.now() + _WARM
        return self.provider.ticket(reply, self.endpoint)

    def _may_pass(self, refused: Refused, attempt: int, started: float) -> bool:
        """Whether a refused order is sent again, as the next attempt may be accepted."""
        if refused.refusal is Refusal.UNREACHABLE:
            return not self._was_last(attempt)
        waited = self._deps.clock.now() - started
        patient = waited < self._limits.deadline and not self.halt.is_set()
        return refused.refusal is Refusal.RATE_LIMITED and patient

    def _was_last(self, attempt: int) -> bool:
        """Whether an attempt that failed was the last one."""
        return attempt >= self._limits.attempts or self.halt.is_set()

    async def _wait(self, refused: Refused, attempt: int, until: float | None = None) -> None:
        """Wait as the server asks, else longer each time; no order is sent to a busy server.

        It does not wait beyond the moment at which it gives up.
        """
        now, requested = self._deps.clock.now(), refused.retry_after
        own = backoff(attempt, self._deps.jitter(), self._limits.wait)
        delay = own if requested is None else min(requested, LONGEST)
        if until is not None:
            delay = min(delay, max(0.0, until - now))
        if refused.refusal is Refusal.RATE_LIMITED:
            self._quiet_until = max(self._quiet_until, now + delay)
        busy = refused.refusal is Refusal.RATE_LIMITED
        reason = f"`{self.provider.name}` is busy" if busy else self._auth.redacted(refused.message)
        self._patience.tell(reason, now + delay, until)
        await sleep_until(self.halt, self._deps.clock, delay)

    async def _wait_for_quiet(self) -> None:
        """Wait for as long as the server has asked all orders to wait."""
        while (rest := self._quiet_until - self._deps.clock.now()) > 0 and not self.halt.is_set():
            await sleep_until(self.halt, self._deps.clock, rest)

    async def _unless_halted(
        self, work: Coroutine[Any, Any, _T], sending: Sending | None = None
    ) -> _T:
        """The outcome of work that is free until `sending` has begun.

        Raises:
            HaltedError: the build was halted before that, and the work was given up.
        """
        task, halted = asyncio.ensure_future(work), asyncio.ensure_future(self.halt.wait())
        try:
            await asyncio.wait([task, halted], return_when=asyncio.FIRST_COMPLETED)
            if task.done() or (sending and sending.began):
                return await task
            raise HaltedError
        finally:
            for each in (task, halted):
                each.cancel()
            await asyncio.gather(task, halted, return_exceptions=True)

    def fit(self, ticket: Ticket) -> Ticket:
        """A ticket that is safe for the ledger and people; `collect` still uses its real task."""
        if self._auth.holds_key(ticket.poll):
            ticket = replace(ticket, poll=self.provider.claim(ticket.task, self.endpoint).poll)
        if not self._auth.holds_key(ticket.task):
            return ticket
        masked = self._auth.masked(ticket.task)
        self._unfit[masked] = ticket
        return replace(ticket, task=masked, poll=self.provider.claim(masked, self.endpoint).poll)

    async def denied(self, ticket: Ticket) -> Refused | None:
        """The provider's denial of an order, another refusal if it cannot be asked, or None."""
        return await Polling(self._polling_deps(), ticket, lambda _: None, UsualTime()).denied()

    def _polling_deps(self) -> PollingDeps:
        deps = self._deps
        downloads = Downloads(self._pictures, deps.clock, self._limits, self._resolve, deps.proxy)
        return PollingDeps(
            self._auth, self._inquiries, downloads, deps.clock, deps.jitter, self._patience
        )

    async def collect(
        self,
        ticket: Ticket,
        report: Callable[[Waiting], None] = lambda _: None,
        turn: Turn | None = None,
    ) -> Ended:
        """Collect the picture of a pending order, waiting for it until the deadline.

        `report` gets every state in which the server still works on it. The `turn` of the order
        moves on with it.
        """
        if turn is not None:
            await turn.pend()
        ticket = self._unfit.get(ticket.task, ticket)
        placed, usual = self._placed.pop(ticket.task, (None, UsualTime()))
        return await Polling(self._polling_deps(), ticket, report, usual, placed, turn).run()


_INTERRUPTED: Final = Refused(Refusal.UNREACHABLE, "interrupted before it was sent")

_TRANSIENT: Final = frozenset({Refusal.UNREACHABLE, Refusal.RATE_LIMITED})


def _bounded(resolve: Resolve, seconds: float) -> Resolve:
    """A lookup that returns no address if it takes too long."""

    async def bounded(host: str) -> Sequence[str]:
        async with asyncio.timeout(seconds):
            return await resolve(host)

    return bounded


async def _resolved_by_the_proxy(host: str) -> Sequence[str]:
    """Return no address: behind a proxy, this machine may be unable to resolve names, and slow."""
    raise OSError(host)
