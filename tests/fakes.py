"""Hand-written stand-ins for the world of a build."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from flux2build.digest import Digest, of_bytes
from flux2build.errors import DecisionError, Flux2BuildError, IncompleteError
from flux2build.images.documents.contract import Fact
from flux2build.ledger import Delivered, fold
from flux2build.lockfile import Lockfile, dumps
from flux2build.model import (
    AssetName,
    Bought,
    Derive,
    Order,
    Output,
    Receipt,
    Recipe,
    Write,
    derivation,
)
from flux2build.planning.snapshot import Snapshot, locked_pictures


class PowerCutError(BaseException):
    """The power is cut: nothing happens after this instant."""


@dataclass
class FakeWorld:
    """A world in memory; `fuse` is how many more effects happen before the power is cut.

    Renders are not repeatable: each has other bytes. What was bought is
    remembered by `bought`, like the ledger and the store do.
    """

    sources: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    store: dict[Digest, bytes] = field(default_factory=dict)
    bought: dict[Digest, Bought] = field(default_factory=dict)
    locked: Lockfile = field(default_factory=Lockfile)
    renders: list[AssetName] = field(default_factory=list)
    derives: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    doubtful: set[Digest] = field(default_factory=set)
    fuse: int | None = None
    patience: int | None = None
    """The number of renders after which a person asks to stop."""
    halt: asyncio.Event = field(default_factory=asyncio.Event)
    lanes: int = 2
    steady: bool = False
    """Whether renders of one prompt have the same bytes, whatever their inputs."""

    def _burn(self) -> None:
        if self.fuse is not None:
            if self.fuse == 0:
                raise PowerCutError
            self.fuse -= 1

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Sell a picture, unless the asset is to be refused."""
        self._burn()
        if order.digest in self.doubtful:
            raise DecisionError(f"`{recipe.asset}` may have been bought")
        if recipe.asset in self.refusing:
            raise IncompleteError(f"`{recipe.asset}` was refused")
        self.renders.append(recipe.asset)
        self.lose_patience()
        salt = "" if self.steady else f"{len(self.store)}"
        data = f"picture {order.prompt} {salt}".encode()
        digest = of_bytes(data)
        self.store[digest] = data
        self.bought[order.digest] = Bought(digest, Receipt("fake"))
        self._burn()
        return self.bought[order.digest]

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive bytes that name their inputs and operations."""
        self._burn()
        answers: list[bytes | Flux2BuildError] = []
        for recipe, digests in zip(recipes, inputs, strict=True):
            assert isinstance(recipe.task, Derive)
            self.derives.append(recipe.output)
            answers.append(f"derived {derivation(recipe.task, digests)}".encode())
        return answers

    async def write(self, task: Write, facts: Sequence[Fact]) -> bytes:
        """Compose a text that lists its facts."""
        self._burn()
        self.writes.append(task.document)
        lines = [task.document, *(f"{fact.about.json} {fact.output.sha256}" for fact in facts)]
        return "\n".join(lines).encode()

    def has(self, digest: Digest) -> bool:
        """Whether bytes are in the store or the tree."""
        return digest in self.store or digest in {of_bytes(data) for data in self.files.values()}

    async def fetch(self, digest: Digest) -> bytes:
        """Return bytes from the store or the tree."""
        in_tree = {**self.sources, **self.files}.values()
        by_digest = {of_bytes(data): data for data in in_tree}
        return self.store.get(digest) or by_digest[digest]

    async def place(self, path: str, data: bytes | Digest, vacated: str | None) -> Output:
        """Write a file."""
        data = await self.fetch(data) if isinstance(data, str) else data
        self._burn()
        if path in self.files:
            self.store.setdefault(of_bytes(self.files[path]), self.files[path])
        self.files[path] = data
        if vacated:
            self.files.pop(vacated, None)
        return Output(path, of_bytes(data), len(data), 16, 16, "png")

    def lock(self, lock: Lockfile) -> bytes:
        """Keep the lock."""
        self._burn()
        self.locked = lock
        return dumps(lock).encode()

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is in doubt."""
        return order in self.doubtful

    def lose_patience(self) -> None:
        """Ask to stop, once there have been enough renders."""
        if self.patience is not None and len(self.renders) >= self.patience:
            self.halt.set()

    def look(self, requested: frozenset[str] = frozenset()) -> Snapshot:
        """Take a snapshot for planning."""
        files = {path: of_bytes(data) for path, data in {**self.sources, **self.files}.items()}
        return Snapshot(
            profile="default",
            files=files,
            lock=self.locked,
            ledger=fold(
                Delivered(order=order, output=bought.digest, receipt=bought.receipt)
                for order, bought in self.bought.items()
            ),
            has=self.has,
            requested=requested,
            pictures=locked_pictures(self.locked),
        )
