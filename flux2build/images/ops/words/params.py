"""The parameters of `text`: which words, in which fonts, how large and where."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from flux2build.images.colour.notation import Colour
from flux2build.images.geometry import Anchor
from flux2build.images.lettering import Wrap
from flux2build.images.ops.contract import File, Params
from flux2build.tables.marks import After
from flux2build.tables.table import Field, rule

_LONGEST: Final = 4000
_PERCENT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
_LANGUAGE: Final = re.compile(
    r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9-]+)?(@[A-Za-z0-9]+)?"
)


def _length(value: int | str) -> int | str:
    """Pixels as a number, even where a template wrote them as text; a share as it is."""
    if isinstance(value, int) or _PERCENT.fullmatch(value):
        return value
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ValueError(f'`{value}` is not a length; write pixels, or a share such as `"5%"`')
    return int(value)


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(f"`{value}` is not a language, such as `de` or `pt-BR`")
    return value


Language = Annotated[str, After(_language)]
"""The language of words, as BCP 47 or gettext name it."""
Length = Annotated[Annotated[int, Field(ge=0, le=65536)] | str, After(_length)]
"""Pixels, or a share of the picture."""


def pixels(length: int | str, whole: int) -> int:
    """A length in pixels, on a side of `whole` pixels."""
    share = _PERCENT.fullmatch(length) if isinstance(length, str) else None
    return round(float(share[1]) / 100 * whole) if share else int(length)


Fonts = File | Annotated[list[File], Field(min_length=1, max_length=16)]
"""A font, or several: the first one that has a letter sets it."""


class Shadow(Params):
    """A blurred copy below the letters."""

    color: Colour = Field(default="#00000099", description="its colour")
    x: int = Field(default=0, ge=-512, le=512, description="pixels to the right")
    y: int = Field(default=2, ge=-512, le=512, description="pixels down")
    blur: float = Field(default=4, ge=0, le=256, description="radius of the blur in pixels")


class Backdrop(Params):
    """A plate behind the letters."""

    color: Colour = Field(description="its colour")
    padding: Length = Field(
        default=8, description="around the letters, in pixels or as a share of the shorter side"
    )
    radius: Length = Field(
        default=0, description="of its corners, in pixels or as a share of the shorter side"
    )
    cover: Literal["text", "box"] = Field(
        default="text", description="as large as the letters need, or the whole box"
    )


class TextParams(Params):
    """The words, their fonts, their size and their place."""

    text: str = Field(
        max_length=_LONGEST, description="the words; line ends stay; `\"{{ t('headline') }}\"`"
    )
    font: Fonts | None = Field(
        default=None,
        description="path of a font (`.ttf`, `.otf`), or several: the first one that has a letter "
        "sets it; Noto Sans for Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari and Thai when "
        "not given",
    )
    fallback: bool = Field(
        default=False, description="let the included fonts set what `font` lacks"
    )
    weight: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="400 is regular, 700 is bold; for the included fonts, or a variable one",
    )
    language: Language | None = Field(
        default=None,
        description='what the words are written in, such as `"ar"` or `"{{ locale }}"`: decides '
        "direction, line breaks and local letterforms",
    )
    box: Annotated[list[Length], Field(min_length=4, max_length=4)] = Field(
        default=["5%", "5%", "90%", "90%"],
        description="left, top, width and height that the words must not leave, in pixels or in "
        "shares of the picture",
    )
    anchor: Anchor = Field(default="center", description="where in the box the words lie")
    align: Literal["start", "left", "center", "right", "end"] | None = Field(
        default=None,
        description="which side lines share; `start` is right in right-to-left text; the anchor's "
        "side when not given",
    )
    mirror: bool = Field(
        default=False,
        description="in right-to-left text, exchange left and right of box, anchor and alignment",
    )
    size: Length = Field(
        default="10%",
        description="largest size, in pixels or as a share of the picture's shorter side",
    )
    min_size: Length | None = Field(
        default=None, description="smallest size to shrink to until it fits; `size` when not given"
    )
    max_lines: int | None = Field(default=None, ge=1, description="most lines")
    wrap: Wrap = Field(
        default="balance",
        description="lines about as long as each other, as full as they can be, or as written",
    )
    line_height: float | None = Field(
        default=None,
        ge=0.5,
        le=4,
        description="from line to line, in sizes; 1.2, or 1.45 in scripts that stack marks",
    )
    tracking: int = Field(
        default=0,
        ge=-200,
        le=1000,
        description="space after each letter, in thousandths of the size; not where letters join",
    )
    color: Colour = Field(default="#ffffff", description="colour of the letters")
    stroke: int = Field(default=0, ge=0, le=128, description="pixels of outline around the letters")
    stroke_color: Colour = Field(default="#000000", description="colour of the outline")
    shadow: Shadow | None = Field(
        default=None, description="a shadow: `{ color, x, y, blur }`; it may leave the box"
    )
    backdrop: Backdrop | None = Field(
        default=None, description="a plate: `{ color, padding, radius, cover }`, inside the box"
    )

    @rule
    def _combines(self) -> None:
        if not self.text.strip():
            raise ValueError("`text` is empty")
        if 0 in self.box[2:] or "0%" in self.box[2:]:
            raise ValueError("the width and height of `box` must be more than 0")
        match (self.min_size, self.size):
            case (int(least), int(size)) if least > size:
                raise ValueError("`min_size` is larger than `size`")
