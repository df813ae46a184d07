"""The real world of a build: threads, the store, the work tree and the lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.building.cores import cores
from flux2build.building.toolbox import Toolbox
from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError
from flux2build.images.documents.contract import Fact, compose
from flux2build.images.dominant import dominant_colours, written
from flux2build.images.formats.lookup import examine, media_type, sniff
from flux2build.images.provenance.iptc import source_type
from flux2build.images.provenance.signing import Signer
from flux2build.lockfile import Lockfile
from flux2build.lockfile.parts import text_of
from flux2build.model import Bought, Generate, Order, Output, Recipe, Write
from flux2build.providers.contract import Reference
from flux2build.storage import disk, durable

if TYPE_CHECKING:
    from flux2build.building.derivations import Derivations
    from flux2build.purchasing.renderer import Renderer

_AT_ONCE: Final = 16
"""Most files that are fetched from the team's store at once."""


class RealWorld:
    """Carries out what the runner decides, with threads, files and providers.

    Implements `effects.World`.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        lock_path: Path,
        renderers: Mapping[str, Renderer],
        toolbox: Toolbox,
        worded: Container[str] = frozenset(),
    ) -> None:
        self._artifacts, self._lock_path, self._renderers = artifacts, lock_path, renderers
        self._toolbox, self._signer = toolbox, toolbox.signer
        self._worded = worded
        """The paths of the pictures whose words are read."""
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="flux2build")
        self._colours: dict[Digest, str] = {}
        """The dominant colours of files that were derived; several may have the same bytes."""
        self._fetching = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="flux2build-fetch")
        self._swept: set[Path] = set()
        self._sweeping, self._reading = threading.Lock(), threading.Lock()

    @property
    def lanes(self) -> int:
        """The number of assets whose files can be derived at once."""
        return self._toolbox.deriving.lanes if self._toolbox.deriving else cores()

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Render an order at its provider."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - only orders are bought
            raise TypeError(recipe)

        async def references() -> Sequence[Reference]:
            return [
                await self._reference(str(source), digest)
                for source, digest in zip(recipe.inputs, order.inputs, strict=True)
            ]

        return await self._renderers[recipe.task.provider].buy(order, recipe, references)

    async def _reference(self, name: str, digest: Digest) -> Reference:
        data = await self.fetch(digest)
        return Reference(name.removeprefix("asset:"), data, media_type(sniff(data)))

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is pending, kept aside or in doubt, or was bought in this build."""
        return any(renderer.unsettled(order) for renderer in self._renderers.values())

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files of one asset on all cores; its master is decoded once."""
        try:
            needed = dict.fromkeys(digest for row in inputs for digest in row)
            bytes_of = {digest: await self.fetch(digest) for digest in needed}
        except Flux2BuildError as failure:
            return [failure] * len(recipes)
        rows = [tuple(bytes_of[digest] for digest in row) for row in inputs]
        return await self._derivations.derive(recipes, rows)

    @cached_property
    def _derivations(self) -> Derivations:
        from flux2build.building.derivations import Derivations

        return Derivations(self._toolbox, self._pool, self._colours)

    async def write(self, task: Write, facts: Sequence[Fact]) -> bytes:
        """Compose a document in a thread; it may read the files that it describes."""

        def read(fact: Fact) -> bytes:
            return self._artifacts.get(fact.output.sha256)

        return await asyncio.to_thread(compose, task, facts, self._toolbox.documents, read)

    async def fetch(self, digest: Digest) -> bytes:
        """Read and hash bytes in a thread; many at once if they come from the team's store."""
        if self._artifacts.far(digest):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._fetching, self._artifacts.get, digest)
        return await asyncio.to_thread(self._artifacts.get, digest)

    async def place(self, path: str, data: bytes | Digest, vacated: str | None) -> Output:
        """Write a file durably, after putting the file that it replaces into the store."""
        if isinstance(data, str) and self._artifacts.far(data):
            data = await self.fetch(data)
        return await asyncio.to_thread(self._place, path, data, vacated)

    def _place(self, path: str, what: bytes | Digest, vacated: str | None) -> Output:
        data = self._artifacts.get(what) if isinstance(what, str) else what
        self._sweep(self._artifacts.folder.joinpath(path).parent)
        digest = self._artifacts.replace(path, data)
        if vacated is not None:
            self._artifacts.remove(vacated)
        colours = self._colours.get(digest)
        output = described_in_full(path, digest, data, self._signer, colours)
        if path not in self._worded:
            return output
        from flux2build.images import reading

        if not reading.installed():
            return output
        with self._reading:
            return replace(output, text=reading.written(reading.read(data)))

    def lock(self, lock: Lockfile) -> bytes:
        """Write the lock durably, and return its text."""
        self._sweep(self._lock_path.parent)
        data = text_of(lock)
        disk.replace(self._lock_path, data)
        return data

    def _sweep(self, folder: Path) -> None:
        """Remove temporary files of earlier builds, once per folder; no other build runs now."""
        with self._sweeping:
            if folder not in self._swept:
                self._swept.add(folder)
                durable.sweep(folder)


def described_in_full(
    path: str, digest: Digest, data: bytes, signer: Signer, colours: str | None = None
) -> Output:
    """The lock's description of a file, with its `colours` if they are known already."""
    picture = examine(data)
    return Output(
        path,
        digest,
        len(data),
        picture.width,
        picture.height,
        picture.format,
        source_type(data),
        written(dominant_colours(data)) if colours is None else colours,
        signer.verified(data),
        signer.unsigned(digest),
    )
