"""Updates the lock during a build: every finished step is entered immediately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest
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
from flux2build.lockfile.parts import Key, Parts
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
from flux2build.planning.verdict import Action, Verdict


class LockUpdate(Struct, eq=False, dict=True):
    """The blocks of one profile, which a build changes; other profiles stay as they are."""

    lock: Lockfile
    """The lock before the build."""
    profile: str
    metas: Mapping[AssetName, Digest]
    """The digest of each asset's tags, alt text and title."""
    changed: dict[Key, Block | None] = field(default_factory=dict)
    """The blocks that the build has entered; None for one that it has dropped."""

    def without(self, assets: Iterable[AssetName]) -> Lockfile:
        """The updated lock, without the generated pictures of some assets."""
        changed = dict(self.changed)
        for asset in assets:
            if block := self._block_of(asset):
                block = replace(block, generated=None)
                nonempty = block.rows or block.candidates
                changed[asset, self.profile] = block if nonempty else None
        return replace(self.lock, blocks=_changed(self.lock.blocks, changed))

    def output(self, recipe: Recipe) -> Output | None:
        """The file last entered for a recipe; a generated picture may have had another path."""
        block = self._block_of(recipe.asset)
        row = row_of(recipe, block) if block else None
        return row.output if row else None

    def kept(self, picture: MasterOf | OutputOf) -> Output:
        """The file of an asset without due steps."""
        block, row = self._block_of(picture.asset), None
        if block is not None:
            row = block.generated if isinstance(picture, MasterOf) else block.row(picture.path)
        if row is None:  # pragma: no cover - it was judged to be kept
            raise AssertionError(picture)
        return row.output

    def touch(self, asset: AssetName) -> None:
        """Update the metadata digest of an asset whose files are kept."""
        self.changed[asset, self.profile] = self._block(asset)

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
        if (locked := self._held(recipe, inputs, verdict)) is not None:
            row = replace(locked, output=output)
        block = self._block(recipe.asset).with_row(row)
        if isinstance(row, Generated):  # a decision about other bytes is void
            block = replace(block, review=block.decision)
        self.changed[recipe.asset, self.profile] = block

    def _held(
        self, recipe: Recipe, inputs: tuple[LockedInput, ...], verdict: Verdict
    ) -> Generated | None:
        """The row of a picture that stays, although the spec asks for another one."""
        block = self._block_of(recipe.asset)
        row = block.generated if block and isinstance(recipe.task, Generate) else None
        digests = tuple(each.sha256 for each in inputs)
        other = row and row.key == verdict.key != key_of(recipe.task, digests)
        return row if other else None

    def coloured(self, recipe: Recipe, verdict: Verdict, output: Output) -> Output:
        """A file that was put in its place, with the colours that its pixels had before they were encoded."""
        if not isinstance(recipe.task, Derive) or verdict.action is Action.DERIVE:
            return output
        return replace(output, colours=self._colours.get(output.sha256, output.colours))

    @cached_property
    def _colours(self) -> Mapping[Digest, str]:
        """The dominant colours of every file that was locked before the build, by its bytes."""
        rows = (row for block in self.lock.blocks.values() for row in block.rows)
        return {row.output.sha256: row.output.colours for row in rows}

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
        self.changed[recipe.asset, self.profile] = block.with_candidate(new)

    def known(self, key: Digest) -> Output | None:
        """The locked output of an order, whatever asset it was made for."""
        blocks = _changed(self.lock.blocks, self.changed).values()
        rows = (row for block in blocks for row in block.pictures)
        return next((row.output for row in rows if row.key == key), None)

    def supersede(self, owners: Mapping[str, AssetName]) -> None:
        """Drop the rows of files that now belong to another asset."""
        for key, block in self._suspects():
            paths = [row.output.path for row in block.rows]
            own = [path for path in paths if owners.get(path, key[0]) == key[0]]
            if key[1] == self.profile and own != paths:
                self.changed[key] = block.keeping(own)

    def _suspects(self) -> list[tuple[Key, Block]]:
        """The blocks that may hold files of other assets; unread blocks cannot."""
        if isinstance(self.lock.blocks, Parts):
            return [(key, block) for key, block in self.changed.items() if block]
        return [*_changed(self.lock.blocks, self.changed).items()]

    def _block_of(self, asset: AssetName) -> Block | None:
        """The block of an asset, if there is one by now."""
        key = asset, self.profile
        return self.changed[key] if key in self.changed else self.lock.blocks.get(key)

    def _block(self, asset: AssetName) -> Block:
        key, meta = (asset, self.profile), self.metas[asset]
        block = self._block_of(asset)
        return replace(block, meta=meta) if block else Block(*key, meta)


def _changed(
    blocks: Mapping[Key, Block], changed: Mapping[Key, Block | None]
) -> Mapping[Key, Block]:
    """The blocks of a lock after some have changed."""
    present = {key: block for key, block in changed.items() if block is not None}
    if isinstance(blocks, Parts) and len(present) == len(changed):
        return blocks.replacing(present)
    merged = {**blocks, **changed}
    return {key: block for key, block in merged.items() if block is not None}


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
            from flux2build.images.encode import versions

            encoder = versions(output.format)
            return Derived(key, KEY_SCHEMA, ops, encoding, inputs, output, encoder)
        case Write(document, version):
            # For a text, only the bytes are recorded.
            text = Output(output.path, output.sha256, output.bytes)
            return Written(key, KEY_SCHEMA, document, version, text)


def described(path: str, digest: Digest, data: bytes) -> Output:
    """A picture, described by its bytes."""
    picture = examine(data)
    return Output(path, digest, len(data), picture.width, picture.height, picture.format)
