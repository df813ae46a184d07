"""Judges the files that pictures are made of, before anything is bought or made.

`plan`, `check`, `build` and sketches all use it. A build judges the bytes again when it reads them,
by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from flux2build.errors import Problem
from flux2build.model import Derive, Generate, Key, Recipe, Source, Write
from flux2build.planning.plan import Plan
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import Size

if TYPE_CHECKING:
    from flux2build.images.ops.contract import Op

_MADE: Final = frozenset({Action.RENDER, Action.DERIVE})
"""The actions that use inputs; a kept file was made of sound inputs."""
_LARGE: Final = 16_000_000
"""Pixels of a picture beside which no other one is decoded."""
_MANY: Final = 2

Look = Callable[[str], Size | Problem | None]
Together = Callable[[Look, Sequence[str]], Mapping[str, Size | Problem | None]]


def each_by_itself(look: Look, paths: Sequence[str]) -> Mapping[str, Size | Problem | None]:
    """Look at each path, one after the other."""
    return {path: look(path) for path in paths}


class Judged(Struct, eq=False):
    """The files and derivations that were found sound, now or by an earlier command."""

    sound: dict[str, Size] = field(default_factory=dict)
    """The upright size of every picture, by its digest."""
    feasible: dict[str, None] = field(default_factory=dict)
    """The derivations with letters, because setting them takes a while."""
    learned: bool = False
    """Whether this command has added to it."""


class Soundness(Struct, eq=False):
    """Judges each file once; sound files are remembered by their digests."""

    ops: Mapping[str, type[Op]]
    read: Callable[[str], bytes]
    """Reads the bytes of a file by its path."""
    digest: Callable[[str], str | None]
    """The digest of a file by its path, without reading one that has not changed."""
    known: Judged = field(default_factory=Judged)
    """The pictures that are known to be sound without decoding them."""
    together: Together = each_by_itself
    """Looks at several paths at once."""
    _judged: dict[str, Size | Problem] = field(default_factory=dict)

    def size(self, path: str) -> Size | None:
        """Return the size of a picture in pixels; None if it cannot be used."""
        judged = self._picture(path)
        return None if isinstance(judged, Problem) else judged

    def problem(self, path: str) -> Problem | None:
        """Return the problem of a picture; None if it can be used."""
        judged = self._picture(path)
        return judged if isinstance(judged, Problem) else None

    def problems(self, plan: Plan) -> Iterator[tuple[Key, Problem]]:
        """Find the unusable files of the steps, each at its first use."""
        uses: dict[str, Key] = {}
        for step in plan.steps:
            if step.verdict.action in _MADE:
                for path, key in self._shown(step.recipe):
                    uses.setdefault(path, key)
        self._judge(uses)
        for path, key in uses.items():
            if problem := self.problem(path):
                yield key, problem

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
                from flux2build.assetspec.input_fields import pictures

                yield 0, ("asset", recipe.asset.partition("[")[0], "source")
                for at, operation in enumerate(operations):
                    for index in pictures(operation, self.ops[operation.op]):
                        yield index, (*recipe.key, "ops", at)
            case Write():
                pass  # a document describes any file, whatever its content

    def _picture(self, path: str) -> Size | Problem:
        if path not in self._judged:
            self._judged[path] = self._examined(path)
        return self._judged[path]

    def _judge(self, paths: Iterable[str]) -> None:
        """Decode new pictures side by side; large ones, which memory should hold one at a time, wait."""
        digests = {path: self.digest(path) for path in paths if path not in self._judged}
        new = {digest or path: path for path, digest in digests.items()}
        unknown = [path for digest, path in new.items() if digest not in self.known.sound]
        if len(unknown) < _MANY:
            return
        for path, judged in self.together(self._small, unknown).items():
            if judged is not None:
                self._judged[path] = self._noted(digests[path], judged)

    def _examined(self, path: str) -> Size | Problem:
        digest = self.digest(path)
        if digest is not None and digest in self.known.sound:
            return self.known.sound[digest]
        return self._noted(digest, _decoded(self.read(path), path))

    def _small(self, path: str) -> Size | Problem | None:
        """The size of a picture, or its problem; None if it is a large one."""
        from flux2build.images.formats.lookup import examine

        data = self.read(path)
        header = examine(data)
        large = header.width * header.height > _LARGE
        return None if large else _decoded(data, path)

    def _noted(self, digest: str | None, judged: Size | Problem) -> Size | Problem:
        """Note a picture that is sound."""
        if digest is not None and not isinstance(judged, Problem):
            self.known.sound[digest], self.known.learned = judged, True
        return judged


def _decoded(data: bytes, path: str) -> Size | Problem:
    """The size of a picture, or its problem."""
    from flux2build.images.decode import probe_still
    from flux2build.images.formats.contract import PictureError

    try:
        picture = probe_still(data, path)
    except PictureError as error:
        return error.problems[0]
    return picture.width, picture.height
