"""Mutants: builds that break a law on purpose; a test that does not notice them proves nothing.

Each mutant replaces a class with a broken subclass, or an effect with nothing. The
process under test applies it to itself; the product knows nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx

from flux2build.building import lock_update, runner
from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.ledger import Entry, Intended
from flux2build.ledger.journal import Journal
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName
from flux2build.providers.contract import Call, InDoubt, Refused, Ticket
from flux2build.purchasing import budget, remote_renderer, safekeeping
from flux2build.purchasing.http.client import Client
from flux2build.purchasing.http.pool import Pool
from flux2build.purchasing.redaction import Key
from flux2build.session import home, remote, wiring
from flux2build.storage.store import Store


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to break a law."""

    apply: Callable[[], None]
    syncing: bool = True
    """Whether syncing a file does anything."""


class Forgetful(Journal):
    """Writes nothing down before an order is sent."""

    def append(self, entry: Entry, *, durable: bool = True) -> None:
        """Note what happened, never what is going to happen."""
        if not isinstance(entry, Intended):
            super().append(entry, durable=durable)


class Hopeful(Journal):
    """Writes an intention down, and trusts that it is on disk."""

    def append(self, entry: Entry, *, durable: bool = True) -> None:
        """Append, and sync facts only."""
        super().append(entry, durable=durable and not isinstance(entry, Intended))


class Eager(Client):
    """Sends an order again when the connection broke, as many clients do."""

    async def _post(self, call: Call) -> Ticket | Refused | InDoubt:
        answer = await super()._post(call)
        return await super()._post(call) if isinstance(answer, InDoubt) else answer


class Hasty(Store):
    """Keeps pictures without making them durable."""

    def put(self, data: bytes) -> Digest:
        """Write and rename, and sync nothing."""
        digest = of_bytes(data)
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_bytes(data)
        beside.replace(path)
        return digest


class Redirected(httpx.AsyncBaseTransport):
    """Goes where a redirect leads, with all headers."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(follow_redirects=True, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and follow."""
        return await self._client.send(request, stream=True)


class Following(Pool):
    """Follows redirects."""

    def transport(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        """What follows."""
        del proxy
        return Redirected()


class Trusting(Client):
    """Believes every redirect."""

    def _pool(self, connections: int, read: float) -> Pool:
        return Following(super()._pool(connections, read).config, self._deps.clock)


class Clinging(lock_update.LockUpdate):
    """Leaves the old picture in the lock while a new one is bought."""

    def without(self, assets: Iterable[AssetName]) -> Lockfile:
        """The lock with everything."""
        del assets
        return super().without(())


class Crowded(remote_renderer.RemoteRenderer):
    """Buys without keeping others out."""

    def _claim(self, order: Digest) -> int | None:
        del order
        return os.open(os.devnull, os.O_RDONLY)


class Bottomless(budget.BudgetGuard):
    """Never says that there is not enough."""

    def reserve(self, attempt: str, asset: str, worst: Decimal) -> None:
        """Set the worst case aside, whatever the caps."""
        del asset
        self._aside[attempt] = worst


class Open(Key):
    """A key that hides nothing."""

    def masked(self, text: str) -> str:
        """The text as it is."""
        return text


class Broken(Client):
    """Fails in a way that nobody thought of, and quotes the key."""

    async def _post(self, call: Call) -> Ticket | Refused | InDoubt:
        del call
        secret = self._auth.key
        raise RuntimeError(f"cannot send {secret.reveal() if secret else ''}")


class Careless(safekeeping.Safekeeping):
    """Has no other place for what the store cannot take."""

    def _spooled(self, data: bytes, fault: SystemFault) -> safekeeping.Stored:
        """Put it nowhere."""
        del data
        raise fault


def _put(place: Any, **names: type) -> Callable[[], None]:
    def apply() -> None:
        for name, new in names.items():
            setattr(place, name, new)

    return apply


MUTANTS: Final[Mapping[str, Mutant]] = {
    "nothing intended": Mutant(_put(home, Journal=Forgetful)),
    "intended unsynced": Mutant(_put(home, Journal=Hopeful)),
    "nothing synced": Mutant(lambda: None, syncing=False),
    "post retried": Mutant(_put(remote, Client=Eager)),
    "store unsynced": Mutant(_put(home, Store=Hasty)),
    "old picture back": Mutant(_put(runner, LockUpdate=Clinging)),
    "redirect followed": Mutant(_put(remote, Client=Trusting)),
    "nobody kept out": Mutant(_put(remote_renderer, RemoteRenderer=Crowded)),
    "nothing spooled": Mutant(_put(wiring, Safekeeping=Careless)),
    "caps ignored": Mutant(_put(wiring, BudgetGuard=Bottomless)),
    "bug with the key": Mutant(_put(remote, Client=Broken)),
    "key in clear": Mutant(_put(remote, Key=Open)),
}
