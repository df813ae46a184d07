"""What a site shows: the files of one asset as pictures in several sizes and formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from PIL import Image
from pydantic import Field

from flux2build.digest import Json
from flux2build.images.decode import decode
from flux2build.images.documents.contract import DocumentOptions, Fact, Read
from flux2build.images.formats.lookup import formats
from flux2build.model import INGREDIENT

TYPES: Final = {
    known.name: known.media_type for known in reversed([*formats().values()]) if known.on_pages
}
"""Media types by format, in the order in which a browser is to choose: smallest first."""


class SiteOptions(DocumentOptions):
    """What the keys of `[manifest]` say."""

    base: str = Field(default="", description="put before every path")
    sizes: str = Field(default="100vw", description="how wide pictures are shown")
    color: bool = Field(default=True, description="tell the average colour of every picture")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an asset: its files by format, in the order of `TYPES`, by width."""

    files: tuple[Fact, ...]

    @property
    def largest(self) -> Fact:
        """The file that the picture's own size is taken from."""
        return max(self.files, key=lambda fact: fact.output.width)

    @property
    def fallback(self) -> Fact:
        """The file for who understands nothing newer: the largest of the oldest format."""
        return self.files[-1]

    @property
    def formats(self) -> dict[str, list[Fact]]:
        """The files of each format, by width."""
        found: dict[str, list[Fact]] = {}
        for fact in self.files:
            found.setdefault(fact.output.format, []).append(fact)
        return found

    def color(self, read: Read) -> str:
        """The average colour, as `#rrggbb`, of the file with the fewest pixels."""
        smallest = min(self.files, key=lambda fact: (fact.output.width, fact.about.path))
        image = decode(read(smallest), smallest.about.path)
        ground = Image.new("RGBA", image.size, "#ffffff")
        ground.alpha_composite(image.convert("RGBA"))
        pixel = ground.convert("RGB").resize((1, 1), Image.Resampling.BOX)
        return "#" + pixel.tobytes().hex()


def by_asset(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """The files of each asset, in one order whatever the spec's."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.about.role != INGREDIENT:
            found.setdefault(fact.about.asset, []).append(fact)
    return {name: found[name] for name in sorted(found)}


def pictures(facts: Sequence[Fact]) -> Iterator[Picture]:
    """The pictures of one asset: files of one group that a page can show."""
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
    """The address of a file; what a `srcset` or a URL would misread is escaped."""
    return base + quote(fact.about.path)


def told(facts: Iterable[Fact], options: SiteOptions, read: Read) -> dict[str, Mapping[str, Json]]:
    """All that a site may want to know, by asset."""
    return {name: _asset(own, options, read) for name, own in by_asset(facts).items()}


def _asset(facts: Sequence[Fact], options: SiteOptions, read: Read) -> Mapping[str, Json]:
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
    shown: dict[str, Json] = {
        "src": url(picture.fallback, options.base),
        "width": picture.largest.output.width,
        "height": picture.largest.output.height,
        "sizes": options.sizes,
        "sources": [
            {"type": TYPES[form], "srcset": srcset(files, options.base)}
            for form, files in picture.formats.items()
        ],
    }
    return {**shown, "color": picture.color(read)} if options.color else shown


def _file(fact: Fact) -> Json:
    output = fact.output
    said: dict[str, Json] = {
        "path": fact.about.path,
        "width": output.width,
        "height": output.height,
        "format": output.format,
        "bytes": output.bytes,
        "sha256": output.sha256.removeprefix("sha256:"),
    }
    return {**said, "role": fact.about.role} if fact.about.role else said
