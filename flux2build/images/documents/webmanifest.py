"""`webmanifest`: the file that a browser reads before it installs a site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Literal

from flux2build.digest import Json
from flux2build.images.documents.contract import Document, DocumentOptions, Fact, Read
from flux2build.images.documents.srcset import TYPES
from flux2build.model import INGREDIENT
from flux2build.tables.table import Field

_SMALLEST: Final = 192
"""The least side in pixels of a listed icon; browsers take smaller ones from the page."""


class WebManifestOptions(DocumentOptions):
    """The members of the file beside its icons."""

    name: str | None = Field(default=None, description="name of the site")
    short_name: str | None = Field(default=None, description="name where there is little room")
    theme_color: str | None = Field(default=None, description="colour around the site")
    background_color: str | None = Field(default=None, description="colour until it is there")
    display: Literal["standalone", "minimal-ui", "fullscreen", "browser"] = Field(
        default="standalone", description="how much of a browser is around it"
    )
    start_url: str = Field(default="/", description="where it starts")


class WebManifest(Document):
    """A web app manifest with the icons of the entry, by paths beside it."""

    name = "webmanifest"
    endings = (".webmanifest", ".json")
    options = WebManifestOptions

    def write(self, facts: Sequence[Fact], options: WebManifestOptions, _read: Read) -> str:
        """JSON with the icons that are large enough, smallest first."""
        icons = [fact for fact in facts if _is_icon(fact)]
        icons.sort(key=lambda fact: (fact.output.width, fact.about.path))
        members = options.model_dump(exclude_none=True)
        value = {**members, "icons": [_icon(fact) for fact in icons]}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _is_icon(fact: Fact) -> bool:
    square = fact.output.width == fact.output.height >= _SMALLEST
    return square and fact.output.format in TYPES and fact.about.role != INGREDIENT


def _icon(fact: Fact) -> dict[str, Json]:
    icon: dict[str, Json] = {
        "src": fact.about.path.rpartition("/")[2],
        "sizes": f"{fact.output.width}x{fact.output.height}",
        "type": TYPES[fact.output.format],
    }
    return {**icon, "purpose": "maskable"} if "maskable" in fact.about.role else icon


DOCUMENT: Final[Document] = WebManifest()
