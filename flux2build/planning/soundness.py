"""The one judgement on the files that pictures are made of, before anything is bought or made.

`plan`, `check`, `build` and sketches ask it alike. A build judges the bytes again when it
reads them, by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flux2build.assetspec.input_fields import pictures
from flux2build.errors import Problem
from flux2build.images.formats.contract import PictureError
from flux2build.images.ops.contract import Op
from flux2build.model import Derive, Generate, Key, Recipe, Source, Write
from flux2build.planning.plan import Plan
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import Size

_MADE: Final = frozenset({Action.RENDER, Action.DERIVE})
"""What is done from inputs; a file that is kept was made of inputs that were sound."""


@dataclass(slots=True)
class Soundness:
    """Judges each file once; what was sound once is remembered by its digest."""

    ops: Mapping[str, type[Op]]
    read: Callable[[str], bytes]
    """Reads the bytes of a file by its path."""
    digest: Callable[[str], str | None]
    """The digest of a file by its path, without reading one that has not changed."""
    sound: dict[str, Size] = field(default_factory=dict)
    """The upright size of every picture that is known to be sound."""
    learned: bool = field(default=False, init=False)
    """Whether a picture was found to be sound that was not known to be."""
    _judged: dict[str, Size | Problem] = field(default_factory=dict, init=False)

    def size(self, path: str) -> Size | None:
        """Return the size of a picture in pixels; None if it cannot be used."""
        judged = self._picture(path)
        return None if isinstance(judged, Problem) else judged

    def problem(self, path: str) -> Problem | None:
        """Return what is wrong with a picture; None if it can be used."""
        judged = self._picture(path)
        return judged if isinstance(judged, Problem) else None

    def problems(self, plan: Plan) -> Iterator[tuple[Key, Problem]]:
        """Find the files that cannot be used for what is to be made, each at its first use."""
        seen: set[str] = set()
        for step in plan.steps:
            if step.verdict.action in _MADE:
                for path, key in self._shown(step.recipe):
                    if path not in seen and (problem := self.problem(path)):
                        yield key, problem
                    seen.add(path)

    def _shown(self, recipe: Recipe) -> Iterator[tuple[str, Key]]:
        """The files that are pictures in a recipe, with their places in the spec."""
        for index, key in self._pictures(recipe):
            if isinstance(source := recipe.inputs[index], Source):
                yield source.path, key

    def _pictures(self, recipe: Recipe) -> Iterator[tuple[int, Key]]:
        match recipe.task:
            case Generate():
                for index in range(len(recipe.inputs)):
                    yield index, (*recipe.key, "refs", index)
            case Derive(ops=operations):
                yield 0, ("asset", recipe.asset.partition("[")[0], "source")
                for at, operation in enumerate(operations):
                    for index in pictures(operation, self.ops[operation.op]):
                        yield index, (*recipe.key, "ops", at)
            case Write():
                pass  # it tells what is known of a file, whatever that holds

    def _picture(self, path: str) -> Size | Problem:
        if path not in self._judged:
            self._judged[path] = self._examined(path)
        return self._judged[path]

    def _examined(self, path: str) -> Size | Problem:
        digest = self.digest(path)
        if digest is not None and digest in self.sound:
            return self.sound[digest]
        from flux2build.images.decode import probe_still

        try:
            picture = probe_still(self.read(path), path)
        except PictureError as error:
            return error.problems[0]
        size = picture.width, picture.height
        if digest is not None:
            self.sound[digest], self.learned = size, True
        return size
