"""How many pixels a picture may have: the defaults, or the numbers in the user's configuration.

The numbers bound the memory of this process, so they are the process's, too: every thread that
decodes asks for them here, and only a user's configuration changes them.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flux2build.images.formats.contract import PictureError

MOST: Final = 250_000_000
"""The most that a user can allow: 2 GB of memory at 8 bytes a pixel."""


IN_LIMITS: Final = "under `[limits]` of your configuration"


class PixelLimits(Struct, frozen=True):
    """The most pixels of a picture."""

    source_pixels: int = 25_000_000
    """The most pixels of a file that something is made of, if its decoder needs 8 bytes for each."""
    made_pixels: int = 32_000_000
    """The most pixels of what an operation makes."""


OF_PICTURES: Final = frozenset(PixelLimits.__struct_fields__)
"""The names of these limits."""


class _Current:
    limits = PixelLimits()


def current() -> PixelLimits:
    """The limits that hold now."""
    return _Current.limits


def use(limits: PixelLimits) -> None:
    """Let these limits hold from now on."""
    _Current.limits = limits


def refuse_excess(width: int, height: int) -> None:
    """Refuse a size that would take too much memory.

    Raises:
        PictureError: the picture would have more pixels than any deliverable needs.
    """
    most = current().made_pixels
    if width * height > most:
        raise PictureError(
            f"a picture of {width}x{height} pixels is too large to make",
            rows=(("limit", f"{most / 1e6:g} megapixels"),),
            hint=f"ask for fewer pixels, or raise `made_pixels` {IN_LIMITS}",
        )
