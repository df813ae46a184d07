"""`contents`: the `Contents.json` of an icon set in Apple's asset catalogues."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from flux2build.digest import Json
from flux2build.images.documents.contract import Document, DocumentOptions, Fact, Read
from flux2build.model import INGREDIENT

_MAC: Final = re.compile(r"icon_(\d+)x\1(?:@(\d)x)?")


class Contents(Document):
    """Says which file is which icon: one for iOS, or one for each size of macOS, by its name."""

    name = "contents"
    endings = ("Contents.json",)

    def write(self, facts: Sequence[Fact], _options: DocumentOptions, _read: Read) -> str:
        """JSON as Xcode writes it."""
        files = [fact for fact in facts if fact.about.role != INGREDIENT]
        files.sort(key=lambda fact: (fact.output.width, fact.about.path))
        images = [_image(fact) for fact in files]
        value = {"images": images, "info": {"author": "xcode", "version": 1}}
        return json.dumps(value, indent=2, ensure_ascii=False, separators=(",", " : ")) + "\n"


def _image(fact: Fact) -> dict[str, Json]:
    filename = fact.about.path.rpartition("/")[2]
    if mac := _MAC.match(filename):
        size = f"{mac[1]}x{mac[1]}"
        return {"filename": filename, "idiom": "mac", "scale": f"{mac[2] or 1}x", "size": size}
    size = f"{fact.output.width}x{fact.output.height}"
    return {"filename": filename, "idiom": "universal", "platform": "ios", "size": size}


DOCUMENT: Final[Document] = Contents()
