"""Facts about small real files, as a build would hand them to a document."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from flux2build.digest import of_bytes
from flux2build.images.documents.contract import Fact
from flux2build.model import About, AssetName, Output


@dataclass
class Site:
    """Files by path, and what is said about them."""

    facts: list[Fact] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def add(
        self, path: str, size: tuple[int, int] = (8, 4), color: str = "#336699", **said: object
    ) -> None:
        """A file of one colour; `said` are fields of `About`."""
        form = {"jpg": "jpeg"}.get(path.rsplit(".", 1)[-1], path.rsplit(".", 1)[-1])
        target = io.BytesIO()
        mode = "RGBA" if form == "png" else "RGB"
        Image.new(mode, size, color).save(
            target, form, **({"lossless": True} if form == "webp" else {})
        )
        data = self.files[path] = target.getvalue()
        asset = AssetName(str(said.pop("asset", "fox")))
        about = About(asset, path, **said)  # type: ignore[arg-type]
        self.facts.append(Fact(about, Output(path, of_bytes(data), len(data), *size, form)))

    def read(self, fact: Fact) -> bytes:
        """The bytes of a file, noted."""
        self.reads.append(fact.about.path)
        return self.files[fact.about.path]


def hero(axes: Mapping[str, str] | None = None) -> Site:
    """A picture in two sizes and three formats, in no good order."""
    site = Site()
    for width in (16, 8):
        for form in ("jpeg", "webp", "avif"):
            site.add(f"hero-{width}.{form}", (width, width // 2), axes=axes or {}, alt="A fox")
    return site
