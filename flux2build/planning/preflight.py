"""Finds problems before anything is paid for: sizes, fonts, letters, documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.input_fields import pictures
from flux2build.digest import Json, of_json
from flux2build.errors import Flux2BuildError, Problem
from flux2build.images import encoding
from flux2build.images.documents.contract import Document
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.model import AssetName, Derive, Generate, Key, Recipe, Source, Write
from flux2build.planning.plan import Plan, Step
from flux2build.planning.soundness import Judged, Soundness
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import Size

_INPUT: Final = r"`input (\d+)`"


def with_names(problem: Problem, recipe: Recipe) -> Problem:
    """Return a problem with the names of a recipe's inputs instead of `input 0` and so on."""

    def name(match: re.Match[str]) -> str:
        return f"`{str(recipe.inputs[int(match[1])]).removeprefix('asset:')}`"

    return replace(problem, message=re.sub(_INPUT, name, problem.message))


class Preflight(Struct, eq=False):
    """Tries the operations of derivations on the sizes that pictures will have, and documents."""

    ops: Mapping[str, type[Op]]
    documents: Mapping[str, Document]
    soundness: Soundness
    masters: Mapping[AssetName, Size]
    """The size in pixels of each master that is ordered by size."""
    known: Judged = field(default_factory=Judged)
    """The derivations that are known to be feasible without another try."""
    _files: dict[str, bytes] = field(default_factory=dict)

    def problems(self, plan: Plan) -> Iterator[tuple[Key, Problem]]:
        """Find files that cannot be made; files with the same problem share a message."""
        if not any(step.verdict.action is Action.DERIVE for step in plan.steps):
            return
        sizes = {**self.masters, **_there(plan.steps)}
        groups: dict[tuple[Key, Problem], list[Recipe]] = {}
        for step in plan.steps:
            task = step.recipe.task
            tried: Iterator[tuple[Key, Problem]] = iter(())
            if isinstance(task, Derive):
                tried = self._tried(step.recipe, task, sizes)
            elif isinstance(task, Write):
                tried = self._composed(step.recipe, task)
            for key, problem in tried if step.verdict.action is Action.DERIVE else ():
                groups.setdefault((key, problem), []).append(step.recipe)
        for (key, problem), recipes in groups.items():
            yield key, replace(problem, rows=(*_whose(recipes), *problem.rows))

    def _composed(self, recipe: Recipe, task: Write) -> Iterator[tuple[Key, Problem]]:
        """Find the documents that cannot describe their files."""
        document = self.documents[task.document]
        try:
            document.refuse(task.about, document.options.model_validate(dict(task.options)))
        except Flux2BuildError as error:
            yield from ((recipe.key, problem) for problem in error.problems)

    def _tried(
        self, recipe: Recipe, task: Derive, sizes: Mapping[AssetName, Size]
    ) -> Iterator[tuple[Key, Problem]]:
        match recipe.inputs[0]:
            case Source(path):
                size = self.soundness.size(path)
            case master:
                size = sizes.get(master.asset)
        lettered = any(self.ops[operation.op].sets_words for operation in task.ops)
        token = self._token(recipe, task, size) if lettered else ""
        if token in self.known.feasible:
            return
        canvas = Canvas(size) if size else None
        inputs = self._inputs(recipe, task)
        for at, operation in enumerate(task.ops):
            try:
                op = self.ops[operation.op].model_validate(dict(operation.params))
                canvas = op.foreseen(canvas, inputs)
            except Flux2BuildError as error:
                key = (*recipe.key, "ops", at)
                yield from ((key, with_names(problem, recipe)) for problem in error.problems)
                return
        try:
            if canvas:
                encoding.read(task.encoding).refuse(*canvas.size)
        except Flux2BuildError as error:
            yield from ((recipe.key, problem) for problem in error.problems)
            return
        if token:
            self.known.feasible[token], self.known.learned = None, True

    def _token(self, recipe: Recipe, task: Derive, size: Size | None) -> str:
        """The facts behind the outcome: operations, format, size, and the bytes of the fonts."""
        steps: list[Json] = [[each.op, each.version, each.params] for each in task.ops]
        paths = (each.path for each in recipe.inputs if isinstance(each, Source))
        return of_json(
            [steps, {**task.encoding}, size, [self.soundness.digest(path) for path in paths]]
        )

    def _inputs(self, recipe: Recipe, task: Derive) -> Inputs:
        """The bytes of the files that a recipe uses; pictures, which may not exist yet, are empty."""
        pictured = {0, *(n for each in task.ops for n in pictures(each, self.ops[each.op]))}
        return [
            self._file(each.path) if isinstance(each, Source) and at not in pictured else b""
            for at, each in enumerate(recipe.inputs)
        ]

    def _file(self, path: str) -> bytes:
        if path not in self._files:
            self._files[path] = self.soundness.read(path)
        return self._files[path]


def _there(steps: Sequence[Step]) -> dict[AssetName, Size]:
    """The sizes of the masters that exist, which a person may have accepted at another size."""
    rows = (
        (step.recipe.asset, step.before.output)
        for step in steps
        if isinstance(step.recipe.task, Generate)
        and step.before
        and step.before.output.sha256 == step.verdict.bytes
    )
    sizes = {asset: (output.width, output.height) for asset, output in rows}
    return {asset: size for asset, size in sizes.items() if all(size)}


def _whose(recipes: Sequence[Recipe]) -> tuple[tuple[str, str], ...]:
    """The asset and the file that a problem is about, and how many others have it."""
    more = f" and {len(recipes) - 1:,} more" if len(recipes) > 1 else ""
    return ("asset", str(recipes[0].asset)), ("file", f"{recipes[0].output}{more}")
