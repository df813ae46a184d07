"""`manifest`: every picture of a site, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from flux2build.images.documents.contract import Document, Fact, Read
from flux2build.images.documents.srcset import SiteOptions, site_assets

FORMAT_VERSION: Final = "1.0"


class Manifest(Document):
    """Every asset with its files, its `srcset`s, its alternative text and its colours."""

    name = "manifest"
    options = SiteOptions

    def write(self, facts: Sequence[Fact], options: SiteOptions, read: Read) -> str:
        """JSON with the assets by name, one value on each line."""
        value = {"format_version": FORMAT_VERSION, "assets": site_assets(facts, options, read)}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


DOCUMENT: Final[Document] = Manifest()
