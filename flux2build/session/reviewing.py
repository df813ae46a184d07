"""The candidates of a project's pictures, and picking one of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build import lockfile
from flux2build.building.world import described_in_full
from flux2build.digest import Digest, short
from flux2build.errors import SystemFault, UsageError, did_you_mean
from flux2build.images.provenance.signing import Signer
from flux2build.lockfile import Block, Candidate, Generated, LockedInput, ReviewState
from flux2build.model import (
    KEY_SCHEMA,
    AssetName,
    Generate,
    Output,
    Receipt,
    Recipe,
    order_of,
)
from flux2build.planning.candidates import ordered
from flux2build.planning.plan import Inputs
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.project import Project
from flux2build.storage import disk

_PROTECTING: Final = frozenset({ReviewState.APPROVED, ReviewState.HELD})
"""The decisions that keep a picture from being replaced unasked."""


class Picture(Struct, frozen=True):
    """A rendered picture with the candidates of the spec's current request."""

    recipe: Recipe
    inputs: tuple[Digest | None, ...]
    block: Block | None
    candidates: tuple[Candidate, ...]

    @property
    def shipped(self) -> int | None:
        """The number of the candidate that ships, if one of them does."""
        row = self.block.generated if self.block else None
        if row is None:
            return None
        ours = row.key, row.output.sha256  # an adopted picture has the key of another one
        same = (c.number for c in self.candidates if (c.key, c.output.sha256) == ours)
        return next(same, None)


def pictures(project: Project) -> Iterator[Picture]:
    """Every rendered picture of a project, in the order of building."""
    inputs, profile = Inputs(project.files()), project.spec.profile
    for step in project.whole.steps:
        recipe = step.recipe
        if isinstance(recipe.task, Generate) and not recipe.candidate:
            known, block = inputs.of(recipe), project.lock.block(recipe.asset, profile)
            yield Picture(recipe, known, block, tuple(ordered(recipe, block, known)))
        inputs.note(recipe, step.verdict.bytes)


def pick(project: Project, name: str, number: int, say: Callable[[str], None]) -> Picture | None:
    """Let a candidate ship: write its bytes to the file and its receipt to the lock, at no cost.

    Return None if it ships already. The tree must be locked. `say` reports a file that was not ours
    and is replaced.

    Raises:
        UsageError: there is no such asset or candidate.
        SystemFault: the bytes are not on this machine, or the disk refuses them.
    """
    picture = named(project, name)
    candidate = _numbered(picture, number)
    row = picture.block.generated if picture.block else None
    artifacts = at_hand(project, project.files())
    there = project.files().get(picture.recipe.output) == candidate.output.sha256
    if row and row.key == candidate.key and there and row.output.sha256 == candidate.output.sha256:
        return None
    artifacts.bring((candidate.output.sha256,))
    if not artifacts.has(candidate.output.sha256):
        raise SystemFault(
            f"the bytes of candidate {number} of `{name}` are not on this machine",
            hint="pick where it was rendered: there the store has them"
            + ("" if project.team is None else ", and `flux2build store push` shares them"),
        )
    data = artifacts.get(candidate.output.sha256)
    artifacts.replace(picture.recipe.output, data)
    for path, before in artifacts.replaced.items():
        back = f"`flux2build restore {short(before)} {shlex.quote(path)}`"
        say(f"kept what was at {path}: {back} brings it back")
    output = described_in_full(picture.recipe.output, candidate.output.sha256, data, Signer())
    task = requested(picture, candidate.take, candidate.seed)
    row = row_of(picture, task, output, candidate.receipt)
    enter(project, picture, replace(row, picked=True))
    return picture


def requested(picture: Picture, take: int | None = None, seed: int | None = None) -> Generate:
    """The request of the spec, or one candidate's variation of it."""
    task = picture.recipe.task
    if not isinstance(task, Generate):  # pragma: no cover - pictures are rendered
        raise TypeError(picture)
    return task if take is None else task.varied(take, seed)


def row_of(picture: Picture, task: Generate, output: Output, receipt: Receipt) -> Generated:
    """The row of a picture whose bytes do not come from an order of this build."""
    ready = tuple(digest for digest in picture.inputs if digest is not None)
    names = map(str, picture.recipe.inputs)
    return Generated(
        key=order_of(task, ready).digest,
        schema=KEY_SCHEMA,
        provider=task.provider,
        model=task.model,
        prompt=task.prompt,
        params=task.params,
        take=task.take,
        inputs=tuple(LockedInput(*pair) for pair in zip(names, ready, strict=True)),
        output=output,
        receipt=receipt,
    )


def enter(project: Project, picture: Picture, row: Generated) -> None:
    """Enter a row in the lock, which voids decisions about other bytes."""
    enter_all(project, [(picture, row)])


def enter_all(project: Project, rows: Iterable[tuple[Picture, Generated]]) -> None:
    """Enter the rows of several pictures in the lock."""
    blocks, profile = dict(project.lock.blocks), project.spec.profile
    for picture, row in rows:
        asset = picture.recipe.asset
        block = picture.block or Block(asset, profile, project.spec.named[asset].meta)
        same = block.review is not None and block.review.sha256 == row.output.sha256
        review = block.review if same else None
        blocks[asset, profile] = replace(block, generated=row, review=review)
    text = lockfile.dumps(replace(project.lock, blocks=blocks))
    disk.replace(project.lock_path, text.encode())


def named(project: Project, name: str) -> Picture:
    """The rendered picture of an asset.

    Raises:
        UsageError: there is no such asset, or it is not rendered.
    """
    by_name = {str(each.recipe.asset): each for each in pictures(project)}
    if name in by_name:
        return by_name[name]
    if AssetName(name) in project.spec.named:
        raise UsageError(f"`{name}` is not rendered")
    if members := [each for each in by_name if each.startswith(f"{name}[")]:
        hint = "name one of them: " + ", ".join(f"`{each}`" for each in members[:5])
        raise UsageError(f"`{name}` is a family of {len(members)}", hint=hint)
    raise UsageError(f"there is no asset `{name}`", hint=did_you_mean(name, by_name))


def feeds_others(project: Project, asset: AssetName) -> bool:
    """Whether any file is made from an asset's picture."""
    own = {each.output for each in project.spec.recipes if each.asset == asset}
    return len(own) > 1 or bool(project.graph.down(asset))


def _ordering(picture: Picture) -> str:
    """The command that orders the candidates of a picture, which may be protected."""
    asset, block = str(picture.recipe.asset), picture.block
    words = ["flux2build", "build", asset]
    if block and block.decision and block.decision.state in _PROTECTING:
        words += ["--reopen", asset]
    return shlex.join(words)


def _numbered(picture: Picture, number: int) -> Candidate:
    name, numbers = picture.recipe.asset, [each.number for each in picture.candidates]
    for each in picture.candidates:
        if each.number == number:
            return each
    if picture.recipe.takes or numbers:
        listed = ", ".join(map(str, numbers)) or f"none yet: `{_ordering(picture)}` orders them"
        raise UsageError(f"`{name}` has no candidate {number}", hint=f"it has {listed}")
    more = f"`flux2build reroll {shlex.quote(name)}` a further one"
    hint = f"`candidates = 4` in the spec orders four, {more}"
    raise UsageError(f"`{name}` has no candidates", hint=hint)
