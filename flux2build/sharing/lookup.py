"""What a plan and a build ask of the team's store: gathered first, then asked for all at once.

Only what this machine lacks is asked for. Where the store cannot be asked, that is said once, and
everything goes on as if it had nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from flux2build.digest import Digest, short
from flux2build.errors import DecisionError, Flux2BuildError, Problem, SystemFault
from flux2build.images.formats.lookup import examine
from flux2build.model import Order
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.snapshot import KnownPicture, Snapshot
from flux2build.sharing.at_once import answers
from flux2build.sharing.contract import Unreachable
from flux2build.sharing.held_claims import HeldClaims
from flux2build.sharing.keys import Space, digest_of, is_key
from flux2build.sharing.records import (
    NewerError,
    RecordError,
    SharedClaim,
    SharedReceipt,
    damaged,
    left_behind,
)
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.store import DamagedError


class Lookup:
    """What the team's store is known to have, and what it is still to be asked for."""

    def __init__(
        self, store: TeamStore, held: HeldClaims, warn: Callable[[Iterable[Problem]], None]
    ) -> None:
        self.store, self.held = store, held
        self._warn = warn
        self._there: dict[Digest, bool] = {}
        """Whether the store has bytes."""
        self._bought: dict[Digest, SharedReceipt | None] = {}
        """The receipt of each order; None if the store has none that can be used."""
        self._obstacles: dict[Digest, Reason] = {}
        """Why orders must not be sent, by what the store has of them."""
        self._digests: set[Digest] = set()
        self._orders: dict[Digest, Order] = {}
        self._down, self._guard = False, threading.Lock()

    def has(self, digest: Digest) -> bool:
        """Whether the store is known to have bytes; if nobody has asked yet, `learn` will."""
        if digest not in self._there:
            self._digests.add(digest)
        return self.knows(digest)

    def knows(self, digest: Digest | None) -> bool:
        """Whether the store is known to have bytes."""
        return digest is not None and self._there.get(digest, False)

    def bought(self, order: Order) -> Sequence[KnownPicture]:
        """What the store is known to have for an order; if nobody has asked yet, `learn` will."""
        if order.digest not in self._bought:
            self._orders[order.digest] = order
        receipt = self._bought.get(order.digest)
        return [KnownPicture(receipt.output, receipt.receipt)] if receipt else ()

    def obstacle(self, order: Order) -> Reason | None:
        """Why an order must not be sent, as far as the store is known to tell."""
        if order.digest not in self._bought:
            self._orders[order.digest] = order
        return self._obstacles.get(order.digest)

    def claims(self, orders: Iterable[Digest]) -> dict[Digest, SharedClaim]:
        """The claims on those of some orders that somebody is buying; none if nobody can tell."""
        try:
            claims = self.store.claimed(orders)
        except Unreachable as fault:
            self.fall_back(fault)
            return {}
        return {order: each for order, each in claims.items() if isinstance(each, SharedClaim)}

    def seen(self, snapshot: Snapshot, here: Callable[[Digest], bool]) -> Snapshot:
        """A snapshot that sees what the store has, too; `here` are the bytes of this machine."""
        return replace(
            snapshot,
            has=lambda digest: self.knows(digest) or snapshot.has(digest) or self.has(digest),
            far=lambda digest: self.knows(digest) and not (digest and here(digest)),
            bought=self.bought,
            obstacle=self.obstacle,
        )

    def learn(self) -> bool:
        """Ask for all that nobody has asked for yet; whether the store has any of it."""
        digests, orders = self._digests, self._orders
        self._digests, self._orders = set(), {}
        if self._down or not (digests or orders):
            return False
        try:
            there = self.store.have(digests)
            receipts = self._receipts(list(orders.values()))
            obstacles = self._claimed(orders.keys() - receipts.keys())
        except Unreachable as fault:
            self.fall_back(fault)
            return False
        self._there |= {digest: digest in there for digest in digests}
        self._bought |= {order: receipts.get(order) for order in orders}
        return bool(there or receipts or obstacles)

    def _receipts(self, orders: Sequence[Order]) -> dict[Digest, SharedReceipt]:
        """The receipts of orders; what is wrong with others is said, and an obstacle."""
        asked = self.store.receipts(order.digest for order in orders)
        receipts = {}
        for order in orders:
            match asked[order.digest]:
                case SharedReceipt() as receipt if receipt.answers(order):
                    receipts[order.digest] = receipt
                case SharedReceipt():
                    self._hinder(damaged(SharedReceipt, order.digest))
                case RecordError() as error:
                    self._hinder(error)
                case None:
                    pass
        return receipts

    def _claimed(self, orders: Iterable[Digest]) -> Collection[Digest]:
        """Those of some orders that must not be sent, as a claim was left behind or is damaged."""
        for order, claim in self.store.claimed(orders).items():
            match claim:
                case RecordError() as error:
                    self._hinder(error)
                case SharedClaim() if claim.old and not claim.task and not self._ours(claim):
                    self._obstacles[order] = Reason(ReasonCode.CLAIMED)
                    self._warn([left_behind(claim)])
        return self._obstacles.keys() & set(orders)

    def _ours(self, claim: SharedClaim) -> bool:
        held = self.held.get(claim.order)
        return held is not None and held.attempt == claim.attempt

    def _hinder(self, error: RecordError) -> None:
        newer = isinstance(error, NewerError)
        code = ReasonCode.SHARED_NEWER if newer else ReasonCode.SHARED_DAMAGED
        self._obstacles[error.order] = Reason(code, error.what)
        self._warn(error.problems)

    def forget_absence(self) -> None:
        """Ask again for what was not there: another machine may have bought it since."""
        self._there = {digest: True for digest, there in self._there.items() if there}
        self._bought = {order: receipt for order, receipt in self._bought.items() if receipt}
        self._obstacles.clear()

    def read(self, digest: Digest) -> bytes | None:
        """The bytes of a digest, verified; None if the store is known to lack them, or cannot be asked.

        Raises:
            DamagedError: it has other bytes.
            DecisionError: it has another picture than was ordered.
        """
        if self._down or not self._there.get(digest, True):
            return None
        try:
            data = self.store.get(digest)
        except Unreachable as fault:
            self.fall_back(fault)
            data = None
        except DamagedError:
            self._there[digest] = False
            raise
        if data is None:
            self._there[digest] = False
        else:
            self._check(digest, data)
        return data

    def beginning(self, name: str) -> list[Digest]:
        """The digests that begin with some hex digits, and of which the store has bytes."""
        try:
            if is_key(key := f"{Space.BYTES}/{name}"):
                return [digest_of(key)] if self.store.has(digest_of(key)) else []
            keys = [each.key for each in self.store.keys(Space.BYTES)]
        except Unreachable as fault:
            self.fall_back(fault)
            return []
        return [digest_of(each) for each in keys if each.startswith(key)]

    def each(self, fetch: Callable[[Digest], object], digests: Iterable[Digest]) -> None:
        """Fetch several bytes at once; what is wrong with some of them is said, and ends nothing."""

        def fetch_or_tell(digest: Digest) -> None:
            try:
                fetch(digest)
            except (SystemFault, DecisionError) as fault:
                self.tell(fault)

        list(answers(fetch_or_tell, digests))

    def _check(self, digest: Digest, data: bytes) -> None:
        """Compare a picture of which only a receipt tells with what was ordered."""
        for receipt in (each for each in self._bought.values() if each and each.output == digest):
            shown, ordered = examine(data), receipt.params
            actual = {"width": shown.width, "height": shown.height, "format": shown.format}
            if wrong := [name for name in actual if ordered.get(name) not in (None, actual[name])]:
                raise DecisionError(
                    f"the team's store has another picture than was ordered for `{short(digest)}`",
                    rows=tuple(
                        (each, f"{actual[each]}, ordered {ordered[each]}") for each in wrong
                    ),
                    hint="ask whoever shared it; `flux2build build --force ASSET` buys another one",
                )

    def tell(self, fault: Flux2BuildError) -> None:
        """Say what is wrong with the store, although nothing depends on it."""
        self._warn(fault.problems)

    def fall_back(self, fault: SystemFault) -> None:
        """Say, once, that the store cannot be asked; nothing more is asked of it."""
        with self._guard:
            first, self._down = not self._down, True
        if first:
            self._warn(fault.problems)
