"""The real world of a build: few masters at once, each fetched once, and the same bytes every time."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from PIL import Image

from flux2build.building.artifacts import Artifacts
from flux2build.building.cores import cores
from flux2build.building.runner import build
from flux2build.building.toolbox import Toolbox
from flux2build.building.world import RealWorld
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Flux2BuildError
from flux2build.images.ops import OPS
from flux2build.ledger import fold
from flux2build.lockfile import Lockfile
from flux2build.model import Asset, AssetName, Derive, Operation, Recipe, Source
from flux2build.planning.plan import plan
from flux2build.planning.snapshot import Snapshot
from flux2build.storage.store import Store

MASTERS = 3 * cores() + 2
FILES = [(width, form) for width in (16, 24) for form in ("webp", "jpeg", "png")]


@dataclass
class Book:
    """What a world did."""

    fetched: Counter[Digest] = field(default_factory=Counter)
    working: int = 0
    most: int = 0


class CountingWorld(RealWorld):
    """A real world that counts what it does."""

    book: Book

    async def fetch(self, digest: Digest) -> bytes:
        """The bytes, counted."""
        self.book.fetched[digest] += 1
        return await super().fetch(digest)

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """The files, with how many masters are worked on."""
        self.book.working += 1
        self.book.most = max(self.book.most, self.book.working)
        answers = await super().derive(recipes, inputs)
        self.book.working -= 1
        return answers


def recipes() -> list[Recipe]:
    """Six files of each of many photos."""
    return [
        Recipe(
            AssetName(f"photo{number}"),
            Derive((Operation("resize", 2, {"width": width}),), {"format": form}),
            (Source(f"{number}.png"),),
            f"out/{number}-{width}.{form}",
        )
        for number in range(MASTERS)
        for width, form in FILES
    ]


def built(folder: Path) -> tuple[Book, dict[str, bytes]]:
    """What a build in a fresh folder does, and the files it leaves."""
    folder.mkdir()
    files: dict[str, Digest] = {}
    for number in range(MASTERS):
        target = io.BytesIO()
        Image.new("RGB", (32, 32), (9 * number % 256, 99, 9)).save(target, "png")
        folder.joinpath(f"{number}.png").write_bytes(target.getvalue())
        files[f"{number}.png"] = of_bytes(target.getvalue())
    artifacts = Artifacts(
        folder, Store(folder / "store"), {digest: name for name, digest in files.items()}
    )
    wanted, book = recipes(), Book()
    metas = {recipe.asset: Asset(recipe.asset, recipe.asset, {}).meta for recipe in wanted}
    snapshot = Snapshot("default", files, Lockfile(), fold(()), artifacts.has, metas=metas)
    agreed = plan(wanted, snapshot, lambda _: (Decimal(0), Decimal(0)))

    async def run() -> None:
        world = CountingWorld(artifacts, folder / "assets.lock", {}, Toolbox(OPS, {}))
        world.book = book
        report = await build(agreed, snapshot, world, lambda _: None, asyncio.Event())
        assert not report.failures

    asyncio.run(run())
    return book, {recipe.output: (folder / recipe.output).read_bytes() for recipe in wanted}


def test_memory_is_bounded_by_cores_not_by_masters(tmp_path: Path) -> None:
    """However many masters there are, hardly more than one for each core is in work."""
    book, files = built(tmp_path / "a")
    assert len(files) == MASTERS * len(FILES)
    assert 2 <= book.most <= cores() + 1


def test_a_master_is_fetched_once_for_all_of_its_files(tmp_path: Path) -> None:
    """Six files of one master cost one read of it."""
    book, _ = built(tmp_path / "a")
    assert len(book.fetched) == MASTERS
    assert set(book.fetched.values()) == {1}


def test_two_builds_write_the_same_bytes(tmp_path: Path) -> None:
    """Whichever thread is first, every file has the same bytes; so has the lock."""
    _, first = built(tmp_path / "a")
    _, second = built(tmp_path / "b")
    assert first == second
    assert (tmp_path / "a/assets.lock").read_bytes() == (tmp_path / "b/assets.lock").read_bytes()


def test_files_of_the_same_bytes_have_the_same_colours(tmp_path: Path) -> None:
    """Whichever of two equal files is placed first, the lock tells the same colours of both."""
    picture = Image.effect_mandelbrot((64, 64), (-2, -1.5, 1, 1.5), 100).convert("RGB")
    picture.putpixel((0, 0), (200, 30, 90))
    picture.save(tmp_path / "a.png")
    digest = of_bytes((tmp_path / "a.png").read_bytes())
    artifacts = Artifacts(tmp_path, Store(tmp_path / "store"), {digest: "a.png"})
    task = Derive((Operation("resize", 2, {"width": 16}),), {"format": "webp", "quality": 1})
    both = [Recipe(AssetName(n), task, (Source("a.png"),), f"{n}.webp") for n in ("a", "b")]

    async def colours() -> list[str]:
        world = RealWorld(artifacts, tmp_path / "assets.lock", {}, Toolbox(OPS, {}))
        files = [(await world.derive([each], [(digest,)]))[0] for each in both]
        pairs = [(r.output, f) for r, f in zip(both, files, strict=True) if isinstance(f, bytes)]
        return [(await world.place(path, data, None)).colours for path, data in pairs]

    first, second = asyncio.run(colours())
    assert first == second
