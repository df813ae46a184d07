"""What a plan and a build ask of the team's store: gathered first, then asked for all at once.

Only what this machine lacks is asked for. Where the store cannot be asked, that is said once, and
everything goes on as if it had nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import Problem, SystemFault
from flux2build.model import Order
from flux2build.planning.snapshot import KnownPicture, Snapshot
from flux2build.sharing.contract import Unreachable
from flux2build.sharing.records import DamagedError, SharedReceipt
from flux2build.sharing.team_store import TeamStore

_AT_ONCE: Final = 16
"""Most receipts that are asked for at once."""


class Lookup:
    """What the team's store is known to have, and what it is still to be asked for."""

    def __init__(self, store: TeamStore, warn: Callable[[Iterable[Problem]], None]) -> None:
        self.store = store
        self._warn = warn
        self._there: dict[Digest, bool] = {}
        """Whether the store has bytes."""
        self._bought: dict[Digest, SharedReceipt | None] = {}
        """The receipt of each order; None if the store has none that can be used."""
        self._digests: set[Digest] = set()
        self._orders: dict[Digest, Order] = {}
        self._down = False

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

    def seen(self, snapshot: Snapshot, here: Callable[[Digest], bool]) -> Snapshot:
        """A snapshot that sees what the store has, too; `here` are the bytes of this machine."""
        return replace(
            snapshot,
            has=lambda digest: self.knows(digest) or snapshot.has(digest) or self.has(digest),
            far=lambda digest: self.knows(digest) and not (digest and here(digest)),
            bought=self.bought,
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
        except Unreachable as fault:
            self.fall_back(fault)
            return False
        self._there |= {digest: digest in there for digest in digests}
        self._bought |= receipts
        return bool(there) or any(receipts.values())

    def _receipts(self, orders: Sequence[Order]) -> dict[Digest, SharedReceipt | None]:
        with self.store.backend.at_once(), ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(self._receipt, orders))
        for answer in answers:
            if isinstance(answer, DamagedError):
                self._warn(answer.problems)
        usable = (None if isinstance(answer, DamagedError) else answer for answer in answers)
        return {order.digest: answer for order, answer in zip(orders, usable, strict=True)}

    def _receipt(self, order: Order) -> SharedReceipt | DamagedError | None:
        try:
            receipt = self.store.receipt(order.digest)
        except DamagedError as error:
            return error
        return receipt if receipt and receipt.answers(order) else None

    def forget_absence(self) -> None:
        """Ask again for what was not there: another machine may have bought it since."""
        self._there = {digest: True for digest, there in self._there.items() if there}
        self._bought = {order: receipt for order, receipt in self._bought.items() if receipt}

    def read(self, digest: Digest) -> bytes | None:
        """The bytes of a digest, verified; None if the store is known to lack them, or cannot be asked.

        Raises:
            DamagedError: it has other bytes.
        """
        if self._down or not self._there.get(digest, True):
            return None
        try:
            data = self.store.get(digest)
        except Unreachable as fault:
            self.fall_back(fault)
            data = None
        if data is None:
            self._there[digest] = False
        return data

    def fall_back(self, fault: SystemFault) -> None:
        """Say, once, that the store cannot be asked; nothing more is asked of it."""
        if not self._down:
            self._down = True
            self._warn(fault.problems)
