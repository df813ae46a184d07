"""The differences between two states of a lock."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from flux2build.digest import Digest
from flux2build.lockfile.block import Block, Generated, Lockfile
from flux2build.model import AssetName, Receipt


class LockChange(NamedTuple):
    """The change to an asset in a profile."""

    asset: AssetName
    profile: str
    before: Block | None
    """None if the asset is new."""
    after: Block | None
    """None if the asset was removed."""
    former: AssetName | None = None
    """The earlier name of the asset, if it was renamed."""
    earlier: Container[str] = frozenset()
    """The tasks of orders that an earlier lock had, and that may have returned."""

    @property
    def generated(self) -> tuple[Generated | None, Generated | None]:
        """The row of the rendered picture, before and after."""
        before, after = self.before, self.after
        return before.generated if before else None, after.generated if after else None

    @property
    def bought(self) -> tuple[Receipt, ...]:
        """The receipts of the pictures that were paid for since, candidates among them."""
        before, after = _paid(self.before), _paid(self.after)
        return tuple(
            receipt
            for order, receipt in after.items()
            if before.get(order) != receipt and receipt.task not in self.earlier
        )


def compare(before: Lockfile, after: Lockfile) -> list[LockChange]:
    """Every asset that was added, changed, renamed or removed, by name and profile."""
    by_bytes = {
        _bytes(block): block for key, block in before.blocks.items() if key not in after.blocks
    }
    renamed, changes = set[AssetName](), list[LockChange]()
    for key, block in sorted(after.blocks.items()):
        old = before.blocks.get(key)
        if old is None and (digests := _bytes(block)) in by_bytes and digests:
            old = by_bytes[digests]
            renamed.add(old.asset)
            changes.append(LockChange(*key, old, block, old.asset))
        elif old != block:
            changes.append(LockChange(*key, old, block))
    removed = (
        LockChange(*key, block, None)
        for key, block in sorted(before.blocks.items())
        if key not in after.blocks and block.asset not in renamed
    )
    return [*changes, *removed]


def _paid(block: Block | None) -> dict[Digest, Receipt]:
    """The receipts of paid pictures, by order."""
    rows = () if block is None else (*block.candidates, block.generated)
    return {
        row.key: row.receipt
        for row in rows
        if row is not None and row.receipt.paid and not row.receipt.adopted
    }


def _bytes(block: Block) -> frozenset[Digest]:
    return frozenset(row.output.sha256 for row in block.rows)


def files(change: LockChange) -> Iterator[tuple[str, Digest | None, Digest | None]]:
    """The files whose bytes or paths differ: each path, with its digests before and after."""
    before, after = (
        {row.output.path: row.output.sha256 for row in block.rows} if block else {}
        for block in (change.before, change.after)
    )
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield path, before.get(path), after.get(path)
