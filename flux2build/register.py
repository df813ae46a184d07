"""The lock as a build goes along: what comes out is entered asset by asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flux2build.digest import Digest
from flux2build.lockfile import Block, Derived, Generated, Lockfile, Output, Seen
from flux2build.model import KEY_SCHEMA, Asset, AssetName, Derive, Generate, Input, Receipt, Recipe
from flux2build.verdict import Verdict


@dataclass(slots=True)
class Register:
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
                if not blocks[key].derived:
                    del blocks[key]
        return replace(self.lock, blocks=blocks)

    def output(self, asset: AssetName) -> Output | None:
        """The picture of an asset as it was entered last."""
        block = self.blocks.get((asset, self.profile))
        return block.generated.output if block and block.generated else None

    def touch(self, asset: AssetName) -> None:
        """Enter what is said about a kept asset beside its pixels."""
        self._put(self._block(asset))

    def master(
        self, recipe: Recipe, inputs: Sequence[Digest], output: Output, verdict: Verdict
    ) -> None:
        """Enter a rendered, collected, restored or adopted picture."""
        task = recipe.task
        if not isinstance(task, Generate) or verdict.key is None:  # pragma: no cover
            raise TypeError(recipe)
        row = Generated(
            key=verdict.key,
            schema=KEY_SCHEMA,
            provider=task.provider,
            model=task.model,
            prompt=task.prompt,
            params=task.params,
            take=task.take,
            inputs=_seen(recipe.inputs, inputs),
            output=output,
            receipt=verdict.receipt or Receipt(task.provider),
        )
        self._put(replace(self._block(recipe.asset), generated=row))

    def derived(
        self, recipe: Recipe, inputs: Sequence[Digest], output: Output, key: Digest, encoder: str
    ) -> None:
        """Enter a deliverable, with the versions of the libraries that wrote it."""
        task = recipe.task
        if not isinstance(task, Derive):  # pragma: no cover
            raise TypeError(recipe)
        row = Derived(
            key=key,
            schema=KEY_SCHEMA,
            ops=task.ops,
            encoding=task.encoding,
            inputs=_seen(recipe.inputs, inputs),
            output=output,
            encoder=encoder,
        )
        block = self._block(recipe.asset)
        others = [old for old in block.derived if old.output.path != output.path]
        rows = sorted((*others, row), key=lambda one: one.output.path)
        self._put(replace(block, derived=tuple(rows)))

    def supersede(self, wanted: Mapping[str, AssetName]) -> None:
        """Drop the rows of files that another asset has taken over."""
        for key, block in tuple(self.blocks.items()):
            if key[1] != self.profile:
                continue
            made = block.generated
            if made and wanted.get(made.output.path, key[0]) != key[0]:
                made = None
            rows = tuple(r for r in block.derived if wanted.get(r.output.path, key[0]) == key[0])
            if made or rows:
                self.blocks[key] = replace(block, generated=made, derived=rows)
            elif block.generated or block.derived:
                del self.blocks[key]

    def _block(self, asset: AssetName) -> Block:
        key, meta = (asset, self.profile), self.assets[asset].meta
        block = self.blocks.get(key)
        return replace(block, meta=meta) if block else Block(*key, meta)

    def _put(self, block: Block) -> None:
        self.blocks[(block.asset, block.profile)] = block


def _seen(inputs: Sequence[Input], digests: Sequence[Digest]) -> tuple[Seen, ...]:
    return tuple(Seen(str(s), digest) for s, digest in zip(inputs, digests, strict=True))
