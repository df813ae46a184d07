"""Small recipes, locks and snapshots for the tests of planning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from flux2build.digest import Digest, Json, of_bytes
from flux2build.ledger import Delivered, Entry, Intended, Kept, Ticketed, Voided, fold
from flux2build.lockfile import Block, Derived, Generated, LockedInput, Lockfile
from flux2build.model import (
    KEY_SCHEMA,
    AssetName,
    Derive,
    Generate,
    Input,
    MasterOf,
    Operation,
    Output,
    Receipt,
    Recipe,
    key_of,
)
from flux2build.planning.snapshot import Snapshot, locked_pictures

PROFILE: Final = "draft"
META: Final = of_bytes(b"meta")


def d(text: str) -> Digest:
    """The digest of a text."""
    return of_bytes(text.encode())


def master(
    name: str = "fox", prompt: str = "", *inputs: Input, take: int = 1, **params: Json
) -> Recipe:
    """A recipe that renders a picture, at `img/<name>.png`."""
    task = Generate("fake", "m", prompt or f"a {name}", params or {"width": 64}, take)
    return Recipe(AssetName(name), task, inputs, f"img/{name}.png", ("asset", name))


def deliverable(
    name: str = "fox", path: str = "img/fox.webp", *inputs: Input, size: int = 32
) -> Recipe:
    """A recipe that derives a file from a picture."""
    task = Derive((Operation("crop", 1, {"size": size}),), {"format": "webp"})
    return Recipe(AssetName(name), task, (MasterOf(AssetName(name)), *inputs), path)


def output(path: str, data: str) -> Output:
    """An output."""
    return Output(path, d(data), len(data), 64, 64, "png")


def generated(recipe: Recipe, inputs: Iterable[Digest] = (), data: str = "") -> Generated:
    """The row of a picture as a build would have entered it."""
    task, digests = recipe.task, tuple(inputs)
    assert isinstance(task, Generate)
    locked_inputs = tuple(
        LockedInput(str(s), digest) for s, digest in zip(recipe.inputs, digests, strict=True)
    )
    return Generated(
        key=key_of(task, digests),
        schema=KEY_SCHEMA,
        provider=task.provider,
        model=task.model,
        prompt=task.prompt,
        params=task.params,
        take=task.take,
        inputs=locked_inputs,
        output=output(recipe.output, data or f"picture of {recipe.asset}"),
        receipt=Receipt("fake"),
    )


def derived(recipe: Recipe, inputs: Iterable[Digest], data: str = "") -> Derived:
    """The row of a deliverable as a build would have entered it."""
    task, digests = recipe.task, tuple(inputs)
    assert isinstance(task, Derive)
    return Derived(
        key=key_of(task, digests),
        schema=KEY_SCHEMA,
        ops=task.ops,
        encoding=task.encoding,
        inputs=tuple(LockedInput(str(s), x) for s, x in zip(recipe.inputs, digests, strict=True)),
        output=output(recipe.output, data or f"file {recipe.output}"),
    )


def locked(*rows: tuple[Recipe, Generated | Derived], profile: str = PROFILE) -> Lockfile:
    """A lock with these rows."""
    blocks: dict[tuple[AssetName, str], Block] = {}
    for recipe, row in rows:
        key = (recipe.asset, profile)
        block = blocks.get(key) or Block(*key, META)
        if isinstance(row, Generated):
            block = replace(block, generated=row)
        else:
            files = sorted((*block.derived, row), key=lambda one: one.output.path)
            block = replace(block, derived=tuple(files))
        blocks[key] = block
    return Lockfile(blocks)


def files_of(lock: Lockfile) -> dict[str, Digest]:
    """The files of a work tree that agrees with the lock."""
    rows = [row for b in lock.blocks.values() for row in (b.generated, *b.derived) if row]
    return {row.output.path: row.output.sha256 for row in rows}


def snapshot(
    lock: Lockfile | None = None,
    files: Mapping[str, Digest] | None = None,
    entries: Iterable[Entry] = (),
    stored: Iterable[Digest] = (),
    requested: Iterable[str] = (),
) -> Snapshot:
    """A snapshot of a lock, its files or others, a ledger and a store."""
    lock = lock or Lockfile()
    there = files_of(lock) if files is None else files
    at_hand = {*there.values(), *stored}
    return Snapshot(
        profile=PROFILE,
        files=there,
        lock=lock,
        ledger=fold(entries),
        has=at_hand.__contains__,
        requested=frozenset(requested),
        pictures=locked_pictures(lock),
        locked_files=frozenset(files_of(lock).values()),
    )


def intended(order: Digest, attempt: str = "1", asset: str = "fox") -> Entry:
    """An order that is about to be sent."""
    return Intended(
        order=order,
        attempt=attempt,
        at="2026-01-01T00:00:00+00:00",
        provider="fake",
        model="m",
        asset=asset,
        reserve=Decimal(1),
        payload=d("payload"),
    )


def ticketed(order: Digest, attempt: str = "1") -> Entry:
    """An order that was accepted."""
    return Ticketed(
        order=order, attempt=attempt, at="2026-01-01T00:00:01+00:00", task="t", poll="p"
    )


def delivered(order: Digest, data: str, attempt: str = "1", task: str = "") -> Entry:
    """An order that arrived."""
    return Delivered(order=order, output=d(data), receipt=Receipt("fake", task), attempt=attempt)


def kept(order: Digest, attempt: str = "1") -> Entry:
    """An order that arrived and is not what was ordered."""
    return Kept(
        order=order,
        attempt=attempt,
        at="2026-01-01T00:00:02+00:00",
        output=d("wrong"),
        receipt=Receipt("fake"),
        message="too small",
    )


def voided(order: Digest, refusal: str, attempt: str = "1") -> Entry:
    """An order that was refused."""
    return Voided(
        order=order, attempt=attempt, at="2026-01-01T00:00:02+00:00", refusal=refusal, message="no"
    )
