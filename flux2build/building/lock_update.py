"""The lock as a build goes along: what comes out is entered asset by asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flux2build.lockfile import Block, Derived, Generated, Lockfile, Row, Seen, Written
from flux2build.model import (
    KEY_SCHEMA,
    Asset,
    AssetName,
    Derive,
    Generate,
    Output,
    Receipt,
    Recipe,
    Write,
)
from flux2build.planning.verdict import Verdict, row_of


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of a recipe: what it was made of, what it is, and what encoded it."""

    seen: tuple[Seen, ...]
    output: Output
    encoder: str = ""


@dataclass(slots=True)
class LockUpdate:
    """The blocks of one profile while a build enters what it made; others stay as they are."""

    lock: Lockfile
    """As it was before the build."""
    profile: str
    assets: Mapping[AssetName, Asset]
    blocks: dict[tuple[AssetName, str], Block] = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = dict(self.lock.blocks)

    def without(self, assets: Iterable[AssetName]) -> Lockfile:
        """The lock with everything that was entered, but the pictures of some assets."""
        blocks = dict(self.blocks)
        for asset in assets:
            key = (asset, self.profile)
            if key in blocks:
                blocks[key] = replace(blocks[key], generated=None)
                if not blocks[key].rows:
                    del blocks[key]
        return replace(self.lock, blocks=blocks)

    def output(self, recipe: Recipe) -> Output | None:
        """The file of a recipe as it was entered last; a picture's path may be an older one."""
        block = self.blocks.get((recipe.asset, self.profile))
        row = row_of(recipe, block) if block else None
        return row.output if row else None

    def touch(self, asset: AssetName) -> None:
        """Enter what is said about a kept asset beside its pixels."""
        block = self._block(asset)
        self.blocks[(asset, self.profile)] = block

    def enter(self, recipe: Recipe, made: Entry, verdict: Verdict) -> None:
        """Enter a file that a build put into its place."""
        block = self._block(recipe.asset)
        self.blocks[(recipe.asset, self.profile)] = block.with_row(_row(recipe, made, verdict))

    def supersede(self, wanted: Mapping[str, AssetName]) -> None:
        """Drop the rows of files that another asset has taken over."""
        for key, block in tuple(self.blocks.items()):
            paths = [row.output.path for row in block.rows]
            kept = [path for path in paths if wanted.get(path, key[0]) == key[0]]
            if key[1] != self.profile or kept == paths:
                continue
            if left := block.keeping(kept):
                self.blocks[key] = left
            else:
                del self.blocks[key]

    def _block(self, asset: AssetName) -> Block:
        key, meta = (asset, self.profile), self.assets[asset].meta
        block = self.blocks.get(key)
        return replace(block, meta=meta) if block else Block(*key, meta)


def _row(recipe: Recipe, made: Entry, verdict: Verdict) -> Row:
    if (key := verdict.key) is None:  # pragma: no cover - its inputs are known by now
        raise AssertionError(verdict)
    match recipe.task:
        case Generate(provider, model, prompt, params, take):
            return Generated(
                key=key,
                schema=KEY_SCHEMA,
                provider=provider,
                model=model,
                prompt=prompt,
                params=params,
                take=take,
                inputs=made.seen,
                output=made.output,
                receipt=verdict.receipt or Receipt(provider),
            )
        case Derive(ops, encoding):
            return Derived(key, KEY_SCHEMA, ops, encoding, made.seen, made.output, made.encoder)
        case Write(document, version):
            # Of a text only the bytes are recorded.
            text = Output(made.output.path, made.output.sha256, made.output.bytes)
            return Written(key, KEY_SCHEMA, document, version, text)
