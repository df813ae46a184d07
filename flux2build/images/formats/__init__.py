"""Picture formats: one module says all that flux2build knows about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.images.formats.contract import PictureFormat

FORMATS: Final[Family[PictureFormat]] = Family(
    "flux2build.images.formats",
    "FORMAT",
    besides=frozenset({"contract", "isobmff", "lookup", "png_file"}),
)
