"""Notes the data and templates that the recipes of a spec depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flux2build.assetspec import markup
from flux2build.assetspec.spec_digests import words_of
from flux2build.assetspec.trace import Trace
from flux2build.model import Recipe, Write

if TYPE_CHECKING:
    from flux2build.assetspec.reading import Reading
    from flux2build.assetspec.templating import TextRenderer

_READING: Final = frozenset({"t", "include", "import", "from", "extends"})
"""Words with which texts use templates and catalogues."""


def trace_of(reading: Reading, elsewhere: Mapping[str, Mapping[str, Sequence[str]]]) -> Trace:
    """Return the trace of a spec after its recipes are made."""
    text, texts = reading.text, reading.texts
    prompts, resolver = texts.prompts, reading.resolver
    words = dict(_words(texts))
    catalogs = texts.translations.used
    users = {path: [*assets] for path, assets in prompts.users().items()}
    users |= {path: [str(asset) for asset in assets] for path, assets in catalogs.items()}
    return Trace(
        reading.families.read,
        {
            one.family.name: [str(each.name) for each in one.family.members]
            for one in reading.declared
        },
        sorted(resolver.resources.names.listed),
        users,
        sorted(catalogs),
        words,
        not any("" in assets for assets in users.values()) and not _shared(text.data),
        (prompts.budget.left, prompts.budget.free, prompts.budget.text, resolver.quota.left),
        markup.hidden(text.data, texts.translations.axis).difference(*words.values()),
        elsewhere,
    )


def _shared(data: Mapping[str, object]) -> bool:
    """Whether documents about all assets may depend on templates or catalogues."""
    return not _READING.isdisjoint(words_of(data.get("manifest")))


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
