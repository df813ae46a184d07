"""What the recipes of a spec are made of."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flux2build.assetspec.family import FamilyExpander
from flux2build.assetspec.references import SourceFiles
from flux2build.assetspec.resolve import Declared, Resolver
from flux2build.assetspec.spec_text import SpecText
from flux2build.assetspec.templating import TextRenderer


class Reading(Struct, frozen=True):
    """What is the same for all recipes of a spec."""

    text: SpecText
    files: SourceFiles
    families: FamilyExpander
    declared: Sequence[Declared]
    resolver: Resolver

    @property
    def texts(self) -> TextRenderer:
        """What renders the texts of the spec."""
        return self.resolver.resources.texts
