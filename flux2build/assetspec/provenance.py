"""Marks deliverables as generated, with one of IPTC's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from flux2build.assetspec.layers import MergedSettings
from flux2build.digest import Json
from flux2build.images.encoding import encoder_of
from flux2build.images.provenance.iptc import SourceType
from flux2build.model import AssetName, Derive, Generate, Recipe, Source
from flux2build.providers.capabilities import Card

if TYPE_CHECKING:
    from flux2build.images.ops.contract import Op


def marked(
    recipes: Sequence[Recipe],
    settings: Mapping[AssetName, MergedSettings],
    cards: Mapping[str, Mapping[str, Card]],
    ops: Mapping[str, type[Op]],
) -> Iterator[Recipe]:
    """The recipes; those of deliverables say how to mark the file, and whether to sign it."""
    terms: dict[AssetName, str] = {
        name: SourceType.TRAINED for name, its in settings.items() if its.peek("provenance")
    }
    models: dict[tuple[str, str], str] = {}
    for recipe in recipes:
        if isinstance(task := recipe.task, Generate):
            model = task.provider, task.model
            if model not in models:
                models[model] = cards[task.provider][task.card].source_type
            terms[recipe.asset] = models[model]
    for recipe in recipes:
        task = recipe.task
        if not isinstance(task, Derive):
            yield recipe
            continue
        its = settings[recipe.asset]
        encoding: dict[str, Json] = dict(task.encoding)
        term = None if its.get("provenance") is False else _term(recipe, task, terms, ops)
        if term is not None:
            encoding["source_type"] = term
        if encoder_of(str(encoding["format"])).signable and its.get("sign"):
            encoding["sign"] = True
        yield replace(recipe, task=replace(task, encoding=encoding))


def _term(
    recipe: Recipe, task: Derive, terms: Mapping[AssetName, str], ops: Mapping[str, type[Op]]
) -> str | None:
    """IPTC's term for a deliverable; None if all of it is drawn, shot or written by hand.

    Other pictures make a picture a composite; letters do not.
    """
    master, *others = recipe.inputs
    own = recipe.asset if isinstance(master, Source) else master.asset
    kinds = {terms.get(own)}
    for at in _pictures(task, ops) if others else ():
        picture = recipe.inputs[at]
        if at > 0:
            kinds.add(None if isinstance(picture, Source) else terms.get(picture.asset))
    if kinds & {SourceType.TRAINED, SourceType.COMPOSITE}:
        return SourceType.TRAINED if kinds == {SourceType.TRAINED} else SourceType.COMPOSITE
    return next(filter(None, kinds), None)


def _pictures(task: Derive, ops: Mapping[str, type[Op]]) -> set[int]:
    """The indices of the inputs that are shown beside the master."""
    from flux2build.assetspec.input_fields import pictures

    return {at for step in task.ops for at in pictures(step, ops[step.op])}
