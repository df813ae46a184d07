"""Orders as the server understood them: references, sizes, and prices in credits of 0.01 USD."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from flux2build.digest import Digest, of_bytes, of_json
from flux2build.images.formats.lookup import examine
from flux2build.providers import pricing
from flux2build.providers.capabilities import Card, Price
from flux2build.providers.pricing import MEGAPIXEL

CREDIT: Final = Decimal("0.01")
"""USD in one credit."""
SIDES: Final = {"768sq": 768, "1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}
"""Pixels of a square picture's side, by the class of its resolution."""
UPLOADS: Final = "/v1/files/"
"""The path of uploaded files; a URL with this path belongs to the simulator."""

Uploaded = Callable[[str], bytes | None]
"""Gets an uploaded file by its id."""

_ASSUMED: Final = Price(first=Decimal("0.02"))
"""The assumed price of a model without a list price."""

_READABLE: Final = frozenset({"png", "jpeg", "webp"})


class BadReferenceError(ValueError):
    """A reference is not a picture."""


class Reference(Struct, frozen=True):
    """A picture of an order; one behind a foreign URL is never fetched, and counts as 1 MP."""

    digest: Digest
    data: bytes = b""
    width: int = 1024
    height: int = 1024

    @property
    def pixels(self) -> int:
        """Its size, as it is billed."""
        return self.width * self.height


class ReceivedOrder(Struct, frozen=True):
    """One order, as the server understood it."""

    model: str
    prompt: str
    reported_prompt: str
    """The prompt that the server will report as the one it used."""
    width: int
    height: int
    format: str
    seed: int | None
    references: tuple[Reference, ...]
    credits: Decimal
    billed_pixels: int
    """Pixels of output that are billed; more than are delivered where a side is rounded."""
    echo: Mapping[str, Any]
    """The body, for dialects that repeat it."""

    @property
    def input_pixels(self) -> int:
        """Pixels of all references."""
        return sum(reference.pixels for reference in self.references)

    @property
    def digest(self) -> Digest:
        """Equal for equal orders, however their references were sent."""
        return of_json(
            {
                "model": self.model,
                "params": {k: v for k, v in self.echo.items() if k not in _NOT_ORDERED},
                "references": [reference.digest for reference in self.references],
            }
        )


_NOT_ORDERED: Final = frozenset(
    {
        *("images", "input_images", "input_image", *(f"input_image_{n}" for n in range(2, 9))),
        *("webhook_url", "webhook_secret"),
    }
)
"""The fields of references, which are compared by their bytes, and of callbacks."""


def reference_of(text: str, uploaded: Uploaded) -> Reference:
    """The reference behind a URL, a data URL or base64.

    Raises:
        BadReferenceError: it is not a whole PNG, JPEG or WebP file.
    """
    if text.startswith(("http://", "https://")):
        data = uploaded(text.rpartition(UPLOADS)[2]) if UPLOADS in text else None
        return Reference(of_bytes(text.encode())) if data is None else _picture(data)
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return _picture(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise BadReferenceError("it is neither a URL nor base64") from error


def _picture(data: bytes) -> Reference:
    picture = examine(data)
    if picture.format not in _READABLE:
        raise BadReferenceError("it is not a PNG, JPEG or WebP file")
    if picture.fault:
        raise BadReferenceError(picture.fault)
    return Reference(of_bytes(data), data, picture.width, picture.height)


def floored(side: int, multiple: int = 16) -> int:
    """A side rounded down to what the model renders."""
    return max(multiple, side // multiple * multiple)


def fitted(
    ratio: tuple[int, int], megapixels: float, *, multiple: int = 16, side: int = 2048
) -> tuple[int, int]:
    """The size of an area in megapixels at a ratio, clipped to the longest side."""
    wide, high = ratio
    longest = (megapixels * MEGAPIXEL * max(wide, high) / min(wide, high)) ** 0.5
    scale = min(longest, side) / max(wide, high)
    # A thousandth of a pixel, so that 1152 is not 1151.999….
    width, height = (floored(int(part * scale + 0.001), multiple) for part in ratio)
    return width, height


def ratio_of(text: str) -> tuple[int, int]:
    """`16:9` as numbers."""
    wide, _, high = text.partition(":")
    return int(wide), int(high)


def megapixels(pixels: int) -> int:
    """The billed megapixels of some pixels."""
    return pricing.megapixels(pixels, 1)


def in_megapixels(pixels: int) -> float:
    """The megapixels of some pixels, as answers name them."""
    return round(pixels / MEGAPIXEL, 2)


def credits_for(card: Card, output: int, references: Iterable[int], resolution: str) -> Decimal:
    """The price of a picture of `output` pixels made from references of so many pixels.

    It is the price on the model's card, references included; a model without a price costs an
    assumed one.
    """
    price = pricing.price_of(card, {"resolution": resolution}) or _ASSUMED
    inputs = sum(megapixels(pixels) for pixels in references)
    return pricing.amount(price, megapixels(output), inputs) / CREDIT
