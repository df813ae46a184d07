"""Which deliverables are marked as generated, and with which of IPTC's terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from flux2build.assetspec.input_fields import pictures
from flux2build.digest import Json
from flux2build.images.encoding import encoder_of
from flux2build.images.ops.contract import Op
from flux2build.images.provenance.iptc import SourceType
from flux2build.model import AssetName, Derive, Generate, Recipe, Source
from flux2build.providers.capabilities import Card


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the pictures of a spec come from, and how their files are to be marked."""

    terms: Mapping[AssetName, str]
    """IPTC's term by asset, for pictures that are not drawn, shot or written by hand."""
    unmarked: frozenset[AssetName]
    """Assets whose files are not to be marked."""
    signed: frozenset[AssetName]
    """Assets whose files are to be signed."""
    ops: Mapping[str, type[Op]]

    def term(self, recipe: Recipe, task: Derive) -> str | None:
        """The term for a deliverable; None if it is not marked.

        A picture becomes a composite by other pictures in it, not by letters.
        """
        if recipe.asset in self.unmarked:
            return None
        master, *others = recipe.inputs
        own = recipe.asset if isinstance(master, Source) else master.asset
        names = {own, *(self._shown(recipe, task) if others else ())}
        terms = {self.terms.get(name) if name else None for name in names}
        if terms & {SourceType.TRAINED, SourceType.COMPOSITE}:
            return SourceType.TRAINED if terms == {SourceType.TRAINED} else SourceType.COMPOSITE
        return next(filter(None, terms), None)

    def _shown(self, recipe: Recipe, task: Derive) -> Iterator[AssetName | None]:
        """The assets of the other pictures that a deliverable shows; None for a source."""
        for at in {at for step in task.ops for at in pictures(step, self.ops[step.op])} - {0}:
            picture = recipe.inputs[at]
            yield None if isinstance(picture, Source) else picture.asset


def origins(
    recipes: Iterable[Recipe],
    asked: Mapping[AssetName, bool | None],
    signed: frozenset[AssetName],
    cards: Mapping[str, Mapping[str, Card]],
    ops: Mapping[str, type[Op]],
) -> Origins:
    """The origins of a spec's pictures; `asked` is what each asset's `provenance` says."""
    terms: dict[AssetName, str] = {name: SourceType.TRAINED for name, mark in asked.items() if mark}
    for recipe in recipes:
        if isinstance(task := recipe.task, Generate):
            terms[recipe.asset] = cards[task.provider][task.model].source_type
    unmarked = frozenset(name for name, mark in asked.items() if mark is False)
    return Origins(terms, unmarked, signed, ops)


def marked(recipes: Iterable[Recipe], origins: Origins) -> Iterator[Recipe]:
    """The recipes; each deliverable's says how to mark the file, and whether to sign it."""
    for recipe in recipes:
        task = recipe.task
        if not isinstance(task, Derive):
            yield recipe
            continue
        encoding: dict[str, Json] = dict(task.encoding)
        if term := origins.term(recipe, task):
            encoding["source_type"] = term
        if recipe.asset in origins.signed and encoder_of(str(encoding["format"])).signable:
            encoding["sign"] = True
        yield replace(recipe, task=replace(task, encoding=encoding))
