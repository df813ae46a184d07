"""The real world of a build: threads, the store, the work tree and the lock."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from flux2build import lockfile
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.images.colour.difference import written
from flux2build.images.colour.dominant import tones
from flux2build.images.container import examine
from flux2build.images.derive import Want, derive_many
from flux2build.images.documents.contract import Document, Fact, compose
from flux2build.images.encode import versions
from flux2build.images.ops.contract import Op
from flux2build.images.provenance.iptc import source_type
from flux2build.images.provenance.signing import Signer
from flux2build.lockfile import Lockfile
from flux2build.model import Bought, Derive, Generate, Order, Output, Recipe, Write
from flux2build.providers.contract import Reference
from flux2build.purchasing.local_renderer import Loading
from flux2build.storage import disk, durable
from flux2build.storage.lfs import is_lfs_pointer
from flux2build.storage.store import Store

_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where bytes can be had: the store, and files of the work tree that hold them."""

    folder: Path
    store: Store
    paths: dict[Digest, str]
    """Where in the work tree bytes are; it moves along with the build."""
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
        path = self.paths.get(digest)
        data = None if path is None else self._read(path)
        if data is not None and of_bytes(data) == digest:
            return data
        if path is None or self.store.has(digest):
            return self.store.get(digest)
        if data is not None and is_lfs_pointer(data):
            raise SystemFault(f"`{path}` is a Git LFS pointer", hint="`git lfs pull` fetches it")
        hint = "run the build again; it looks at the files anew"
        raise SystemFault(f"`{path}` changed while building", hint=hint)

    def replace(self, path: str, data: bytes) -> Digest:
        """Write a file durably; what it replaces is kept in the store first.

        Raises:
            SystemFault: the disk does not let it.
        """
        self._keep(path)
        disk.replace(self.folder / path, data)
        digest = of_bytes(data)
        self.paths[digest] = path
        return digest

    def remove(self, path: str) -> None:
        """Remove a file; it is kept in the store first.

        Raises:
            SystemFault: the disk does not let it.
        """
        self._keep(path)
        try:
            self.folder.joinpath(path).unlink(missing_ok=True)
        except OSError as error:
            raise durable.fault("remove", path, error) from error

    def _keep(self, path: str) -> None:
        """Put a file that is about to go into the store: nothing is lost."""
        data = None if self.folder.joinpath(path).is_symlink() else self._read(path)
        if data is None:
            return
        digest = of_bytes(data)
        if digest not in self.free:
            self.store.put(data)
        if self.paths.get(digest) == path:
            del self.paths[digest]

    def _read(self, path: str) -> bytes | None:
        """The bytes of a regular file, if there is one."""
        target = self.folder / path
        try:
            return target.read_bytes() if target.is_file() else None
        except OSError as error:
            raise durable.fault("read", path, error) from error


class Renderer(Protocol):
    """Where a rendered picture comes from."""

    async def buy(self, order: Order, recipe: Recipe, references: Loading) -> Bought:
        """Render an order, or collect it if it is on its way; the bytes go into the store."""

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is under way, kept aside or in doubt, or was just bought."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What is made locally: operations on pictures, and documents."""

    ops: Mapping[str, Op]
    documents: Mapping[str, Document]


class RealWorld:
    """Carries out what `build` decides; implements `build.World`."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the real world
        self,
        stock: Artifacts,
        lock_path: Path,
        markets: Mapping[str, Renderer],
        skills: Toolbox,
        halt: asyncio.Event,
        seal: Signer | None = None,
    ) -> None:
        self._stock, self._lock_path, self._markets = stock, lock_path, markets
        self._skills, self._halt, self._seal = skills, halt, seal or Signer()
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="flux2build")
        self._benches = asyncio.Semaphore(cores() + 1)
        self._swept: set[Path] = set()
        self._sweeping = threading.Lock()

    @property
    def halted(self) -> bool:
        """Whether a person asked to stop."""
        return self._halt.is_set()

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is under way, kept aside or in doubt, or was just bought."""
        return any(market.unsettled(order) for market in self._markets.values())

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

    def bench(self) -> asyncio.Semaphore:
        """A place to work at: one for each core, and one where files are being written."""
        return self._benches

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files of one asset on all cores; its master is decoded once."""
        try:
            needed = dict.fromkeys(digest for row in inputs for digest in row)
            bytes_of = {digest: await self.fetch(digest) for digest in needed}
        except Flux2BuildError as failure:
            return [failure] * len(recipes)
        wants = [
            Want(recipe.task, tuple(bytes_of[digest] for digest in row))
            for recipe, row in zip(recipes, inputs, strict=True)
            if isinstance(recipe.task, Derive)
        ]
        made = await asyncio.to_thread(self._derived, wants)
        return [_named(*each) for each in zip(recipes, made, strict=True)]

    def _derived(self, wants: Sequence[Want]) -> list[bytes | Flux2BuildError]:
        made = derive_many(wants, self._skills.ops, self._pool.map)
        return list(self._pool.map(self._sealed, wants, made))

    def _sealed(self, want: Want, made: bytes | Flux2BuildError) -> bytes | Flux2BuildError:
        """The file signed, if it is to be."""
        if isinstance(made, Flux2BuildError):
            return made
        try:
            return self._seal.signed(want.task, made, want.inputs[0])
        except Flux2BuildError as failure:
            return failure

    async def write(self, task: Write, facts: Sequence[Fact]) -> bytes:
        """Write a document in a thread; it may read what it tells of."""

        def read(fact: Fact) -> bytes:
            return self._stock.get(fact.output.sha256)

        return await asyncio.to_thread(compose, task, facts, self._skills.documents, read)

    async def measure(self, path: str, digest: Digest) -> Output:
        """What a source is, by what its container says."""
        data = await self.fetch(digest)
        found = examine(data)
        return Output(path, digest, len(data), found.width, found.height, found.format)

    def has(self, digest: Digest) -> bool:
        """Whether bytes can be had now."""
        return self._stock.has(digest)

    async def fetch(self, digest: Digest) -> bytes:
        """Bytes that exist, read and hashed in a thread."""
        return await asyncio.to_thread(self._stock.get, digest)

    async def place(self, path: str, data: bytes, was: str | None) -> Output:
        """Write a file durably; what it replaces is kept in the store first."""
        return await asyncio.to_thread(self._place, path, data, was)

    def _place(self, path: str, data: bytes, was: str | None) -> Output:
        found = examine(data)
        self._sweep(self._stock.folder.joinpath(path).parent)
        digest = self._stock.replace(path, data)
        if was is not None:
            self._stock.remove(was)
        return Output(
            path,
            digest,
            len(data),
            found.width,
            found.height,
            found.format,
            source_type(data),
            written(tones(data)),
            self._seal.verified(data),
            self._seal.unsigned(digest),
        )

    def lock(self, lock: Lockfile) -> None:
        """Write the lock durably."""
        self._sweep(self._lock_path.parent)
        disk.replace(self._lock_path, lockfile.dumps(lock).encode())

    def _sweep(self, folder: Path) -> None:
        """Remove what an earlier build left unfinished in a folder; this one is alone here."""
        with self._sweeping:
            if folder not in self._swept:
                self._swept.add(folder)
                durable.sweep(folder)

    def encoder(self, form: str) -> str:
        """Versions of Pillow and of the codec of a format."""
        return versions(form)


def cores() -> int:
    """The cores that this process may use, which containers and `taskset` limit."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _named(recipe: Recipe, made: bytes | Flux2BuildError) -> bytes | Flux2BuildError:
    """An answer whose problems call inputs by the names that people gave them."""
    if not isinstance(made, Flux2BuildError):
        return made

    def name(found: re.Match[str]) -> str:
        return f"`{str(recipe.inputs[int(found[1])]).removeprefix('asset:')}`"

    error = Flux2BuildError(
        *(replace(p, message=_INPUT.sub(name, p.message)) for p in made.problems)
    )
    error.exit = made.exit
    return error


_INPUT: Final = re.compile(r"`input (\d+)`")
