"""The store and the journal in the user's home, which all projects of a machine share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from flux2build.errors import SystemFault
from flux2build.ledger.journal import Journal
from flux2build.storage.disk import home
from flux2build.storage.store import Store

_NOWHERE: Final = Path(os.devnull, "flux2build")
"""A folder that does not exist and cannot be made."""


def user_store() -> Store:
    """The store of this machine: every picture that was ever bought on it."""
    return Store(home() / "store")


def user_journal() -> Journal:
    """The journal of this machine: every order that was ever placed on it."""
    return Journal(home() / "ledger.jsonl")


def readable_store() -> Store:
    """The store for reading only; it is empty if there is no home."""
    return Store(readable_home() / "store")


def readable_journal() -> Journal:
    """The journal for reading only; it is empty if there is no home."""
    return Journal(readable_home() / "ledger.jsonl")


def readable_home() -> Path:
    """The home of this machine for reading only; a missing folder if there is no home."""
    try:
        return home()
    except SystemFault:
        return _NOWHERE
