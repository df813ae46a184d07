"""The claims: a lock file for each order, whose text names the newest attempt to buy it.

It is a second witness: where the journal is lost, cut off or an older copy, it shows that
there was an order. Claims of 0.1.0 name no attempt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import SystemFault
from flux2build.ledger.entries import Intended
from flux2build.storage import locks, regular
from flux2build.storage.durable import fault, folder

_OURS_ALONE: Final = 0o600
_FILE: Final = r"[0-9a-f]{64}\.lock"


class Claim(Struct, frozen=True):
    """The facts in a claim about its order."""

    order: Digest
    attempt: str = ""
    """The newest attempt to buy it; empty if it names none."""
    written: int = 0
    """The time of the last write, in seconds since 1970."""


class Claims:
    """The folder of the claims, one file for each order that a build was about to buy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[Digest]:
        """The orders, sorted."""
        for path in sorted(self._folder.glob("*.lock")):
            if re.fullmatch(_FILE, path.name):
                yield Digest(f"sha256:{path.stem}")

    def path(self, order: Digest) -> Path:
        """Where the claim on an order lies."""
        return self._folder / f"{order.removeprefix('sha256:')}.lock"

    def take(self, order: Digest) -> int | None:
        """Lock an order until the file is closed; None while another process has it.

        Raises:
            SystemFault: the file cannot be locked.
        """
        path = self.path(order)
        try:
            folder(path.parent, 0o700)
            claim = locks.opened(path, _OURS_ALONE)
            if locks.try_lock(claim):
                return claim
            os.close(claim)
        except OSError as error:
            raise fault("lock", path, error) from error
        return None

    @contextmanager
    def held(self, order: Digest) -> Iterator[bool]:
        """Lock an order for the duration of the context; yields whether that was possible.

        Raises:
            SystemFault: the file cannot be locked.
        """
        claim = self.take(order)
        try:
            yield claim is not None
        finally:
            if claim is not None:
                locks.release(claim)

    @contextmanager
    def free(self, order: Digest) -> Iterator[bool]:
        """Lock an order for the context, if possible; yields whether no other process has it.

        That is enough to collect it, which costs nothing, and does no harm if two do so.
        """
        with ExitStack() as lock:
            try:
                free = lock.enter_context(self.held(order))
            except SystemFault:
                free = True
            yield free

    def attempt(self, order: Digest) -> str:
        """The newest attempt to buy an order; empty if its claim names none."""
        try:
            return regular.read(self.path(order)).decode("utf-8", "replace")
        except OSError:
            return ""

    def read(self) -> Iterator[Claim]:
        """The facts in each claim."""
        for order in self:
            with suppress(OSError):
                written = int(self.path(order).stat().st_mtime)
                yield Claim(order, self.attempt(order), written)

    def name(self, intended: Intended) -> None:
        """Name an attempt in the claim on its order, which its buyer has locked.

        It is not synced and may fail, because the journal counts as long as it exists.
        """
        with suppress(OSError):
            claim = os.open(self.path(intended.order), os.O_WRONLY)
            try:
                os.ftruncate(claim, os.write(claim, intended.attempt.encode()))
            finally:
                os.close(claim)
