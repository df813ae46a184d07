"""Which deliverables are marked as generated, and with which of IPTC's terms."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flux2build.digest import Json
from flux2build.images.provenance.iptc import SourceType
from flux2build.model import AssetName, Derive, Generate, Input, Recipe, Source
from flux2build.providers.capabilities import Card

_NO_PICTURES: Final = frozenset(
    {".otf", ".ttc", ".ttf", ".woff", ".woff2", ".csv", ".json", ".mo", ".po", ".toml", ".txt"}
)
"""Endings of files that an operation reads without showing them."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the pictures of a spec come from."""

    terms: Mapping[AssetName, str]
    """By asset, for those that are not drawn, shot or written by hand."""
    unmarked: frozenset[AssetName]
    """Assets whose files are not to be marked."""
    signed: frozenset[AssetName]
    """Assets whose files are to be signed."""

    def of(self, recipe: Recipe) -> str | None:
        """The term for a deliverable; None where it is not marked.

        Letters and tables make no composite of a picture; other pictures do.
        """
        if recipe.asset in self.unmarked:
            return None
        master, *others = recipe.inputs
        own = recipe.asset if isinstance(master, Source) else master.asset
        names = [own, *(_asset(source) for source in others if _shown(source))]
        terms = {self.terms.get(name) if name else None for name in names}
        if terms & {SourceType.TRAINED, SourceType.COMPOSITE}:
            return SourceType.TRAINED if terms == {SourceType.TRAINED} else SourceType.COMPOSITE
        return next(filter(None, terms), None)


def marks(
    recipes: Iterable[Recipe],
    said: Mapping[AssetName, bool | None],
    signed: frozenset[AssetName],
    cards: Mapping[str, Mapping[str, Card]],
) -> Marks:
    """The marks of a spec: `said` is what each asset's `provenance` says."""
    terms: dict[AssetName, str] = {name: SourceType.TRAINED for name, mark in said.items() if mark}
    for recipe in recipes:
        if isinstance(task := recipe.task, Generate):
            terms[recipe.asset] = cards[task.provider][task.model].source_type
    unmarked = frozenset(name for name, mark in said.items() if mark is False)
    return Marks(terms, unmarked, signed)


def marked(recipes: Iterable[Recipe], found: Marks) -> Iterator[Recipe]:
    """The recipes, each deliverable told how it is to be marked, and whether to be signed."""
    for recipe in recipes:
        task = recipe.task
        if not isinstance(task, Derive):
            yield recipe
            continue
        encoding: dict[str, Json] = dict(task.encoding)
        if term := found.of(recipe):
            encoding["source_type"] = term
        if recipe.asset in found.signed and encoding["format"] != "ico":
            encoding["sign"] = True
        yield replace(recipe, task=replace(task, encoding=encoding))


def _asset(source: Input) -> AssetName | None:
    return None if isinstance(source, Source) else source.asset


def _shown(source: Input) -> bool:
    if not isinstance(source, Source):
        return True
    return posixpath.splitext(source.path)[1].lower() not in _NO_PICTURES
