"""The team's store for the rest of the package: bytes, receipts and claims.

Bytes are verified on every read and receipts are checked against their orders, so that a
writer to the store cannot put a wrong picture into a build.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from flux2build.digest import Digest, of_bytes, short
from flux2build.model import Order
from flux2build.sharing.at_once import answers
from flux2build.sharing.contract import Backend, Listed, Unreachable
from flux2build.sharing.keys import Space, digest_of, key_of, most
from flux2build.sharing.records import (
    NewerError,
    Record,
    RecordError,
    SharedClaim,
    SharedReceipt,
    damaged,
    from_json,
    to_json,
)
from flux2build.storage.store import DamagedError

_PROBES: Final = f"{Space.CLAIMS}/{'0' * 48}"
"""The beginning of keys that are written only as a test, including the key of the proof."""

_PROOF: Final = f"{_PROBES}{'0' * 15}1"
"""The key that exists once the place has proved that it creates a value only once."""

_TRIES: Final = 3
"""How many times to try to take a claim that others release at the same moment."""


class TeamStore:
    """A store that several machines share."""

    def __init__(
        self,
        backend: Backend,
        url: str,
        *,
        writable: bool = True,
        alone: bool = False,
        aside: Callable[[Digest, bytes], None] = lambda _digest, _data: None,
    ) -> None:
        self._backend = backend
        self.url = url
        """For people: without user, password and query."""
        self.writable = writable
        self.alone = alone
        """Whether a build may buy while the store cannot be reached."""
        self._aside = aside
        """Keeps wrong bytes for whoever wants to know where they came from."""
        self._proven = False

    @property
    def backend(self) -> Backend:
        """Where the values lie."""
        return self._backend

    def has(self, digest: Digest) -> bool:
        """Whether there are bytes for a digest; only reading them verifies them."""
        return self._backend.has(key_of(Space.BYTES, digest))

    def have(self, digests: Iterable[Digest]) -> set[Digest]:
        """The digests whose bytes are in the store."""
        return {digest for digest, there in answers(self.has, digests) if there}

    def get(self, digest: Digest) -> bytes | None:
        """The bytes of a digest; None if there are none.

        Raises:
            Unreachable: the store cannot be asked.
            DamagedError: it has other bytes, which are now set aside.
        """
        data = self._backend.get(key_of(Space.BYTES, digest))
        if data is None or of_bytes(data) == digest:
            return data
        self._aside(digest, data)
        raise DamagedError(
            f"the team's store has other bytes than `{short(digest)}`",
            rows=(("digest", digest), ("store", self.url)),
            hint="they were set aside; `flux2build store verify` where they are right replaces them",
        )

    def put(self, data: bytes) -> Digest:
        """Share bytes, and return their digest; a place that does not store bytes gets none."""
        digest = of_bytes(data)
        self.require_writable()
        key = key_of(Space.BYTES, digest)
        if self._backend.keeps_bytes and len(data) <= most(key):
            self._backend.put(key, data)
        return digest

    def receipt(self, order: Digest) -> SharedReceipt | None:
        """The receipt of an order; the caller checks whether it `answers` the request.

        Raises:
            Unreachable: the store cannot be asked.
            DamagedError: this flux2build cannot read it.
        """
        return self._record(Space.ORDERS, SharedReceipt, order)

    def receipt_for(self, order: Order) -> SharedReceipt | None:
        """The receipt of an order, compared with the request.

        Raises:
            Unreachable: the store cannot be asked.
            RecordError: it cannot be read, or belongs to another request.
        """
        receipt = self.receipt(order.digest)
        if receipt is not None and not receipt.answers(order):
            raise damaged(SharedReceipt, order.digest)
        return receipt

    def receipts(
        self, orders: Iterable[Digest]
    ) -> dict[Digest, SharedReceipt | RecordError | None]:
        """The receipt of each order, or the error about it."""
        return self._records(self.receipt, orders)

    def claimed(self, orders: Iterable[Digest]) -> dict[Digest, SharedClaim | RecordError | None]:
        """The claim on each order, or the error about it."""
        return self._records(self.claim, orders)

    def _records(
        self, ask: Callable[[Digest], Record | None], orders: Iterable[Digest]
    ) -> dict[Digest, Record | RecordError | None]:
        with self._backend.at_once():
            return dict(answers(lambda order: _or_damage(ask, order), orders))

    def keys(self, space: Space) -> list[Listed]:
        """Everything that the store has in a space.

        Raises:
            Unreachable: it does not list them.
        """
        return [
            each for each in self._backend.list(f"{space}/") if not each.key.startswith(_PROBES)
        ]

    def remove(self, key: str) -> None:
        """Remove a value, for good."""
        self.require_writable()
        self._backend.delete(key)

    def put_receipt(self, receipt: SharedReceipt) -> bool:
        """Share a receipt; return whether it is the first one of its order. An earlier one stays.

        An earlier one that is unreadable, or belongs to another request, is replaced.
        """
        self.require_writable()
        key, data = key_of(Space.ORDERS, receipt.order), to_json(receipt)
        if self._backend.create(key, data):
            return True
        there = _or_damage(self.receipt, receipt.order)
        if isinstance(there, NewerError):
            return False
        if isinstance(there, SharedReceipt) and there.payload == receipt.payload:
            return False
        self._backend.put(key, data)
        return True

    def claim(self, order: Digest) -> SharedClaim | None:
        """The claim on an order; None if nobody is buying it.

        Raises:
            Unreachable: the store cannot be asked.
            DamagedError: this flux2build cannot read it.
        """
        return self._record(Space.CLAIMS, SharedClaim, order)

    def _record(self, space: Space, kind: type[Record], order: Digest) -> Record | None:
        data = self._backend.get(key_of(space, order))
        return None if data is None else from_json(data, kind, order)

    def claims(self) -> Iterator[SharedClaim | RecordError]:
        """Every claim, or an error in place of one that cannot be read."""
        orders = [digest_of(each.key) for each in self.keys(Space.CLAIMS)]
        yield from filter(None, self.claimed(orders).values())

    def reach(self) -> None:
        """Reach the store; if it is writable, prove that claims are exclusive, taken and released.

        Raises:
            Unreachable: that is not possible.
        """
        if self.writable:
            self._prove()
            probe = _probe()
            self._backend.create(probe, _sample())
            self._backend.delete(probe)
        else:
            self._backend.has(_PROOF)

    def latency(self) -> float:
        """The seconds that one question takes."""
        began = time.monotonic()
        self._backend.has(_PROOF)
        return time.monotonic() - began

    def take(self, claim: SharedClaim) -> bool:
        """Claim an order before it is sent; False if another attempt has it.

        Raises:
            Unreachable: the store cannot be asked, or may give one claim to two machines.
        """
        self.require_writable()
        self._prove()
        for _ in range(_TRIES):
            if self._backend.create(key_of(Space.CLAIMS, claim.order), to_json(claim)):
                return True
            # The answer to an earlier try of this request may have been lost.
            if current := self.claim(claim.order):
                return current.attempt == claim.attempt
        raise Unreachable(
            f"the team's store `{self.url}` neither has nor takes a claim on `{short(claim.order)}`",
            hint="`flux2build store verify` tells what else is wrong with it",
        )

    def name_ticket(self, claim: SharedClaim) -> bool:
        """Note the ticket in this attempt's claim; False if the claim is another's by now."""
        self.require_writable()
        current = self.claim(claim.order)
        if current is None or current.attempt != claim.attempt:
            return False
        self._backend.put(key_of(Space.CLAIMS, claim.order), to_json(claim))
        return True

    def release(self, order: Digest, attempt: str) -> bool:
        """Release the claim of an attempt; False if it has none.

        A damaged claim is removed, too, if there is a receipt, because it protects nothing any
        more.
        """
        self.require_writable()
        current = _or_damage(self.claim, order)
        if isinstance(current, RecordError):
            if isinstance(current, NewerError) or self.receipt(order) is None:
                raise current
        elif current is None or current.attempt != attempt:
            return False
        self._backend.delete(key_of(Space.CLAIMS, order))
        return True

    def replace(self, claim: SharedClaim) -> bool:
        """Put a claim in place of a damaged one, or of none; False if there is another claim.

        A person has decided about the order, or is about to.
        """
        current = _or_damage(self.claim, claim.order)
        if isinstance(current, NewerError):
            raise current
        if not isinstance(current, RecordError):
            return self.take(claim)
        self.require_writable()
        self._backend.put(key_of(Space.CLAIMS, claim.order), to_json(claim))
        return True

    def forget(self, order: Digest, request: Order | None) -> None:
        """Remove the receipt of an order if it is damaged, or belongs to another request.

        A person has decided that its picture is lost.
        """
        receipt = _or_damage(self.receipt, order)
        damage = isinstance(receipt, RecordError) and not isinstance(receipt, NewerError)
        if damage or (
            request and isinstance(receipt, SharedReceipt) and not receipt.answers(request)
        ):
            self.remove(key_of(Space.ORDERS, order))

    def require_writable(self) -> None:
        """Refuse to write if the store is read-only for this machine.

        Raises:
            Unreachable: it is.
        """
        if not self.writable:
            message = f"the team's store `{self.url}` is only read here"
            raise Unreachable(message, hint='`mode = "rw"` under `[store]` lets it be written')

    def _prove(self) -> None:
        """Prove once that the place creates a value only once, which some servers ignore.

        Raises:
            Unreachable: it does not.
        """
        if self._proven:
            return
        if not self._backend.has(_PROOF):  # nobody has proved it yet
            probe = _probe()
            once = self._backend.creates_once(probe, _sample(), _sample())
            self._backend.delete(probe)
            self._require(once)
        again = self._backend.create(_PROOF, _sample())
        self._require(not (again and self._backend.create(_PROOF, _sample())))
        self._proven = True

    def _require(self, once: bool) -> None:  # noqa: FBT001 - what is required
        if not once:
            raise Unreachable(
                f"the team's store `{self.url}` overwrites what it should create once",
                hint="it serves bytes and receipts; claims need a server that honours `If-None-Match: *` "
                "whatever comes at the same moment, such as `flux2build store serve DIR`",
            )


def _or_damage(
    ask: Callable[[Digest], Record | None], order: Digest
) -> Record | RecordError | None:
    """The record of an order, or the error about it."""
    try:
        return ask(order)
    except RecordError as error:
        return error


def _sample() -> bytes:
    """A unique value."""
    return f'{{"version":1,"proof":"{os.urandom(8).hex()}"}}\n'.encode()


def _probe() -> str:
    """An unused key."""
    return f"{_PROBES}{os.urandom(8).hex()}"
