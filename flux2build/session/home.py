"""The store and the journal in the user's home, which all projects of a machine share."""

from __future__ import annotations

from flux2build.ledger.journal import Journal
from flux2build.storage.disk import home
from flux2build.storage.store import Store


def user_store() -> Store:
    """The store of this machine: every picture that was ever bought on it."""
    return Store(home() / "store")


def user_journal() -> Journal:
    """The journal of this machine: every order that was ever placed on it."""
    return Journal(home() / "ledger.jsonl")
