"""The facts that a check may use."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.spec import Spec
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem
from flux2build.lockfile import Lockfile
from flux2build.model import (
    AssetName,
    Derive,
    Generate,
    Input,
    Key,
    MasterOf,
    Output,
    Recipe,
    Write,
)
from flux2build.planning.plan import Plan
from flux2build.planning.verdict import Action
from flux2build.providers.capabilities import Card

if TYPE_CHECKING:
    from flux2build.images.dominant import DominantColour


class Current(Struct, frozen=True):
    """A picture that agrees with the spec and the lock."""

    recipe: Recipe
    output: Output


class Facts(Struct, frozen=True, dict=True):
    """All facts that a check may use."""

    spec: Spec
    plan: Plan
    lock: Lockfile
    read: Callable[[str], bytes | None]
    """The bytes of a file by its path below the project's root; None if it is missing."""
    conflict: int | None = None
    """The line of the lock with the first marker of a merge conflict."""
    cards: Mapping[str, Mapping[str, Card]] = field(default_factory=dict)
    """What the models can do and cost, by provider and model."""
    lockless: Problem | None = None
    """The problem of a missing lock, if some of the outputs exist."""
    doubled: int | None = None
    """The line of the lock with the first row that a merge without markers left twice."""
    reviewed: frozenset[AssetName] = frozenset()
    """The pictures that a person has to approve."""

    @cached_property
    def files(self) -> Sequence[Current]:
        """Every picture that agrees with the spec; a build will replace the others."""
        return [
            Current(step.recipe, step.before.output)
            for step in self.plan.steps
            if step.before is not None
            and step.verdict.action is Action.KEEP
            and not isinstance(step.recipe.task, Write)
        ]

    def bytes_of(self, source: Input) -> bytes | None:
        """The bytes of an input of a recipe; None if it is missing."""
        if not isinstance(source, MasterOf):
            return self.read(source.path)
        steps = (step for step in self.plan.steps if step.recipe.asset == source.asset)
        masters = (s.recipe.output for s in steps if isinstance(s.recipe.task, Generate))
        return next((self.read(path) for path in masters), None)

    def adopted(self, recipe: Recipe) -> bool:
        """Whether a person adopted the picture that a file is, or is made of."""
        block = self.lock.block(recipe.asset, self.plan.profile)
        return bool(block and block.generated and block.generated.receipt.adopted)

    def generated(self, file: Current) -> bool:
        """Whether a file is a rendered picture, or made of one, and was not adopted."""
        recipe = file.recipe
        rendered = isinstance(recipe.task, Generate) or any(
            isinstance(source, MasterOf) for source in recipe.inputs
        )
        return rendered and not self.adopted(recipe)

    def another(self, file: Current) -> str:
        """A hint that says how to replace a picture."""
        if not self.generated(file):
            return "bring another picture"
        return f"`flux2build reroll {shlex.quote(file.recipe.asset)}` orders another one, to pick"

    @cached_property
    def published(self) -> Sequence[Current]:
        """The current pictures that are published: deliverables, and masters without any."""
        derived = {
            step.recipe.asset for step in self.plan.steps if isinstance(step.recipe.task, Derive)
        }
        return [
            file
            for file in self.files
            if file.recipe.asset not in derived or isinstance(file.recipe.task, Derive)
        ]

    def dominant_colours(self, output: Output) -> tuple[DominantColour, ...]:
        """The dominant colours: from the lock or, where it has none, from the pixels."""
        from flux2build.images import dominant

        recorded = dominant.read(output.colours)
        return recorded or dominant.dominant_colours(self.read(output.path) or b"")

    def dominant_colour(self, output: Output) -> DominantColour | None:
        """The first of the dominant colours, which covers most; None if none is known."""
        from flux2build.images import dominant

        return dominant.first(output.colours) or next(iter(self.dominant_colours(output)), None)

    def source_type(self, output: Output) -> str:
        """IPTC's term for how a picture was made: from the lock, or from the file."""
        if output.source_type is not None:
            return output.source_type
        from flux2build.images.provenance import iptc

        return iptc.source_type(self.read(output.path) or b"")

    def about(
        self, recipe: Recipe, code: str, message: str, *, hint: str, key: Key | None = None
    ) -> Finding:
        """A finding about a file of the spec, at a key of it or where the file is asked for."""
        problem = self.spec.located(Problem(message, hint=hint), key or recipe.key)
        return Finding(code, problem, recipe.asset, recipe.output)

    def quoted(self, problem: Problem, place: Place) -> Problem:
        """A problem at a line of any file, with that line."""
        from flux2build.assetspec.diagnostics import source_line

        line = source_line(self.read(place.file) or b"", place.line)
        return replace(problem, place=place, excerpt=line, width=len(line or " "))
