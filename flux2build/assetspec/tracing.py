"""Notes which data and templates the recipes of a spec are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flux2build.assetspec import markup
from flux2build.assetspec.trace import Trace
from flux2build.model import Recipe, Write

if TYPE_CHECKING:
    from flux2build.assetspec.reading import Reading
    from flux2build.assetspec.templating import TextRenderer

_REACHES: Final = re.compile(r"\{%[-+]?\s*(?:include|import|extends|from)\b")
"""Where a template asks for another one."""


def trace_of(reading: Reading, elsewhere: Mapping[str, Mapping[str, Sequence[str]]]) -> Trace:
    """Return what the parts of a spec were read for, once its recipes are made."""
    text, texts = reading.text, reading.texts
    prompts, resolver = texts.prompts, reading.resolver
    sources = [*prompts.sources, *(file.text for file in text.files)]
    reaching = any(map(_REACHES.search, sources))
    words = dict(_words(texts))
    return Trace(
        reading.families.read,
        {
            one.family.name: [str(each.name) for each in one.family.members]
            for one in reading.declared
        },
        sorted(resolver.resources.names.listed),
        {prompts.path(name): [*assets] for name, assets in prompts.used.items()},
        words,
        not reaching and "catalog" not in text.data,
        (prompts.budget.left, prompts.budget.free, prompts.budget.text, resolver.quota.left),
        markup.hidden(text.data, None).difference(*words.values()),
        elsewhere,
    )


def outputs_of(recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """Return the paths of each asset's pictures, and of documents under no name."""
    outputs: dict[str, list[str]] = {}
    for recipe in recipes:
        name = "" if isinstance(recipe.task, Write) else str(recipe.asset)
        outputs.setdefault(name, []).append(recipe.output)
    return outputs


def _words(texts: TextRenderer) -> Iterator[tuple[str, list[str]]]:
    for path, source in texts.prompts.files():
        if words := markup.words([source]):
            yield path, sorted(words)
