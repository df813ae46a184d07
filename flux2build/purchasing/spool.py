"""The spool: it keeps paid pictures while the store or the ledger cannot be written.

It is a folder in the temporary folder, one for each user and home: pictures by their digest, and a
journal of entries that the ledger lacks. The next build, or the next look at the orders, moves both
to their places.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.ledger import Attempt, Delivered, Entry, Kept, fold
from flux2build.ledger.journal import Journal
from flux2build.storage import continuation, durable, locks, regular
from flux2build.storage.disk import temporary_folder
from flux2build.storage.store import LostError, Store


class Spool(Struct, frozen=True):
    """One spool; its folder does not exist while it is empty."""

    folder: Path

    @property
    def journal(self) -> Journal:
        """The entries that the ledger lacks."""
        return Journal(self.folder / "ledger.jsonl")

    def path(self, digest: Digest) -> Path:
        """Where a picture lies, or would lie."""
        return self.folder / digest.removeprefix("sha256:")

    def keep(self, data: bytes) -> Path:
        """Keep a picture durably, and return where.

        Raises:
            SystemFault: it cannot be written here either.
        """
        self._create()
        path = self.path(of_bytes(data))
        durable.replace(path, data, 0o600)
        return path

    def note(self, entry: Entry) -> None:
        """Note an entry durably.

        Raises:
            SystemFault: it cannot be written here either.
        """
        self._create()
        self.journal.append(entry)

    def take_in(self, journal: Journal, store: Store) -> tuple[str, ...]:
        """Move entries and pictures to ledger and store; return the assets of their orders.

        Some entries have to stay: those of a running build's orders, or of orders unknown to the
        ledger.

        Raises:
            SystemFault: ledger or store still cannot be written.
        """
        if not self._is_ours():
            return ()
        with self._alone():
            attempts = fold(self.journal.read()).attempts
            assets = [self._take(attempt, journal, store) for attempt in attempts]
            if None not in assets and not self.journal.problems():
                self._remove(attempts)
        return tuple(dict.fromkeys(asset for asset in assets if asset is not None))

    def _take(self, spooled: Attempt, journal: Journal, store: Store) -> str | None:
        """Move one attempt; return its asset, or None if a part of it has to stay."""
        recorded = _known(spooled, journal)
        if recorded is None or recorded.intended is None:
            return None
        with journal.claims.held(spooled.order) as held:
            if not held:
                return None
            for entry in _missing(spooled, recorded):
                if isinstance(entry, Delivered | Kept) and not self._stored(entry.output, store):
                    return None
                journal.append(entry)
        return recorded.intended.asset

    def _stored(self, output: Digest, store: Store) -> bool:
        """Put a picture into the store; return whether it is there now, and whole."""
        with suppress(OSError):
            data = regular.read(self.path(output))
            if of_bytes(data) == output:
                store.put(data)
        try:
            store.get(output)
        except LostError:
            return False
        return True

    def _remove(self, attempts: Sequence[Attempt]) -> None:
        """Remove moved entries and pictures; a folder with other content stays."""
        outputs = (end.output for each in attempts if (end := each.delivered or each.kept))
        journal = self.journal.path
        beside = Path(continuation.place(str(journal)))
        paths = [*map(self.path, outputs), journal, beside, self.journal.lock_path]
        with suppress(OSError):
            for path in paths:
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing here."""
        try:
            lock = locks.opened(self.journal.lock_path, 0o600)
            locks.lock(lock)
        except OSError as error:
            raise durable.fault("lock", self.folder, error) from error
        try:
            yield
        finally:
            os.close(lock)

    def _create(self) -> None:
        """Create the folder, if it is missing.

        Raises:
            SystemFault: it cannot be created, or somebody else has.
        """
        try:
            durable.folder(self.folder, 0o700)
        except OSError as error:
            raise durable.fault("write to", self.folder, error) from error
        if not self._is_ours():
            raise SystemFault(f"`{self.folder}` is open to others; nothing is kept there")

    def _is_ours(self) -> bool:
        """Whether the folder exists, and only this user can write to it."""
        try:
            state = self.folder.lstat()
        except OSError:
            return False
        if sys.platform == "win32":  # pragma: no cover - each user has a temporary folder there
            return stat.S_ISDIR(state.st_mode)
        private = state.st_uid == os.getuid() and not state.st_mode & 0o077
        return stat.S_ISDIR(state.st_mode) and private


def spool_of(home: Path) -> Spool:
    """The spool of a home, whatever links lead to it."""
    user = "" if sys.platform == "win32" else f"{os.getuid()}-"
    name = of_bytes(os.fsencode(os.path.realpath(home))).removeprefix("sha256:")[:12]
    return Spool(temporary_folder() / f"flux2build-{user}{name}")


def _known(spooled: Attempt, journal: Journal) -> Attempt | None:
    """The ledger's entries about an attempt."""
    attempts = fold(journal.about(spooled.order)).attempts
    return next((each for each in attempts if each.name == spooled.name), None)


def _missing(spooled: Attempt, recorded: Attempt) -> Iterator[Entry]:
    """The entries about an attempt that the ledger lacks, in their order."""
    pairs = (
        (spooled.ticketed, recorded.ticketed),
        (spooled.kept, recorded.kept),
        (spooled.delivered, recorded.delivered),
        (spooled.voided, recorded.voided),
    )
    return (there for there, here in pairs if there is not None and here is None)
