"""Settles orders: a person's decisions about open ones, and the resulting ledger entries.

A decision is pure: it returns one entry of the ledger, or is refused with a `UsageError`. Only
`record` writes, and only if the order has not changed since the person saw it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest, Json
from flux2build.errors import SystemFault, UsageError
from flux2build.ledger import (
    RESUBMITTED,
    UNKNOWN,
    WRITTEN_OFF,
    Attempt,
    Delivered,
    Entry,
    Intended,
    Kept,
    Ledger,
    State,
    Ticketed,
    Voided,
    fold,
)
from flux2build.ledger.journal import Journal
from flux2build.model import Receipt
from flux2build.providers.contract import Provider, Remote, is_task
from flux2build.purchasing.redaction import gives_away
from flux2build.purchasing.verification import misfits
from flux2build.storage import durable, regular
from flux2build.storage.store import LostError, Store

_SHORT: Final = 8
_OPEN: Final = frozenset({State.DOUBT, State.PENDING, State.KEPT, State.LOST})
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Purchase(Struct, frozen=True):
    """An attempt to buy a picture, with its intention."""

    attempt: Attempt
    intended: Intended

    @property
    def name(self) -> str:
        """The beginning of its name, for people; any unique prefix works."""
        return self.attempt.name[:_SHORT]

    @property
    def asset(self) -> str:
        """Its asset, or the name of its order if the ledger does not know the asset."""
        asset = self.intended.asset
        return f"order {self.name}" if asset == UNKNOWN else asset

    @property
    def state(self) -> State:
        """How far it came."""
        return self.attempt.state

    @property
    def open(self) -> bool:
        """Whether a build or a person still has to settle it."""
        return self.state in _OPEN


def purchases(entries: Iterable[Entry]) -> tuple[Purchase, ...]:
    """Every attempt to buy, in the order in which they started."""
    return _purchases(fold(entries).attempts)


def open_purchases(ledger: Ledger) -> tuple[Purchase, ...]:
    """The open attempts, without reading the others."""
    return _purchases(ledger.open)


def _purchases(attempts: Iterable[Attempt]) -> tuple[Purchase, ...]:
    return tuple(Purchase(each, each.intended) for each in attempts if each.intended)


def find(entries: Iterable[Entry], name: str) -> Purchase:
    """The only purchase whose name begins with `name`.

    Raises:
        UsageError: no name begins like this, or several do.
    """
    matches = [each for each in purchases(entries) if each.attempt.name.startswith(name)]
    if name and len(matches) == 1:
        return matches[0]
    problem = "several orders begin with" if matches else "there is no order"
    raise UsageError(f"{problem} `{name}`", hint="`flux2build orders list` names them")


def find_open(entries: Iterable[Entry], name: str) -> Purchase:
    """The only open purchase whose name begins with `name`.

    Raises:
        UsageError: no name begins like this, several do, or it is settled already.
    """
    purchase = find(entries, name)
    if not purchase.open:
        raise _settled(purchase)
    return purchase


def _settled(purchase: Purchase) -> UsageError:
    return UsageError(f"order `{purchase.name}` is {purchase.state.value} already")


def adopt_task(
    purchase: Purchase, task: str, provider: Provider | None, endpoint: str | None, now: datetime
) -> Ticketed:
    """Adopt a task that the person found at the provider; a build collects it.

    Raises:
        UsageError: a picture arrived for it already, or the task is impossible.
    """
    kept = purchase.attempt.kept
    if purchase.state is State.KEPT and kept and task != kept.receipt.task:
        raise UsageError(
            f"what order `{purchase.name}` brought is kept aside",
            hint=f"`flux2build orders adopt {purchase.name}` takes it as it is; with the task "
            f"`{kept.receipt.task}` the next build fetches it again",
        )
    if not isinstance(provider, Remote):
        raise UsageError(f"order `{purchase.name}` does not name a paid provider")
    if gives_away(task):
        raise UsageError(f"that is the key of `{provider.name}`, or has it in it, and not a task")
    if not is_task(task):
        raise UsageError(f"`{task}` cannot be a task of `{provider.name}`")
    return Ticketed(
        order=purchase.attempt.order,
        attempt=purchase.attempt.name,
        at=_later(now, purchase.attempt),
        task=task,
        poll=provider.claim(task, endpoint or provider.endpoint).poll,
    )


def _later(now: datetime, attempt: Attempt) -> str:
    """The time of a new ticket, which is later than all earlier ones, whatever the clock says.

    It has microseconds, so that it comes after the server's answers in the same second.
    """
    entries: tuple[Ticketed | Kept | Voided | None, ...]
    entries = (attempt.ticketed, attempt.kept, attempt.voided)
    for before in (each.at for each in entries if each):
        with suppress(ValueError):
            now = max(now, datetime.fromisoformat(before) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds")


def adopt_picture(purchase: Purchase, picture: Digest, now: datetime) -> Delivered:
    """Adopt the picture of a purchase, whose bytes are in the store."""
    attempt, intended = purchase.attempt, purchase.intended
    return Delivered(
        order=attempt.order,
        output=picture,
        receipt=_receipt(purchase),
        attempt=attempt.name,
        at=_to_the_second(now),
        project=intended.project,
        asset=intended.asset,
        model=intended.model,
    )


def _receipt(purchase: Purchase) -> Receipt:
    """The receipt of an adopted picture, with the best known price."""
    if purchase.attempt.kept:
        return purchase.attempt.kept.receipt
    ticketed = purchase.attempt.ticketed
    cost = ticketed.cost if ticketed else None
    return Receipt(
        provider=purchase.intended.provider,
        task=ticketed.task if ticketed else "",
        cost=purchase.intended.reserve if cost is None else cost,
        cost_source="estimated" if cost is None else "submitted",
    )


def kept_picture(purchase: Purchase, store: Store) -> Digest:
    """The picture that was kept aside, because it differs from its order.

    Raises:
        UsageError: no picture was kept aside, or the store has lost its bytes.
    """
    if purchase.attempt.kept is None:
        raise UsageError(
            f"nothing was kept aside for order `{purchase.name}`",
            hint=f"`flux2build orders adopt {purchase.name} TASK` names the task to collect",
        )
    return stored_picture(purchase.attempt.kept.output, store)


def is_digest(text: str) -> bool:
    """Whether a text is a digest, by which people may name a picture."""
    return _DIGEST.fullmatch(text) is not None


def stored_picture(digest: str, store: Store) -> Digest:
    """The digest of a picture that the store holds.

    Raises:
        UsageError: it is not a digest, or the store does not hold its bytes.
    """
    if not is_digest(digest):
        raise UsageError(f"`{digest}` is not a digest", hint="it has 64 digits from 0 to f")
    if not store.has(Digest(digest)):
        raise UsageError(f"the store holds no picture `{digest}`")
    return Digest(digest)


def file_of_picture(file: Path) -> bytes:
    """The bytes of a picture that the person fetched.

    Raises:
        SystemFault: it cannot be read.
    """
    try:
        return regular.read(file)
    except OSError as error:
        raise durable.fault("read", file, error) from error


def check_fit(
    purchase: Purchase, data: bytes, name: str, params: Mapping[str, Json] | None
) -> None:
    """Compare an adopted picture with its order, as far as that is known.

    Raises:
        PictureError: it is not a whole picture.
        UsageError: it is of another size or format.
    """
    if wrong := misfits(params or {}, data, name):
        raise UsageError(f"`{name}` is not what order `{purchase.name}` asked for", rows=wrong)


def resubmit(purchase: Purchase, store: Store, now: datetime) -> Voided:
    """Release an order that was not bought, or whose picture is lost: a build may send it again.

    Raises:
        UsageError: it has a picture, one may still arrive, or it is settled already.
        SystemFault: the picture cannot be read.
    """
    delivered = purchase.attempt.delivered
    if purchase.state is State.DELIVERED and delivered and _lost(delivered.output, store):
        return _voided(purchase, RESUBMITTED, now, charged=True)
    if purchase.state is State.LOST:
        return _voided(purchase, RESUBMITTED, now, charged=True)
    if not purchase.open:
        raise _settled(purchase)
    if purchase.state is not State.DOUBT:
        raise UsageError(
            f"order `{purchase.name}` is {purchase.state.value}: it was bought",
            hint=f"`flux2build orders write-off {purchase.name}` gives it up and counts it as spent",
        )
    return _voided(purchase, "not-bought", now, charged=False)


def missing(purchase: Purchase, store: Store) -> bool:
    """Whether a picture was delivered, and the store has no file for it any more."""
    delivered = purchase.attempt.delivered
    return purchase.state is State.DELIVERED and not (delivered and store.has(delivered.output))


def _lost(picture: Digest, store: Store) -> bool:
    """Whether the store has no intact bytes of a picture."""
    try:
        store.get(picture)
    except LostError:
        return True
    return False


def write_off(purchase: Purchase, now: datetime) -> Voided:
    """Give an order up: it counts as spent, and a build may order anew."""
    return _voided(purchase, WRITTEN_OFF, now, charged=True)


def _voided(purchase: Purchase, refusal: str, now: datetime, *, charged: bool) -> Voided:
    return Voided(
        order=purchase.attempt.order,
        attempt=purchase.attempt.name,
        at=_to_the_second(now),
        refusal=refusal,
        message="settled by hand",
        charged=charged,
    )


def check_unclaimed(entries: Iterable[Entry], adopted: Ticketed) -> None:
    """Make sure that no other order has a task, because one picture cannot be two orders."""
    for entry in entries:
        if isinstance(entry, Ticketed):
            task = entry.task
        elif isinstance(entry, Delivered | Kept):
            task = entry.receipt.task
        else:
            continue
        if task == adopted.task and entry.attempt != adopted.attempt:
            owner = entry.attempt[:_SHORT]
            raise UsageError(
                f"`{task}` is the task of order `{owner}`",
                hint=f"`flux2build orders show {owner}` tells what became of it",
            )


def _to_the_second(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def record(
    journal: Journal, purchase: Purchase, entry: Entry, keep: Callable[[], object] = lambda: None
) -> None:
    """Write a person's decision down, unless a build has changed the order since.

    `keep` puts the entry's picture into the store, after all checks.

    Raises:
        SystemFault: a build is busy with the order, or the journal is damaged or cannot be written.
        UsageError: the order has changed since the person saw it, or another one has its task.
    """
    with journal.claims.held(purchase.attempt.order) as held:
        if not held:
            raise SystemFault(
                f"a build is at order `{purchase.name}` this very moment",
                hint="let it finish, then `flux2build orders list` shows what became of it",
            )
        entries = journal.read()
        current = find(entries, purchase.attempt.name)
        journal.prove()
        if current.state is not purchase.state:
            raise UsageError(f"order `{current.name}` is {current.state.value} by now")
        if isinstance(entry, Ticketed):
            check_unclaimed(entries, entry)
        keep()
        journal.append(entry)
