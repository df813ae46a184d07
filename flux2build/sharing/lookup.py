"""The questions of plans and builds to the team's store: gathered first, then asked at once.

Only values that this machine lacks are asked for. If the store cannot be reached, one warning says
so, and everything continues as if the store were empty.
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
    """The known contents of the team's store, and the questions that are still to be asked."""

    def __init__(
        self, store: TeamStore, held: HeldClaims, warn: Callable[[Iterable[Problem]], None]
    ) -> None:
        self.store, self.held = store, held
        self._warn = warn
        self._there: dict[Digest, bool] = {}
        """Whether the store has the bytes of a digest."""
        self._receipts_of: dict[Digest, SharedReceipt | None] = {}
        """The receipt of each order; None if the store has no usable one."""
        self._obstacles: dict[Digest, Reason] = {}
        """The reason why an order must not be sent, from its records in the store."""
        self._digests: set[Digest] = set()
        self._orders: dict[Digest, Order] = {}
        self._down, self._guard = False, threading.Lock()

    def has(self, digest: Digest) -> bool:
        """Whether the store is known to have some bytes; `learn` will ask if this is unknown."""
        if digest not in self._there:
            self._digests.add(digest)
        return self.knows(digest)

    def knows(self, digest: Digest | None) -> bool:
        """Whether the store is known to have some bytes."""
        return digest is not None and self._there.get(digest, False)

    def bought(self, order: Order) -> Sequence[KnownPicture]:
        """The known receipt of an order; `learn` will ask if this is unknown."""
        if order.digest not in self._receipts_of:
            self._orders[order.digest] = order
        receipt = self._receipts_of.get(order.digest)
        return [KnownPicture(receipt.output, receipt.receipt)] if receipt else ()

    def obstacle(self, order: Order) -> Reason | None:
        """The known reason why an order must not be sent."""
        if order.digest not in self._receipts_of:
            self._orders[order.digest] = order
        return self._obstacles.get(order.digest)

    def claims(self, orders: Iterable[Digest]) -> dict[Digest, SharedClaim]:
        """The claims on orders that are being bought; empty if the store cannot be asked."""
        try:
            claims = self.store.claimed(orders)
        except Unreachable as fault:
            self.fall_back(fault)
            return {}
        return {order: each for order, each in claims.items() if isinstance(each, SharedClaim)}

    def seen(self, snapshot: Snapshot, here: Callable[[Digest], bool]) -> Snapshot:
        """A snapshot that includes the store's contents; `here` are the bytes of this machine."""
        return replace(
            snapshot,
            has=lambda digest: self.knows(digest) or snapshot.has(digest) or self.has(digest),
            far=lambda digest: self.knows(digest) and not (digest and here(digest)),
            bought=self.bought,
            obstacle=self.obstacle,
        )

    def learn(self) -> bool:
        """Ask all open questions; return whether the store has any of the values."""
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
        self._receipts_of |= {order: receipts.get(order) for order in orders}
        return bool(there or receipts or obstacles)

    def _receipts(self, orders: Sequence[Order]) -> dict[Digest, SharedReceipt]:
        """The usable receipts of orders; the others are reported, and become obstacles."""
        answers = self.store.receipts(order.digest for order in orders)
        receipts = {}
        for order in orders:
            match answers[order.digest]:
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
        """The orders that must not be sent, because their claim was left behind or is damaged."""
        for order, claim in self.store.claimed(orders).items():
            match claim:
                case RecordError() as error:
                    self._hinder(error)
                case SharedClaim() if claim.old and not claim.task and not self._ours(claim):
                    self._obstacles[order] = Reason(ReasonCode.CLAIMED)
                    self._warn([left_behind(claim)])
        return self._obstacles.keys() & set(orders)

    def _ours(self, claim: SharedClaim) -> bool:
        note = self.held.get(claim.order)
        return note is not None and note.attempt == claim.attempt

    def _hinder(self, error: RecordError) -> None:
        newer = isinstance(error, NewerError)
        code = ReasonCode.SHARED_NEWER if newer else ReasonCode.SHARED_DAMAGED
        self._obstacles[error.order] = Reason(code, error.what)
        self._warn(error.problems)

    def forget_absence(self) -> None:
        """Ask again for absent values: another machine may have bought them since."""
        self._there = {digest: True for digest, there in self._there.items() if there}
        self._receipts_of = {
            order: receipt for order, receipt in self._receipts_of.items() if receipt
        }
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
        """The digests that begin with some hex digits and whose bytes are in the store."""
        try:
            if is_key(key := f"{Space.BYTES}/{name}"):
                return [digest_of(key)] if self.store.has(digest_of(key)) else []
            keys = [each.key for each in self.store.keys(Space.BYTES)]
        except Unreachable as fault:
            self.fall_back(fault)
            return []
        return [digest_of(each) for each in keys if each.startswith(key)]

    def each(self, fetch: Callable[[Digest], object], digests: Iterable[Digest]) -> None:
        """Fetch the bytes of several digests at once; a problem with one does not end the rest."""

        def fetch_or_tell(digest: Digest) -> None:
            try:
                fetch(digest)
            except (SystemFault, DecisionError) as fault:
                self.tell(fault)

        list(answers(fetch_or_tell, digests))

    def _check(self, digest: Digest, data: bytes) -> None:
        """Compare a picture with its order, as far as its receipt knows it."""
        for receipt in (
            each for each in self._receipts_of.values() if each and each.output == digest
        ):
            picture, ordered = examine(data), receipt.params
            actual = {"width": picture.width, "height": picture.height, "format": picture.format}
            if wrong := [name for name in actual if ordered.get(name) not in (None, actual[name])]:
                raise DecisionError(
                    f"the team's store has another picture than was ordered for `{short(digest)}`",
                    rows=tuple(
                        (each, f"{actual[each]}, ordered {ordered[each]}") for each in wrong
                    ),
                    hint="ask whoever shared it; `flux2build build --force ASSET` buys another one",
                )

    def tell(self, fault: Flux2BuildError) -> None:
        """Report a problem of the store on which nothing depends."""
        self._warn(fault.problems)

    def fall_back(self, fault: SystemFault) -> None:
        """Report once that the store cannot be reached, and ask it nothing more."""
        with self._guard:
            first, self._down = not self._down, True
        if first:
            self._warn(fault.problems)
