"""The real world of a build: threads, the store, the work tree and the lock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flux2build import disk, lockfile
from flux2build.build import Bought
from flux2build.container import examine
from flux2build.derive import Want, derive_many
from flux2build.digest import Digest, of_bytes
from flux2build.encode import versions
from flux2build.errors import Flux2BuildError, Problem, SystemFault
from flux2build.lockfile import Lockfile, Output
from flux2build.market import Loading
from flux2build.model import Derive, Generate, Order, Recipe
from flux2build.op import Op
from flux2build.provider import Reference
from flux2build.store import Store

_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


@dataclass(frozen=True, slots=True)
class Stock:
    """Where bytes can be had: the store, and files of the work tree that hold them."""

    folder: Path
    store: Store
    paths: Mapping[Digest, str]
    free: frozenset[Digest] = frozenset()
    """Bytes that can be derived again for nothing, and need not be kept."""

    def has(self, digest: Digest) -> bool:
        """Whether the bytes can be had."""
        return digest in self.paths or self.store.has(digest)

    def get(self, digest: Digest) -> bytes:
        """The bytes, re-hashed.

        Raises:
            SystemFault: neither the store nor the work tree holds them any more.
        """
        if self.store.has(digest):
            return self.store.get(digest)
        path = self.paths.get(digest)
        data = self.folder.joinpath(path).read_bytes() if path else b""
        if path is None or of_bytes(data) != digest:
            raise SystemFault(
                Problem(
                    f"the bytes of {digest} are gone" if path is None else f"`{path}` changed",
                    hint="run the build again; it looks at the files anew",
                )
            )
        return data

    def keep(self, path: str) -> None:
        """Put a file that is about to be replaced into the store: nothing is lost."""
        target = self.folder / path
        if target.is_file() and not target.is_symlink():
            data = target.read_bytes()
            if of_bytes(data) not in self.free:
                self.store.put(data)


class Market(Protocol):
    """Where a rendered picture comes from."""

    async def buy(self, order: Order, recipe: Recipe, references: Loading) -> Bought:
        """Render an order, or collect it if it is on its way; the bytes go into the store."""


class Workshop:
    """Carries out what `build` decides; implements `build.World`."""

    def __init__(
        self,
        stock: Stock,
        lock_path: Path,
        markets: Mapping[str, Market],
        ops: Mapping[str, Op],
        halt: asyncio.Event,
    ) -> None:
        self._stock, self._lock_path, self._markets, self._ops = stock, lock_path, markets, ops
        self._halt = halt
        self._pool = ThreadPoolExecutor(thread_name_prefix="flux2build")

    @property
    def halted(self) -> bool:
        """Whether a person asked to stop."""
        return self._halt.is_set()

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Render an order at its provider."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - only orders are bought
            raise TypeError(recipe)

        async def references() -> Sequence[Reference]:
            return [
                await self._reference(str(source), digest)
                for source, digest in zip(recipe.inputs, order.inputs, strict=True)
            ]

        return await self._markets[recipe.task.provider].buy(order, recipe, references)

    async def _reference(self, name: str, digest: Digest) -> Reference:
        data = await self.fetch(digest)
        found = examine(data)
        media_type = _TYPES.get(found.format, f"image/{found.format}")
        return Reference(name.removeprefix("asset:"), data, media_type)

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files of one asset on all cores; its master is decoded once."""
        try:
            bytes_of = {digest: await self.fetch(digest) for row in inputs for digest in row}
        except Flux2BuildError as failure:
            return [failure] * len(recipes)
        wants = [
            Want(recipe.task, tuple(bytes_of[digest] for digest in row))
            for recipe, row in zip(recipes, inputs, strict=True)
            if isinstance(recipe.task, Derive)
        ]
        return await asyncio.to_thread(derive_many, wants, self._ops, self._pool.map)

    async def fetch(self, digest: Digest) -> bytes:
        """Bytes that exist, read and hashed in a thread."""
        return await asyncio.to_thread(self._stock.get, digest)

    async def place(self, path: str, data: bytes, was: str | None) -> Output:
        """Write a file durably; what it replaces is kept in the store first."""
        return await asyncio.to_thread(self._place, path, data, was)

    def _place(self, path: str, data: bytes, was: str | None) -> Output:
        found = examine(data)
        self._stock.keep(path)
        disk.replace(self._stock.folder / path, data)
        if was is not None:
            self._vacate(was)
        return Output(path, of_bytes(data), len(data), found.width, found.height, found.format)

    def _vacate(self, path: str) -> None:
        self._stock.keep(path)
        self._stock.folder.joinpath(path).unlink(missing_ok=True)

    def lock(self, lock: Lockfile) -> None:
        """Write the lock durably."""
        disk.replace(self._lock_path, lockfile.dumps(lock).encode())

    def encoder(self, form: str) -> str:
        """Versions of Pillow and of the codec of a format."""
        return versions(form)
