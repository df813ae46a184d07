"""What is locked: for every asset and profile what was asked, seen, and what came out."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from flux2build.digest import Digest, Json
from flux2build.model import AssetName, Operation, Output, Receipt

REVISION: Final = 1
"""Of the format: an older reader of the same version keeps what it does not know."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An input as it was: its name (`refs/desk.jpg`, `asset:mascot`) and its bytes."""

    name: str
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Generated:
    """A rendered master: the request in clear, the output, the receipt."""

    key: Digest
    schema: int
    provider: str
    model: str
    prompt: str
    params: Mapping[str, Json]
    take: int
    inputs: tuple[Seen, ...]
    output: Output
    receipt: Receipt
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a newer revision wrote here; kept as it is."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A deliverable: how it was derived, and what came out."""

    key: Digest
    schema: int
    ops: tuple[Operation, ...]
    encoding: Mapping[str, Json]
    inputs: tuple[Seen, ...]
    output: Output
    encoder: str = ""
    """Library versions that wrote it; informative, never drift."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a newer revision wrote here; kept as it is."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document: which one, by which rules, and what came out."""

    key: Digest
    schema: int
    document: str
    version: int
    output: Output
    """Its width and height are 0, and its format is empty."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a newer revision wrote here; kept as it is."""


Row = Generated | Derived | Written


@dataclass(frozen=True, slots=True)
class Block:
    """All that is locked of one asset in one profile."""

    asset: AssetName
    profile: str
    meta: Digest
    generated: Generated | None = None
    derived: tuple[Derived, ...] = ()
    """Sorted by output path."""
    written: tuple[Written, ...] = ()
    """Sorted by output path."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a newer revision wrote beside this; kept as it is."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every output that is locked, the master first."""
        made = (self.generated,) if self.generated else ()
        return (*made, *self.derived, *self.written)

    def row(self, path: str) -> Row | None:
        """What is locked of the output at a path."""
        return next((row for row in self.rows if row.output.path == path), None)

    def with_row(self, row: Row) -> Block:
        """This block with the row of one output put in or replaced."""
        match row:
            case Generated():
                return replace(self, generated=row)
            case Derived():
                return replace(self, derived=_put(self.derived, row))
            case Written():
                return replace(self, written=_put(self.written, row))

    def keeping(self, paths: Container[str]) -> Block | None:
        """This block with the outputs at some paths only; None when it has none of them."""
        made = self.generated
        if made and made.output.path not in paths:
            made = None
        derived = tuple(row for row in self.derived if row.output.path in paths)
        written = tuple(row for row in self.written if row.output.path in paths)
        if not (made or derived or written):
            return None
        return replace(self, generated=made, derived=derived, written=written)


R = TypeVar("R", bound=Derived | Written)


def _put(rows: tuple[R, ...], row: R) -> tuple[R, ...]:
    others = (old for old in rows if old.output.path != row.output.path)
    return tuple(sorted((*others, row), key=lambda one: one.output.path))


@dataclass(frozen=True, slots=True)
class Lockfile:
    """The whole lock, immutable; `with_block` and `without` give the next one."""

    blocks: Mapping[tuple[AssetName, str], Block] = field(default_factory=dict)
    revision: int = REVISION
    """The newest revision of the format that wrote to it."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a newer revision wrote at the top; kept as it is."""

    def block(self, asset: AssetName, profile: str) -> Block | None:
        """What is locked of an asset in a profile."""
        return self.blocks.get((asset, profile))

    def with_block(self, block: Block) -> Lockfile:
        """This lock with one block put in or replaced."""
        return replace(self, blocks={**self.blocks, (block.asset, block.profile): block})

    def without(self, asset: AssetName, profile: str) -> Lockfile:
        """This lock without one block."""
        kept = {key: block for key, block in self.blocks.items() if key != (asset, profile)}
        return replace(self, blocks=kept)
