"""Everything that judging may know, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.ledger import Ledger
from flux2build.lockfile import Block, Lockfile, Row
from flux2build.model import AssetName, Receipt, Recipe
from flux2build.planning.finals import Owner


class KnownPicture(Struct, frozen=True):
    """A picture that exists already: its bytes, and the receipt of the order it came from."""

    output: Digest
    receipt: Receipt | None = None


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
    """Whether a recipe's picture is bought, and not drawn for nothing."""
    unrecorded: Callable[[Digest], bool] = lambda _key: False
    """Whether an order was sent, or may have been, although the ledger does not know it."""
    purchases: Mapping[Digest, Sequence[KnownPicture]] = field(default_factory=dict)
    """The locked pictures that were paid for, by key."""
    earlier: Callable[[Digest], Sequence[KnownPicture]] = lambda _key: ()
    """The pictures that earlier versions of the lock say were paid for, by key."""
    locked_files: frozenset[Digest] = frozenset()
    """The bytes of every locked file, of all profiles."""
    ways_back: Callable[[str, Digest | None], Sequence[str]] = lambda _path, _bytes: ()
    """How git may bring a file back, or certain bytes of it."""
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """The profiles that made the files that are there, if not this one, by path."""
    beside: frozenset[str] = frozenset()
    """The documents that lie among files which people write, by path."""
    pointer: Callable[[str], bool] = lambda _path: False
    """Whether a file is a Git LFS pointer, whose content was not fetched."""
    requested: frozenset[str] = frozenset()
    """Assets to render even though they are current."""
    encoders: Mapping[str, str] = field(default_factory=dict)
    """The installed encoder of each format, if files that others wrote are to be derived again."""
    pictures: Mapping[Digest, KnownPicture] = field(default_factory=dict)
    """The locked pictures by key; a build adds what it makes."""
    removable: Callable[[str, Digest], bool] = lambda _path, _digest: True
    """Whether a file at an older path, with these bytes, is proved to be ours."""
    metas: Mapping[AssetName, Digest] = field(default_factory=dict)
    """The digest of each asset's tags, alt text and title, which never render anything."""
    further: Mapping[AssetName, int] = field(default_factory=dict)
    """How many candidates of an asset are ordered beyond those that it has."""

    def block(self, recipe: Recipe) -> Block | None:
        """What is locked of a recipe's asset."""
        return self.lock.block(recipe.asset, self.profile)

    def about(self, names: Sequence[Digest]) -> Snapshot:
        """What is known of one order, under whichever of its names, as of the first of them."""
        first, ledger = names[0], self.ledger.about(names)
        pictures = [self.pictures[name] for name in names if name in self.pictures]
        return replace(
            self,
            ledger=ledger,
            unrecorded=lambda _key: any(map(self.unrecorded, names)),
            earlier=lambda _key: [each for name in names for each in self.earlier(name)],
            purchases={first: [each for name in names for each in self.purchases.get(name, ())]},
            pictures={first: pictures[0]} if pictures else {},
        )


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
