"""Contradictions between ledger, claims and store: what is left of orders that the ledger lost."""

from __future__ import annotations

from flux2build.digest import Digest
from flux2build.ledger.journal import Journal
from flux2build.storage.store import Store


def unrecorded(journal: Journal, store: Store, order: Digest) -> bool:
    """Whether an order that the ledger does not know was sent, or may have been.

    Either its claim names an attempt, or nothing at all is left of a ledger beside
    a store that holds pictures.
    """
    return journal.unrecorded(order) or emptied(journal, store)


def emptied(journal: Journal, store: Store) -> bool:
    """Whether nothing is left of a ledger beside a store that holds pictures."""
    return journal.emptied() and any(True for _ in store.digests())
