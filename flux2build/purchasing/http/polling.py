"""Collects one pending order: asks until it is ready, and fetches the picture at once.

The ticket stays valid in any case: only the server itself ends an order, everything else leaves it
to a later build.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from flux2build.images.formats.lookup import sniff
from flux2build.providers.contract import (
    Call,
    Ready,
    Refusal,
    Refused,
    Regional,
    Reply,
    Ticket,
    Waiting,
)
from flux2build.purchasing.http.auth import Auth
from flux2build.purchasing.http.clock import LONGEST, Clock, Patience, backoff, sleep_until, span
from flux2build.purchasing.http.download import Downloads, FetchError, embedded, whole
from flux2build.purchasing.http.pool import Pool
from flux2build.purchasing.http.sending import ExchangeError
from flux2build.purchasing.http.turns import Turn
from flux2build.purchasing.http.usual_time import Expected, UsualTime, until_next

_DENIALS: Final = 3
"""How often a server must deny an order that it had accepted."""

_KEY_REFUSALS: Final = 3
"""How often in a row a server may refuse the key before polling stops."""

_NO_PICTURE: Final = frozenset({"", "html"})
"""The formats of mistaken answers at a picture's URL; a retry may help."""

_PAUSES: Final = 10
"""Waits, in units of `Limits.wait`, between inquiries to a server that denies an order."""


class Arrived(Struct, frozen=True):
    """A picture's bytes as they arrived, and the server's facts about it."""

    data: bytes
    ready: Ready


class Overdue(Struct, frozen=True):
    """Not here yet; the ticket is still valid, and a later build may collect it.

    `decide` if a person has to look, because the server's answer points elsewhere; `keyless` if
    another key is needed to ask; `gone` if the picture is no longer at its address, although the
    server says that it is ready; `untrusted` if a certificate prevents inquiries or downloads.
    """

    message: str
    decide: bool = False
    keyless: bool = False
    gone: bool = False
    untrusted: bool = False


Ended = Arrived | Refused | Overdue
State = Waiting | Ready | Refused | Overdue


class PollingDeps(Struct, frozen=True):
    """What polling depends on."""

    auth: Auth
    pool: Pool
    downloads: Downloads
    clock: Clock
    jitter: Callable[[], float]
    patience: Patience


@dataclass(slots=True)
class Polling:
    """The polling of one order."""

    deps: PollingDeps
    ticket: Ticket
    report: Callable[[Waiting], None]
    usual: UsualTime
    """The usual time of orders of its model."""
    placed: float | None = None
    """The time when this process sent it, if it did."""
    turn: Turn | None = None
    """Its turn, which moves on once the server is done; None if nothing waits for it."""
    _expected: Expected = field(default_factory=Expected, init=False)
    """The expected time, if this process placed it."""
    _until: float = field(default=0, init=False)
    """The time when it is given up."""
    _was_ready: bool = field(default=False, init=False)
    """Whether it was ready."""
    _inquiries: int = field(default=0, init=False)
    """How many inquiries found it unfinished."""
    _last: str = field(default="", init=False)
    """The server's last state, or the reason why it did not answer."""
    _elsewhere: int = field(default=0, init=False)
    """How often nobody knew the order, after the server had named a foreign host."""
    _failures: int = field(default=0, init=False)
    _key_refusals: int = field(default=0, init=False)
    _denials: int = field(default=0, init=False)
    _downloads: int = field(default=0, init=False)

    _regional: tuple[Ticket, ...] = field(default=(), init=False)
    """The tickets under which the provider's regions may know the order."""

    async def run(self) -> Ended:
        """Collect the picture, or return the reason why there is none."""
        self._regional, self._expected = self._regional_tickets(), self.usual.next()
        clock, limits = self.deps.clock, self.deps.auth.limits
        started = clock.now()
        self._until = started + limits.deadline
        state: State = self.ticket.ready or await self._first(started)
        while (ended := await self._settled(state, started)) is None:
            if clock.now() >= self._until:
                waited = f"after {span(limits.deadline)}" if limits.deadline else "yet"
                last = f" (last answer: {self._last})" if self._last else ""
                return Overdue(f"not ready {waited}{last}")
            state = await self._ask()
        return ended

    async def denied(self) -> Refused | None:
        """The provider's denial, if none of its regions knows the order.

        None if it may know it; another refusal if it cannot be asked.
        """
        auth, denial = self.deps.auth, None
        for ticket in (self.ticket, *self._regional_tickets()):
            call = auth.provider.inquiry(ticket, auth.endpoint)
            try:
                reply = await auth.call(
                    self.deps.pool, replace(call, url=auth.secured(call.url)), pictured=True
                )
            except ExchangeError as error:
                return Refused(Refusal.UNREACHABLE, f"no answer: {error}")
            state = auth.provider.status(reply)
            if isinstance(state, Waiting) and reply.status >= 300:
                return Refused(Refusal.UNREACHABLE, f"it answers HTTP {reply.status}")
            if not isinstance(state, Refused) or state.refusal is not Refusal.LOST:
                return None
            denial = auth.redacted_answer(state)
        return denial

    async def _first(self, started: float) -> State:
        """The first inquiry: at once for an old order, after a wait for a new one."""
        if self.placed is not None:
            await self._wait(started)
        return await self._ask()

    async def _ask(self) -> State:
        auth = self.deps.auth
        tickets = (self.ticket, *self._regional)
        ticket = tickets[self._denials % len(tickets)]
        call = auth.provider.inquiry(ticket, auth.endpoint)
        call = replace(call, url=auth.secured(call.url))
        if not auth.may_have_key(call.url):
            return await self._ask_elsewhere(call)
        try:
            reply = await auth.call(self.deps.pool, call, pictured=True)
        except ExchangeError as error:
            if error.untrusted:
                return Overdue(f"no answer: {error}", untrusted=True)
            await self._after_failure(f"does not answer ({error})", None)
            return Waiting(f"no answer: {error}")
        return await self._read(reply)

    def _regional_tickets(self) -> tuple[Ticket, ...]:
        """The tickets of all regions, if the provider did not say which one works on the order.

        It does not say so for an order with a callback.
        """
        provider, endpoint = self.deps.auth.provider, self.deps.auth.endpoint
        unsaid = self.ticket.poll == provider.claim(self.ticket.task, endpoint).poll
        if not isinstance(provider, Regional) or not unsaid or endpoint != provider.endpoint:
            return ()
        return tuple(provider.claim(self.ticket.task, url) for url in provider.regions.values())

    async def _ask_elsewhere(self, call: Call) -> State:
        """Ask a host that is not the provider's without the key, then the endpoint by the task's id.

        Neither certainly knows the order, so neither can deny it.
        """
        auth = self.deps.auth
        own = Call("GET", auth.provider.claim(self.ticket.task, auth.endpoint).poll)
        for keyless in (True, False):
            try:
                reply = await (
                    self._keyless(call.url)
                    if keyless
                    else auth.call(self.deps.pool, own, pictured=True)
                )
            except (FetchError, ExchangeError) as error:
                self._last = f"no answer: {error}"
                continue
            state = auth.provider.status(reply)
            denied = isinstance(state, Refused) and state.refusal is Refusal.LOST
            page = not reply.body.lstrip().startswith(b"{")
            if reply.status < 300 and not denied and not page:
                return await self._read(reply)
            self._last = "it is denied" if denied else f"HTTP {reply.status}"
        self._elsewhere += 1
        if self._elsewhere >= _DENIALS:
            host = urlsplit(call.url).hostname or "no host"
            return Overdue(
                f"`{host}` is not a host of `{auth.provider.name}`, and neither it nor the endpoint "
                f"tells of the order ({self._last})",
                decide=True,
            )
        await self._after_failure(f"does not know of an order yet ({self._last})", None)
        return Waiting(self._last)

    async def _keyless(self, url: str) -> Reply:
        """The answer of a host that must not see the key, within the bounds of a download."""
        body = await self.deps.downloads.fetch(url, await self.deps.auth.scope())
        return Reply(200, {}, body)

    async def _read(self, reply: Reply) -> State:
        state = self.deps.auth.provider.status(reply)
        failed = isinstance(state, Waiting) and reply.status >= 300
        self._key_refusals = self._key_refusals + 1 if failed and reply.status in {401, 403} else 0
        if self._key_refusals >= _KEY_REFUSALS:
            return Overdue("the provider refuses the key", keyless=True)
        if failed:
            busy = reply.status == HTTPStatus.TOO_MANY_REQUESTS
            words = "is busy" if busy else f"answers HTTP {reply.status}"
            await self._after_failure(words, reply.retry_after)
        else:
            self._failures = 0
            self.deps.patience.over()
        # A refusal, too, may belong to another order.
        if isinstance(state, Ready | Refused) and state.task not in (None, self.ticket.task):
            return Overdue("the server answers with another order", decide=True)
        return state

    async def _after_failure(self, what: str, wait: float | None) -> None:
        """Wait longer each time that a server or the network fails in a row."""
        self._failures += 1
        delay = min(wait, LONGEST) if wait else self._backoff(self._failures)
        again = min(self.deps.clock.now() + delay, self._until)
        self.deps.patience.tell(f"`{self.deps.auth.provider.name}` {what}", again, self._until)
        await self._sleep(delay)

    async def _settled(self, state: State, started: float) -> Ended | None:
        """The end of the order; None if it is pending, after the wait before the next inquiry."""
        match state:
            case Overdue():
                return state
            case Ready():
                return await self._fetch(state)
            case Refused(refusal=Refusal.LOST):
                self._denials += 1
                rounds, denied = divmod(self._denials, 1 + len(self._regional))
                if rounds >= _DENIALS:
                    return self.deps.auth.redacted_answer(state)
                if not denied:
                    await self._sleep(_PAUSES * self.deps.auth.limits.wait)
            case Refused():
                return self.deps.auth.redacted_answer(state)
            case Waiting():
                redacted = self.deps.auth.redacted_state(state)
                self._last = redacted.status
                self.report(redacted)
                self._inquiries += 1
                await self._wait(started)
        return None

    async def _wait(self, started: float) -> None:
        """Wait before the next inquiry; times learnt from other orders count at once."""
        seconds = self._until_next(started)
        if self.placed is None or self._expected.usual is not None:
            await self._sleep(seconds)
            return
        await self._sleep(seconds, self.usual.learnt)
        self._expected = self.usual.known()
        if self._expected.usual is not None:
            self._inquiries = 0
            await self._sleep(self.placed + self._expected.usual - self.deps.clock.now())

    def _until_next(self, started: float) -> float:
        """Seconds until the next inquiry; orders of unknown age do not use the usual time."""
        now, least = self.deps.clock.now(), self.deps.auth.limits.wait
        if self.placed is None:
            return until_next(now - started, Expected(), self._inquiries, least)
        return until_next(now - self.placed, self._expected, self._inquiries, least)

    def _backoff(self, attempt: int) -> float:
        return backoff(attempt, self.deps.jitter(), self.deps.auth.limits.wait)

    async def _fetch(self, ready: Ready) -> Arrived | Overdue | None:
        """Fetch the picture; None after a failure, so that the server is asked for a new URL."""
        auth = self.deps.auth
        within = ready.url.startswith("data:")
        if not within and auth.holds_key(ready.url):
            return Overdue("the picture's URL holds the key, and is not fetched", decide=True)
        if not self._was_ready and self.placed is not None:
            self._was_ready = True
            took = self.deps.clock.now() - self.placed
            self.usual.learn(took, at_first=not self._inquiries)
        if self.turn is not None:
            await self.turn.arrive()
        try:
            data = await self._picture(ready.url)
        except FetchError as error:
            if error.final or not self._may_download_again():
                text = auth.redacted(str(error))
                return Overdue(text, gone=error.gone, untrusted=error.untrusted)
        else:
            # The last download is kept in any case: it was paid for, so people judge it.
            picture = sniff(data) not in _NO_PICTURE and whole(data)
            if picture or not self._may_download_again():
                prompt = ready.prompt and auth.masked(ready.prompt)
                return Arrived(data, replace(ready, url="" if within else ready.url, prompt=prompt))
        await self._sleep(self._backoff(self._downloads))
        return None

    async def _picture(self, url: str) -> bytes:
        """The bytes at a URL, or in it."""
        auth = self.deps.auth
        if url.startswith("data:"):
            return embedded(url)
        return await self.deps.downloads.fetch(auth.secured(url), await auth.scope())

    def _may_download_again(self) -> bool:
        """Count a failed download; return whether to try again."""
        self._downloads += 1
        return self._downloads < self.deps.auth.limits.attempts

    async def _sleep(self, seconds: float, event: asyncio.Event | None = None) -> None:
        """Wait, but not beyond the deadline, nor beyond an event."""
        clock = self.deps.clock
        seconds = max(0.0, min(seconds, self._until - clock.now()))
        await (clock.sleep(seconds) if event is None else sleep_until(event, clock, seconds))
