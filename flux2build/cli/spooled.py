"""Files pictures that an earlier build kept in the spool, and says so."""

from __future__ import annotations

from flux2build.console.console import Console
from flux2build.errors import SystemFault
from flux2build.ledger.journal import Journal
from flux2build.purchasing.spool import spool_of
from flux2build.storage.disk import home
from flux2build.storage.store import Store


def take_in_spooled(journal: Journal, store: Store, console: Console) -> None:
    """File the spooled pictures in ledger and store; warn while these cannot be written."""
    spool = spool_of(home())
    try:
        assets = spool.take_in(journal, store)
    except SystemFault as fault:
        console.caution(fault.problems)
        return
    if assets:
        names = ", ".join(f"`{asset}`" for asset in assets)
        console.say(f"taken in from `{spool.folder}`: {names}")
