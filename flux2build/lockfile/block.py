"""The content of a lock: for every asset and profile its request, inputs and outputs.

A block holds everything that is locked for one asset in one profile. It has a row for each output:
the generated picture, the derived files, and the written documents. It also has the candidates that
were ordered for the picture, and a person's decision about it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest, Json
from flux2build.model import AssetName, Operation, Order, Output, Receipt, model_name

REVISION: Final = 2
"""The newest revision of the format; an older reader of the same version keeps unknown keys."""


class LockedInput(Struct, frozen=True):
    """An input of a row: its name (`refs/desk.jpg`, `asset:mascot`) and its digest."""

    name: str
    sha256: Digest


class Generated(Struct, frozen=True):
    """The row of a rendered picture: the request in clear, the output, the receipt."""

    key: Digest
    schema: int
    provider: str
    model: str
    prompt: str
    params: Mapping[str, Json]
    take: int
    inputs: tuple[LockedInput, ...]
    output: Output
    receipt: Receipt
    picked: bool = False
    """Whether a person picked it among candidates."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""

    @property
    def order(self) -> Order:
        """The order of the picture."""
        inputs = tuple(each.sha256 for each in self.inputs)
        return Order(self.model, self.prompt, self.params, inputs, self.take)

    @property
    def renamed(self) -> Generated:
        """This row with its model's own name, and the key that follows from it."""
        if (name := model_name(self.model)) == self.model:
            return self
        order = replace(self.order, model=name)
        key = order.digest if self.key == self.order.digest else self.key
        return replace(self, model=name, key=key)


class Derived(Struct, frozen=True):
    """The row of a deliverable: how it was derived, and the output."""

    key: Digest
    schema: int
    ops: tuple[Operation, ...]
    encoding: Mapping[str, Json]
    inputs: tuple[LockedInput, ...]
    output: Output
    encoder: str = ""
    """The library versions that wrote it; informative, never drift."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""


class Written(Struct, frozen=True):
    """The row of a document: its kind, the version of its rules, and the output."""

    key: Digest
    schema: int
    document: str
    version: int
    output: Output
    """Its width and height are 0, and its format is empty."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""


class Candidate(Struct, frozen=True):
    """One of several takes of an asset's request: its order and its picture.

    Its bytes are in the store, never in the work tree. The request itself is in the spec; the key
    proves which request the candidate was ordered for.
    """

    number: int
    """Its number for people, from 1."""
    key: Digest
    take: int
    seed: int | None
    """The requested seed, if there is one."""
    output: Output
    """Its path is empty."""
    receipt: Receipt
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""


class ReviewState(StrEnum):
    """The decisions that a person can make about a picture."""

    APPROVED = "approved"
    HELD = "held"
    """The picture stays as it is, whatever the spec says."""
    REJECTED = "rejected"
    DISPUTED = "disputed"
    """A merge combined two decisions that contradict each other."""


class Review(Struct, frozen=True):
    """A person's decision about the bytes of a picture; it is void for any other bytes."""

    state: ReviewState
    sha256: Digest
    by: str
    at: str
    note: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""


Row = Generated | Derived | Written
"""The locked facts of one output."""


class Block(Struct, frozen=True):
    """Everything that is locked of one asset in one profile."""

    asset: AssetName
    profile: str
    meta: Digest
    generated: Generated | None = None
    derived: tuple[Derived, ...] = ()
    """Sorted by output path."""
    written: tuple[Written, ...] = ()
    """Sorted by output path."""
    candidates: tuple[Candidate, ...] = ()
    """Sorted by number."""
    review: Review | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all outputs, the generated picture first."""
        generated = (self.generated,) if self.generated else ()
        return (*generated, *self.derived, *self.written)

    @property
    def pictures(self) -> tuple[Generated | Candidate, ...]:
        """The rendered picture, and the candidates for it."""
        return (*self.candidates, *((self.generated,) if self.generated else ()))

    @property
    def keys(self) -> Iterator[Digest]:
        """The keys of all outputs and candidates."""
        return (each.key for each in (*self.rows, *self.candidates))

    def row(self, path: str) -> Row | None:
        """Return the row of the output at a path."""
        return next((row for row in self.rows if row.output.path == path), None)

    def with_row(self, row: Row) -> Block:
        """Return this block with one row added or replaced."""
        match row:
            case Generated():
                return replace(self, generated=row)
            case Derived():
                return replace(self, derived=_put(self.derived, row))
            case Written():
                return replace(self, written=_put(self.written, row))

    def with_candidate(self, candidate: Candidate) -> Block:
        """Return this block with one candidate added or replaced."""
        others = (each for each in self.candidates if each.number != candidate.number)
        ordered = sorted((*others, candidate), key=lambda each: each.number)
        return replace(self, candidates=tuple(ordered))

    def keeping(self, paths: Container[str]) -> Block | None:
        """Return this block with only the outputs at some paths; None if nothing remains.

        The candidates stay: they are receipts of pictures that may still be picked.
        """
        generated = self.generated
        if generated and generated.output.path not in paths:
            generated = None
        derived = tuple(row for row in self.derived if row.output.path in paths)
        written = tuple(row for row in self.written if row.output.path in paths)
        if not (generated or derived or written or self.candidates):
            return None
        review = self.review if generated else None
        return replace(self, generated=generated, derived=derived, written=written, review=review)

    @property
    def decision(self) -> Review | None:
        """The decision about the locked picture; a decision about other bytes is void."""
        bytes_ = self.generated.output.sha256 if self.generated else None
        return self.review if self.review and self.review.sha256 == bytes_ else None


R = TypeVar("R", bound=Derived | Written)


def _put(rows: tuple[R, ...], row: R) -> tuple[R, ...]:
    others = (old for old in rows if old.output.path != row.output.path)
    return tuple(sorted((*others, row), key=lambda one: one.output.path))


class Lockfile(Struct, frozen=True):
    """The whole lock."""

    blocks: Mapping[tuple[AssetName, str], Block] = field(default_factory=dict)
    revision: int = 1
    """The newest revision that wrote to it."""
    older: bool = False
    """Whether its text names models as carriers spell them, which new locks do not."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Unknown keys that a newer revision wrote, kept as they are."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lockfile) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[Mapping[tuple[AssetName, str], Block], int, Mapping[str, Json]]:
        return self.blocks, self.revision, self.extra

    @property
    def needed(self) -> int:
        """The oldest revision with all features that the lock uses; it rises only for new ones."""
        news = any(
            block.candidates or block.review or (block.generated and block.generated.picked)
            for block in self.blocks.values()
        )
        return REVISION if news else 1

    def block(self, asset: AssetName, profile: str) -> Block | None:
        """Return the block of an asset in a profile."""
        return self.blocks.get((asset, profile))
