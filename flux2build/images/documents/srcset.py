"""The pictures of a site: the files of one asset, in several sizes and formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from PIL import Image

from flux2build.digest import Json
from flux2build.images.decode import decode
from flux2build.images.documents.contract import Base, DocumentOptions, Fact, Read
from flux2build.images.formats.lookup import formats
from flux2build.model import INGREDIENT
from flux2build.tables.table import Field

TYPES: Final = {
    format_.name: format_.media_type
    for format_ in reversed([*formats().values()])
    if format_.on_pages
}
"""Media types by format, in the order in which a browser is to choose: smallest first."""


class SiteOptions(DocumentOptions):
    """The keys of `[manifest]` that are not paths."""

    base: Base = Field(default="", description="put before every path")
    sizes: str = Field(default="100vw", description="how wide pictures are shown")
    color: bool = Field(default=True, description="tell the average colour of every picture")


class Picture(Struct, frozen=True):
    """One picture of an asset: its files by format, in the order of `TYPES`, by width."""

    files: tuple[Fact, ...]

    @property
    def largest(self) -> Fact:
        """The widest file, whose size is the picture's."""
        return max(self.files, key=lambda fact: fact.output.width)

    @property
    def fallback(self) -> Fact:
        """The file for browsers that know no newer format: the largest of the oldest format."""
        return self.files[-1]

    @property
    def formats(self) -> dict[str, list[Fact]]:
        """The files of each format, by width."""
        groups = groupby(self.files, lambda fact: fact.output.format)
        return {form: list(files) for form, files in groups}

    def color(self, read: Read) -> str:
        """The average colour on white, as `#rrggbb`, of the file with the fewest pixels."""
        smallest = min(self.files, key=lambda fact: (fact.output.width, fact.about.path))
        image = decode(read(smallest), smallest.about.path)
        canvas = Image.new("RGBA", image.size, "#ffffff")
        canvas.alpha_composite(image.convert("RGBA"))
        pixel = canvas.convert("RGB").resize((1, 1), Image.Resampling.BOX)
        return "#" + pixel.tobytes().hex()


def by_asset(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """The files of each asset, assets by name."""
    files: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.about.role != INGREDIENT:
            files.setdefault(fact.about.asset, []).append(fact)
    return {name: files[name] for name in sorted(files)}


def pictures(facts: Sequence[Fact]) -> Iterator[Picture]:
    """The pictures of one asset: its files that a page can show, by the entry of `deliver`."""
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.output.format in TYPES and not fact.about.role:
            groups.setdefault(fact.about.group, []).append(fact)
    order = list(TYPES)
    for files in groups.values():
        files.sort(key=lambda f: (order.index(f.output.format), f.output.width, f.about.path))
        yield Picture(tuple(files))


def srcset(files: Iterable[Fact], base: str) -> str:
    """A `srcset`: each address with its width."""
    return ", ".join(f"{url(fact, base)} {fact.output.width}w" for fact in files)


def url(fact: Fact, base: str) -> str:
    """The URL of a file, percent-encoded so that it can stand in a `srcset`."""
    return "%20".join(base.split()) + quote(fact.about.path)


def site_assets(facts: Iterable[Fact], options: SiteOptions, read: Read) -> dict[str, Json]:
    """The assets of a site by name, with their pictures and files."""
    return {name: _asset(own, options, read) for name, own in by_asset(facts).items()}


def _asset(facts: Sequence[Fact], options: SiteOptions, read: Read) -> Json:
    about = facts[0].about
    return {
        "alt": about.alt,
        "title": about.title,
        "tags": sorted(about.tags),
        "axes": {axis: about.axes[axis] for axis in sorted(about.axes)},
        "pictures": [_picture(picture, options, read) for picture in pictures(facts)],
        "files": [_file(fact) for fact in sorted(facts, key=lambda f: f.about.path)],
    }


def _picture(picture: Picture, options: SiteOptions, read: Read) -> Json:
    value: dict[str, Json] = {
        "src": url(picture.fallback, options.base),
        "width": picture.largest.output.width,
        "height": picture.largest.output.height,
        "sizes": options.sizes,
        "sources": [
            {"type": TYPES[form], "srcset": srcset(files, options.base)}
            for form, files in picture.formats.items()
        ],
    }
    return {**value, "color": picture.color(read)} if options.color else value


def _file(fact: Fact) -> Json:
    output = fact.output
    value: dict[str, Json] = {
        "path": fact.about.path,
        "width": output.width,
        "height": output.height,
        "format": output.format,
        "bytes": output.bytes,
        "sha256": output.sha256.removeprefix("sha256:"),
    }
    return {**value, "role": fact.about.role} if fact.about.role else value
