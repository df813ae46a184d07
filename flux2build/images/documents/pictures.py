"""`pictures`: `<picture>` elements to paste or to include."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from flux2build.images.documents.contract import Document, Fact, Read
from flux2build.images.documents.srcset import (
    TYPES,
    Picture,
    SiteOptions,
    by_asset,
    pictures,
    srcset,
    url,
)


class Pictures(Document):
    """One element for each picture: newest format first, with size and alternative text."""

    name = "pictures"
    endings = (".html",)
    options = SiteOptions

    def write(self, facts: Sequence[Fact], options: SiteOptions, read: Read) -> str:
        """Fragments of HTML, each after a comment that names its asset."""
        lines: list[str] = []
        for name, own in by_asset(facts).items():
            for picture in pictures(own):
                # Two hyphens would end the comment.
                lines.append(f"<!-- {escape(name).replace('--', '&#45;&#45;')} -->")
                lines += _element(picture, options, read)
        return "\n".join([*lines, ""])


def _element(picture: Picture, options: SiteOptions, read: Read) -> Iterator[str]:
    """`<picture>`, or only `<img>` if there is a single format."""
    *newer, last = picture.formats.values()
    if not newer:
        yield _img(picture, last, options, read)
        return
    yield "<picture>"
    for files in newer:
        source = {"type": TYPES[files[0].output.format], **_sources(files, options)}
        yield f"  <source {_attributes(source)}>"
    yield f"  {_img(picture, last, options, read)}"
    yield "</picture>"


def _img(picture: Picture, files: Sequence[Fact], options: SiteOptions, read: Read) -> str:
    """`<img>`; it has an alternative text only if the spec gives one."""
    alt = picture.fallback.about.alt
    attributes = {
        "src": url(picture.fallback, options.base),
        **(_sources(files, options) if len(files) > 1 else {}),
        "width": str(picture.largest.output.width),
        "height": str(picture.largest.output.height),
        **({} if alt is None else {"alt": alt}),
        "loading": "lazy",
        "decoding": "async",
        **({"style": f"background-color: {picture.color(read)}"} if options.color else {}),
    }
    return f"<img {_attributes(attributes)}>"


def _sources(files: Sequence[Fact], options: SiteOptions) -> dict[str, str]:
    return {"srcset": srcset(files, options.base), "sizes": options.sizes}


def _attributes(attributes: dict[str, str]) -> str:
    return " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())


DOCUMENT: Final[Document] = Pictures()
