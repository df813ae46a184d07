"""Evidence of paid orders in ledger, lock, claims and store, and contradictions between them."""

from __future__ import annotations

from typing import Final

from flux2build.digest import Digest
from flux2build.errors import Place, Problem
from flux2build.ledger import Ledger
from flux2build.ledger.journal import Journal
from flux2build.lockfile import Lockfile
from flux2build.storage.store import Store

EMPTIED: Final = "is empty or missing, beside a store that holds pictures"
BRING_BACK: Final = "bring it back from a backup; without one, `flux2build orders recover` shows what can be rebuilt"


def unrecorded(journal: Journal, store: Store, order: Digest) -> bool:
    """Whether an order that the ledger does not know was sent, or may have been.

    Either its claim names an attempt, or the ledger is lost although the store holds pictures.
    """
    return journal.unrecorded(order) or emptied(journal, store)


def paid(ledger: Ledger, lock: Lockfile) -> dict[Digest, int | None]:
    """The paid pictures, with their sizes in bytes where the lock has them."""
    rows = (row for block in lock.blocks.values() for row in block.pictures)
    locked = {row.output.sha256: row.output.bytes for row in rows if row.receipt.paid}
    return {**dict.fromkeys(each.output for each in ledger.paid.values()), **locked}


def lost(journal: Journal) -> Problem:
    """The problem of a lost ledger."""
    return Problem(f"the ledger {EMPTIED}", Place(str(journal.path)), hint=BRING_BACK)


def emptied(journal: Journal, store: Store) -> bool:
    """Whether the ledger is lost although the store holds pictures."""
    return journal.emptied() and any(True for _ in store.digests())
