"""The facts that all recipes of a spec share."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flux2build.assetspec.family import FamilyExpander
from flux2build.assetspec.references import SourceFiles
from flux2build.assetspec.resolve import Declared, Resolver
from flux2build.assetspec.spec_text import SpecText
from flux2build.assetspec.templating import TextRenderer


class Reading(Struct, frozen=True):
    """The facts that all recipes of a spec share."""

    text: SpecText
    files: SourceFiles
    families: FamilyExpander
    declared: Sequence[Declared]
    resolver: Resolver

    @property
    def texts(self) -> TextRenderer:
        """The renderer of the spec's texts."""
        return self.resolver.resources.texts
