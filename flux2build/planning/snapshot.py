"""Everything that a verdict may depend on, read once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.ledger import Ledger
from flux2build.lockfile import Block, Lockfile, ReviewState, Row
from flux2build.model import (
    AssetName,
    Derive,
    Generate,
    MasterOf,
    Order,
    Output,
    Receipt,
    Recipe,
    Source,
)
from flux2build.planning.finals import Owner
from flux2build.planning.reason import Reason

V = TypeVar("V")


class KnownPicture(Struct, frozen=True):
    """A picture that exists already: its bytes, and the receipt of the order it came from."""

    output: Digest
    receipt: Receipt | None = None
    described: Output | None = None
    """The output of a candidate, from an earlier lock."""


class Snapshot(Struct, frozen=True):
    """Everything that a verdict may depend on, read once."""

    profile: str
    files: Mapping[str, Digest]
    """Digest by path; a path without a file is absent."""
    lock: Lockfile
    ledger: Ledger
    has: Callable[[Digest], bool]
    """Whether bytes are at hand, in the store or in the work tree."""
    buys: Callable[[Recipe], bool] = lambda _recipe: True
    """Whether a recipe's picture is bought, and not drawn for free."""
    unrecorded: Callable[[Digest], bool] = lambda _key: False
    """Whether an order was or may have been sent, although the ledger does not know it."""
    purchases: Mapping[Digest, Sequence[KnownPicture]] = field(default_factory=dict)
    """The locked pictures that were paid for, by key."""
    earlier: Callable[[Digest], Sequence[KnownPicture]] = lambda _key: ()
    """The pictures that earlier versions of the lock say were paid for, by key."""
    bought: Callable[[Order], Sequence[KnownPicture]] = lambda _order: ()
    """The picture that another machine of the team has bought for an order."""
    obstacle: Callable[[Order], Reason | None] = lambda _order: None
    """The reason of the team's store why an order must not be sent."""
    hindered: Callable[[Digest], Reason | None] = lambda _key: None
    """The same reason, by the key of the order of `about`."""
    far: Callable[[Digest | None], bool] = lambda _digest: False
    """Whether bytes that are at hand have to come from the team's store."""
    locked_files: Container[Digest] = frozenset()
    """The bytes of every locked file, of all profiles."""
    ways_back: Callable[[str, Digest | None], Sequence[str]] = lambda _path, _bytes: ()
    """The ways in which git may restore a file, or certain bytes of it."""
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """The other profiles that made existing files, by path."""
    beside: frozenset[str] = frozenset()
    """The documents that lie among files which people write, by path."""
    pointer: Callable[[str], bool] = lambda _path: False
    """Whether a file is a Git LFS pointer, whose content was not fetched."""
    requested: frozenset[str] = frozenset()
    """Assets to render even though they are current."""
    encoders: Mapping[str, str] = field(default_factory=dict)
    """The installed encoder of each format, if files of other encoders are to be derived again."""
    pictures: Mapping[Digest, KnownPicture] = field(default_factory=dict)
    """The locked pictures by key; a build adds what it makes."""
    removable: Callable[[str, Digest], bool] = lambda _path, _digest: True
    """Whether a file at an older path, with these bytes, is proved to be ours."""
    metas: Mapping[AssetName, Digest] = field(default_factory=dict)
    """The digest of each asset's tags, alt text and title, which never render anything."""
    further: Mapping[AssetName, int] = field(default_factory=dict)
    """The number of candidates of an asset to order beyond those that it has."""
    reviewed: frozenset[AssetName] = frozenset()
    """The assets whose pictures a person has to approve before anything is made of them."""
    ships_approved: bool = False
    """Whether not even an asset's own files are made of a picture that is not approved."""
    reopened: frozenset[AssetName] = frozenset()
    """The assets whose decisions by a person are ignored."""

    def block(self, recipe: Recipe) -> Block | None:
        """The locked block of a recipe's asset."""
        return self.lock.block(recipe.asset, self.profile)

    def described(self, key: Digest, digest: Digest) -> Output | None:
        """The output of a candidate, from an earlier lock."""
        earlier = (each.described for each in self.earlier(key) if each.output == digest)
        return next(filter(None, earlier), None)

    def about(self, order: Order, older: Sequence[Digest] = ()) -> Snapshot:
        """The facts about one order under any of its names, as facts about the first name."""
        names = (*order.names, *older)
        first, ledger = names[0], self.ledger.about(names)
        pictures = [self.pictures[name] for name in names if name in self.pictures]
        return replace(
            self,
            ledger=ledger,
            unrecorded=lambda _key: any(map(self.unrecorded, names)),
            earlier=lambda _key: (
                [each for name in names for each in self.earlier(name)] or self.bought(order)
            ),
            hindered=lambda _key: self.obstacle(order),
            purchases={first: [each for name in names for each in self.purchases.get(name, ())]},
            pictures={first: pictures[0]} if pictures else {},
        )


class Locked(Struct, frozen=True):
    """A lock, with its pictures by their bytes and their keys."""

    lock: Lockfile
    pictures: Mapping[Digest, KnownPicture]
    purchases: Mapping[Digest, Sequence[KnownPicture]]
    files: Container[Digest]

    @classmethod
    def of(cls, lock: Lockfile) -> Locked:
        """Collect all of these from a lock."""
        return cls(
            lock,
            Late(lambda: locked_pictures(lock)),
            Late(lambda: locked_purchases(lock)),
            LateFiles(lambda: locked_files(lock)),
        )


class Late(Mapping[Digest, V]):
    """A mapping that is made when a key is first looked up, which few plans do."""

    def __init__(
        self, make: Callable[[], Mapping[Digest, V]], possible: Container[str] | None = None
    ) -> None:
        self._make, self._possible = make, possible

    @cached_property
    def _whole(self) -> Mapping[Digest, V]:
        return self._make()

    def __getitem__(self, key: Digest) -> V:
        if self._possible is not None and key not in self._possible:
            raise KeyError(key)
        return self._whole[key]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


class LateFiles(Container[Digest]):
    """Digests that are looked up when they are first needed."""

    def __init__(self, make: Callable[[], Container[Digest]]) -> None:
        self._make = make

    @cached_property
    def _whole(self) -> Container[Digest]:
        return self._make()

    def __contains__(self, digest: object) -> bool:
        return digest in self._whole


def locked_files(lock: Lockfile) -> frozenset[Digest]:
    """Return the bytes of every locked file."""
    return frozenset(row.output.sha256 for block in lock.blocks.values() for row in block.rows)


def locked_pictures(lock: Lockfile) -> dict[Digest, KnownPicture]:
    """Return every picture that a lock holds, by the key it was made for."""
    pictures: dict[Digest, KnownPicture] = {}
    for block in lock.blocks.values():
        for picture in block.pictures:
            pictures[picture.key] = KnownPicture(picture.output.sha256, picture.receipt)
        files: tuple[Row, ...] = (*block.derived, *block.written)
        for row in files:
            pictures[row.key] = KnownPicture(row.output.sha256)
    return pictures


def locked_purchases(lock: Lockfile) -> dict[Digest, list[KnownPicture]]:
    """Return every picture that a lock says was paid for, by the key it was bought for."""
    purchases: dict[Digest, list[KnownPicture]] = {}
    for block in lock.blocks.values():
        for row in (row for row in block.pictures if row.receipt.paid):
            picture = KnownPicture(row.output.sha256, row.receipt)
            purchases.setdefault(row.key, []).append(picture)
    return purchases


def locked(recipe: Recipe, snapshot: Snapshot) -> Row | None:
    """Return the locked row of a recipe's output, in the snapshot's profile."""
    block = snapshot.lock.block(recipe.asset, snapshot.profile)
    return row_of(recipe, block) if block else None


def row_of(recipe: Recipe, block: Block) -> Row | None:
    """Return the row of a block that belongs to a recipe's output."""
    if isinstance(recipe.task, Generate):
        return block.generated
    rows = block.derived if isinstance(recipe.task, Derive) else block.written
    return next((row for row in rows if row.output.path == recipe.output), None)


def unapproved(
    recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot
) -> AssetName | None:
    """Return the picture that has to be approved before anything is made of it, if there is one."""
    for source, digest in zip(recipe.inputs, inputs, strict=True):
        if isinstance(source, Source) or source.asset not in snapshot.reviewed:
            continue
        if source.asset == recipe.asset and not snapshot.ships_approved:
            continue
        block = snapshot.lock.block(source.asset, snapshot.profile)
        review = block.decision if block else None
        if review is None or review.state is not ReviewState.APPROVED:
            return source.asset
        if isinstance(source, MasterOf) and digest not in {None, review.sha256}:
            return source.asset
    return None
