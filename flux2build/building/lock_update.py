"""The lock during a build: every finished step is entered at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.images.encode import versions
from flux2build.images.formats.lookup import examine
from flux2build.lockfile import (
    Block,
    Candidate,
    Derived,
    Generated,
    LockedInput,
    Lockfile,
    Row,
    Written,
)
from flux2build.model import (
    KEY_SCHEMA,
    AssetName,
    Derive,
    Generate,
    MasterOf,
    Output,
    OutputOf,
    Receipt,
    Recipe,
    Write,
    key_of,
)
from flux2build.planning.candidates import ordered, seed_of
from flux2build.planning.snapshot import row_of
from flux2build.planning.verdict import Verdict


@dataclass(slots=True)
class LockUpdate:
    """The blocks of one profile as a build changes them; other profiles stay as they are."""

    lock: Lockfile
    """The lock before the build."""
    profile: str
    metas: Mapping[AssetName, Digest]
    """The digest of each asset's tags, alt text and title."""
    blocks: dict[tuple[AssetName, str], Block] = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = dict(self.lock.blocks)

    def without(self, assets: Iterable[AssetName]) -> Lockfile:
        """The updated lock, without the generated pictures of some assets."""
        blocks = dict(self.blocks)
        for asset in assets:
            key = (asset, self.profile)
            if key in blocks:
                blocks[key] = replace(blocks[key], generated=None)
                if not (blocks[key].rows or blocks[key].candidates):
                    del blocks[key]
        return replace(self.lock, blocks=blocks)

    def output(self, recipe: Recipe) -> Output | None:
        """The file last entered for a recipe; a generated picture may have had another path."""
        block = self.blocks.get((recipe.asset, self.profile))
        row = row_of(recipe, block) if block else None
        return row.output if row else None

    def kept(self, picture: MasterOf | OutputOf) -> Output:
        """The file of an asset of which nothing is due."""
        block = self.blocks[(picture.asset, self.profile)]
        row = block.generated if isinstance(picture, MasterOf) else block.row(picture.path)
        if row is None:  # pragma: no cover - it was judged to be kept
            raise AssertionError(picture)
        return row.output

    def touch(self, asset: AssetName) -> None:
        """Update the metadata digest of an asset whose files are kept."""
        block = self._block(asset)
        self.blocks[(asset, self.profile)] = block

    def enter(
        self, recipe: Recipe, inputs: tuple[LockedInput, ...], output: Output, verdict: Verdict
    ) -> None:
        """Enter a file that the build wrote, with the inputs it was made from.

        Bytes that the lock knew before keep their colours: an earlier release may have counted
        those that an encoder had changed by a shade.
        """
        before = self.output(recipe)
        if before and before.colours and before.sha256 == output.sha256:
            output = replace(output, colours=before.colours)
        row = _row(recipe, inputs, output, verdict)
        if (held := self._held(recipe, inputs, verdict)) is not None:
            row = replace(held, output=output)
        block = self._block(recipe.asset).with_row(row)
        if isinstance(row, Generated):  # what was decided about other bytes is void
            block = replace(block, review=block.decision)
        self.blocks[(recipe.asset, self.profile)] = block

    def _held(
        self, recipe: Recipe, inputs: tuple[LockedInput, ...], verdict: Verdict
    ) -> Generated | None:
        """The row of a picture that stays as it is, although the spec asks for another one."""
        block = self.blocks.get((recipe.asset, self.profile))
        row = block.generated if block and isinstance(recipe.task, Generate) else None
        digests = tuple(each.sha256 for each in inputs)
        other = row and row.key == verdict.key != key_of(recipe.task, digests)
        return row if other else None

    def enter_candidate(
        self, recipe: Recipe, inputs: tuple[Digest, ...], output: Output, verdict: Verdict
    ) -> None:
        """Enter a candidate, and drop those of an earlier request."""
        task, key = recipe.task, verdict.key
        if key is None or not isinstance(task, Generate):  # pragma: no cover - it was bought
            raise AssertionError(verdict)
        receipt = verdict.receipt or Receipt(task.provider)
        new = Candidate(recipe.candidate, key, task.take, seed_of(task), output, receipt)
        block = self._block(recipe.asset)
        block = replace(block, candidates=tuple(ordered(recipe, block, inputs)))
        self.blocks[(recipe.asset, self.profile)] = block.with_candidate(new)

    def known(self, key: Digest) -> Output | None:
        """What the lock says of the picture of an order, whatever asset it was made for."""
        rows = (row for block in self.blocks.values() for row in block.pictures)
        return next((row.output for row in rows if row.key == key), None)

    def supersede(self, owners: Mapping[str, AssetName]) -> None:
        """Drop the rows of files that now belong to another asset."""
        for key, block in tuple(self.blocks.items()):
            paths = [row.output.path for row in block.rows]
            kept = [path for path in paths if owners.get(path, key[0]) == key[0]]
            if key[1] != self.profile or kept == paths:
                continue
            if remaining := block.keeping(kept):
                self.blocks[key] = remaining
            else:
                del self.blocks[key]

    def _block(self, asset: AssetName) -> Block:
        key, meta = (asset, self.profile), self.metas[asset]
        block = self.blocks.get(key)
        return replace(block, meta=meta) if block else Block(*key, meta)


def _row(recipe: Recipe, inputs: tuple[LockedInput, ...], output: Output, verdict: Verdict) -> Row:
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
                inputs=inputs,
                output=output,
                receipt=verdict.receipt or Receipt(provider),
            )
        case Derive(ops, encoding):
            encoder = versions(output.format)
            return Derived(key, KEY_SCHEMA, ops, encoding, inputs, output, encoder)
        case Write(document, version):
            # Of a text only the bytes are recorded.
            text = Output(output.path, output.sha256, output.bytes)
            return Written(key, KEY_SCHEMA, document, version, text)


def described(path: str, digest: Digest, data: bytes) -> Output:
    """A picture, described by its bytes."""
    picture = examine(data)
    return Output(path, digest, len(data), picture.width, picture.height, picture.format)
