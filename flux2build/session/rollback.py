"""Brings back an earlier picture, and holds the asset at it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from msgspec.structs import replace

from flux2build.digest import short
from flux2build.errors import UsageError
from flux2build.lockfile import ReviewState
from flux2build.lockfile.write import toml_value
from flux2build.model import AssetName, Generate, Recipe
from flux2build.session import past
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.deciding import hold
from flux2build.session.past import Picture, copy, shared
from flux2build.session.project import Project
from flux2build.session.revisions import FETCH

_LASTING: Final = frozenset({ReviewState.APPROVED, ReviewState.HELD})
_LEAST: Final = 4
"""The least characters that identify a digest or a commit."""


def chosen(project: Project, asset: AssetName, word: str | None) -> Picture:
    """A past picture by its number, digest or commit; by default the last one that shipped before.

    Raises:
        UsageError: there is no such picture.
    """
    pictures = past.pictures(project, asset)
    hint = f"`flux2build history {shlex.quote(asset)}` lists them"
    if word is None:
        older = [each for each in pictures if not each.current and each.row is not None]
        hint = FETCH if project.repository.shallow else hint
        current = next((each.number for each in pictures if each.current), len(pictures) + 1)
        if not (before := [each for each in older if each.number < current]):
            raise UsageError("there is no earlier picture", hint=hint)
        return before[-1]
    name = word.removeprefix("sha256:").lower()
    numbered = [each for each in pictures if str(each.number) == word]
    matches = numbered or [
        each
        for each in pictures
        if len(name) >= _LEAST
        and (
            each.output.startswith(f"sha256:{name}")
            or (each.commit and each.commit.name.startswith(name))
        )
    ]
    if not matches and (digest := past.picture_in(project, asset, word)):
        matches = [each for each in pictures if each.output == digest]
    if len(matches) != 1:
        problem = "several pictures have" if matches else "no picture has"
        raise UsageError(f"{problem} the number, digest or commit `{word}`", hint=hint)
    return matches[0]


def roll_back(project: Project, asset: AssetName, picture: Picture) -> tuple[Recipe, ReviewState]:
    """Put a picture and its row of the lock back, and hold the asset at it.

    The tree must be locked. A current, approved picture stays approved. Return the new state, too.

    Raises:
        UsageError: the picture is unavailable, or not of the format that the spec wants now.
        SystemFault: git does not know who decides, or the disk refuses.
    """
    recipe = next(
        each
        for each in project.spec.recipes
        if each.asset == asset and isinstance(each.task, Generate) and not each.candidate
    )
    artifacts = at_hand(project, project.files())
    row, content = picture.row, copy(project, picture, artifacts) or shared(project, picture)
    if content is None:
        ways = "; ".join(project.tracked.ways_back(recipe.output, picture.output))
        raise UsageError(
            f"nobody has the bytes of picture {picture.number} here", hint=ways or None
        )
    if row is None:
        hint = f"`flux2build restore {short(picture.output)} FILE` brings back its bytes alone"
        block = project.lock.block(asset, project.spec.profile)
        for each in block.candidates if block else ():
            if each.output.sha256 == picture.output:
                line = shlex.join(("flux2build", "pick", asset, str(each.number)))
                hint = f"`{line}` ships that candidate"
        raise UsageError(f"picture {picture.number} never shipped", hint=hint)
    if PurePosixPath(row.output.path).suffix != PurePosixPath(recipe.output).suffix:
        raise UsageError(
            f"picture {picture.number} is `{row.output.path}`, and the spec wants `{recipe.output}`",
            hint="change the format in the spec first",
        )
    artifacts.replace(recipe.output, content.data)
    locked = replace(row, output=replace(row.output, path=recipe.output))
    note = f"rolled back to picture {picture.number} ({picture.origin})"
    block = project.lock.block(asset, project.spec.profile)
    if picture.current and block and (decision := block.decision) and decision.state in _LASTING:
        return recipe, decision.state
    hold(project, asset, locked, note)
    return recipe, ReviewState.HELD


def edits(recipe: Recipe, picture: Picture) -> Iterator[str]:
    """The lines of TOML with which the spec asks for a picture.

    A picked picture fits any take and seed.
    """
    task, row = recipe.task, picture.row
    if row is None or not isinstance(task, Generate):  # pragma: no cover - it was rolled back
        return
    if task.prompt != row.prompt:
        yield f"prompt = {toml_value(row.prompt)}"
    if task.model != row.model:
        yield f"model = {toml_value(row.model)}"
    if task.take != row.take and not row.picked:
        yield f"take = {row.take}"
    for name in sorted({*task.params, *row.params} - ({"seed"} if row.picked else set())):
        if name not in row.params:
            yield f"# without `{name}`"
        elif task.params.get(name) != row.params[name]:
            yield f"{name} = {toml_value(row.params[name])}"
