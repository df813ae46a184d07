"""The claims that this machine has taken in a team's store and not given back yet.

Each claim is noted before it is taken, with all that its receipt will need. So the next build
finishes whatever a crash, or a store that is down, has prevented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from msgspec import MsgspecError, Struct, json

from flux2build.digest import Digest
from flux2build.model import Order
from flux2build.storage import durable, regular

_OURS_ALONE: Final = 0o600


class HeldClaim(Struct, frozen=True, kw_only=True):
    """One claim: the attempt that took it, and the whole order."""

    order: Digest
    attempt: str
    model: str
    prompt: str
    params: Mapping[str, Any]
    inputs: tuple[Digest, ...]
    take: int

    @classmethod
    def of(cls, order: Order, attempt: str) -> HeldClaim:
        """The claim of an attempt to buy an order."""
        return cls(
            order=order.digest,
            attempt=attempt,
            model=order.model,
            prompt=order.prompt,
            params=order.params,
            inputs=order.inputs,
            take=order.take,
        )

    @property
    def asked(self) -> Order:
        """The order."""
        return Order(self.model, self.prompt, self.params, self.inputs, self.take)


_DECODER: Final = json.Decoder(HeldClaim)
"""Created at import, because two threads that teach msgspec one type at once crash it."""


class HeldClaims:
    """The folder of these claims, one file for each order; the first claim creates it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[HeldClaim]:
        """Every claim, in the order of their names."""
        for path in sorted(self._folder.glob("*.json")):
            if claim := self.get(Digest(f"sha256:{path.stem}")):
                yield claim

    def __bool__(self) -> bool:
        return any(True for _ in self._folder.glob("*.json"))

    def get(self, order: Digest) -> HeldClaim | None:
        """The claim on an order; None if there is none, or it cannot be read."""
        with suppress(OSError, MsgspecError):
            claim = _DECODER.decode(regular.read(self._path(order)))
            return claim if claim.asked.digest == order == claim.order else None
        return None

    def note(self, claim: HeldClaim) -> None:
        """Note a claim durably, before it is taken.

        Raises:
            SystemFault: the disk does not allow it.
        """
        durable.folder(self._folder, 0o700)
        durable.replace(self._path(claim.order), json.encode(claim), _OURS_ALONE)

    def forget(self, order: Digest) -> None:
        """Forget a claim that was given back."""
        with suppress(OSError):
            self._path(order).unlink()

    def _path(self, order: Digest) -> Path:
        return self._folder / f"{order.removeprefix('sha256:')}.json"
