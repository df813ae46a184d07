"""Prepares references for upload: upright, without private data, no larger than the model takes.

The bytes sent follow from the file and the model's card alone, so the file's digest
still identifies the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isqrt
from typing import Final

from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.images.formats.lookup import holds_more, media_type, sniff
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import Reference
from flux2build.providers.pricing import Size, megapixels, size_of

MATCHING: Final = "match_input_image"
"""The value that asks for the first reference's shape or resolution."""

_SENT: Final = frozenset({"png", "jpeg", "webp"})
"""Formats that every provider takes; other pictures are sent as PNG."""


def sent_size(size: Size, card: Card) -> Size:
    """The size at which a reference is sent: its own, or the largest that the model takes."""
    width, height = size
    most = card.reference_pixels
    if most is None or width * height <= most:
        return size
    wide = min(most, max(1, isqrt(width * most // height)))
    high = min(most // wide, max(1, isqrt(height * most // width)))
    return wide, high


def shown(size: Size) -> str:
    """A size as people write it: `1024×768`."""  # noqa: RUF002  # the sign people read in sizes
    return f"{size[0]}×{size[1]}"  # noqa: RUF001  # the sign people read in sizes


def scaling(size: Size, card: Card) -> str:
    """A phrase that says how a reference is scaled before it is sent; empty when it is not."""
    scaled = sent_size(size, card)
    return "" if scaled == size else f"scaled from {shown(size)} to {shown(scaled)}"


def alteration(data: bytes, size: Size, card: Card) -> str:
    """A phrase that says how a sound reference is changed before it is sent; empty when it is not."""
    if words := scaling(size, card):
        return words
    if (form := sniff(data)) not in _SENT:
        return f"as PNG instead of {form.upper()}"
    return "without its metadata" if holds_more(data) else ""


Misfit = tuple[int | None, Problem]
"""A problem with one reference, by its number from 0, or with all of them together (None)."""


def misfits(
    card: Card, params: Mapping[str, Json], references: Sequence[tuple[str, Size | None]]
) -> Iterator[Misfit]:
    """The problems with an order's references, as far as their sizes are known."""
    if len(references) > card.references:
        most = f"`{card.model}` takes {card.references or 'no'} references"
        message = f"{most}, and there are {len(references)}"
        yield None, Problem(message, hint="leave some out of `refs`")
    for index, (name, size) in enumerate(references):
        if size and min(size) < card.reference_side:
            rows = ("size", shown(size)), ("least", f"{card.reference_side} pixels a side")
            message = f"`{name}` is too small for `{card.model}`"
            yield index, Problem(message, rows=rows, hint="use a larger picture")
    for name in sorted(params):
        if params[name] == MATCHING and not references:
            message = f'`{name} = "{MATCHING}"` needs a reference to match'
            yield None, Problem(message, hint="name one in `refs`, or another shape")
    yield from _excess(card, params, [size for _, size in references])


def _excess(
    card: Card, params: Mapping[str, Json], sizes: Sequence[Size | None]
) -> Iterator[Misfit]:
    """The problem of too many megapixels in output and references together."""
    size, most = size_of(params), card.input_megapixels
    output = megapixels(*size) if size else 1
    inputs = [megapixels(*sent_size(each, card)) if each else 1 for each in sizes]
    if most is not None and inputs and output + sum(inputs) > most:
        rows = ("output", f"{output}"), ("references", " + ".join(map(str, inputs)))
        message = f"`{card.model}` takes {most} megapixels of output and references together"
        hint = "use smaller references or a smaller output, or leave a reference out"
        yield None, Problem(message, rows=rows, hint=hint)


def prepared(reference: Reference, card: Card) -> Reference:
    """The reference as it is sent; its bytes stay the same if nothing has to change.

    Raises:
        PictureError: it is not a whole, still picture.
    """
    from PIL import Image

    from flux2build.images.decode import decode
    from flux2build.images.encode import encode

    image, form = decode(reference.data, reference.name), sniff(reference.data)
    if not alteration(reference.data, image.size, card):
        return Reference(reference.name, reference.data, media_type(form))
    if (smaller := sent_size(image.size, card)) != image.size:
        image = image.resize(smaller, Image.Resampling.LANCZOS)
    form = "jpeg" if form == "jpeg" else "png"
    data = encode(image, {"format": form} | ({"quality": 95} if form == "jpeg" else {}))
    return Reference(reference.name, data, media_type(form))
