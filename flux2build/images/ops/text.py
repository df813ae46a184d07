"""`text`: set words in a real font, exactly, in a box that they never leave."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter
from pydantic import AfterValidator, Field, model_validator

from flux2build.errors import Problem, SpecError
from flux2build.images import lettering
from flux2build.images.alpha import faded
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.geometry import Anchor, Size, share
from flux2build.images.lettering import Wrap
from flux2build.images.ops.contract import File, Op, Params
from flux2build.images.ops.inputs import content

if TYPE_CHECKING:
    from flux2build.images.lettering.faces import Face
    from flux2build.images.lettering.layout import Block, Box, Placed, Rules
    from flux2build.images.lettering.shaping import Paragraph

_LONGEST: Final = 4000
_PERCENT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
_LANGUAGE: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
_SIDES: Final = {"start": 0.0, "left": 0.0, "center": 0.5, "right": 1.0, "end": 1.0}


def _length(value: int | str) -> int | str:
    """Pixels as a number, also those that a template wrote; a share as it is."""
    if isinstance(value, int) or _PERCENT.fullmatch(value):
        return value
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ValueError(f'`{value}` is no length; write pixels, or a share such as `"5%"`')
    return int(value)


Length = Annotated[Annotated[int, Field(ge=0, le=65536)] | str, AfterValidator(_length)]
"""Pixels, or a share of the picture."""


def _pixels(length: int | str, whole: int) -> int:
    found = _PERCENT.fullmatch(length) if isinstance(length, str) else None
    return round(float(found[1]) / 100 * whole) if found else int(length)


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
    """What to say, in which font, how large, and where."""

    text: str = Field(
        max_length=_LONGEST, description="the words; line ends stay; `\"{{ t('headline') }}\"`"
    )
    font: File | Annotated[list[File], Field(min_length=1, max_length=16)] | None = Field(
        default=None,
        description="path of a font (`.ttf`, `.otf`), or several: the first one that has a letter "
        "sets it; Noto Sans for Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari and Thai when "
        "not given",
    )
    fallback: bool = Field(
        default=False, description="let the fonts that come along set what `font` lacks"
    )
    weight: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="400 is regular, 700 is bold; of the fonts that come along, or of a variable one",
    )
    language: str | None = Field(
        default=None,
        pattern=_LANGUAGE,
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

    @model_validator(mode="after")
    def _combines(self) -> TextParams:
        if not self.text.strip():
            raise ValueError("`text` is empty")
        if 0 in self.box[2:] or "0%" in self.box[2:]:
            raise ValueError("the width and height of `box` must be more than 0")
        sizes = (self.min_size, self.size)
        if all(isinstance(size, int) for size in sizes) and sizes[0] > sizes[1]:  # type: ignore[operator]
            raise ValueError("`min_size` is larger than `size`")
        return self


class Text(Op):
    """Words in a real font: wrapped, shrunk to fit, shaped in every script, right to left too."""

    name = "text"
    version = 1
    params = TextParams

    def apply(self, image: Image.Image, params: TextParams, inputs: Sequence[bytes]) -> Image.Image:
        """The picture with the words on it.

        Raises:
            SpecError: no font has some letter, or the words do not fit at the smallest size.
        """
        style = lettering.shaping.Style(
            _faces(params, inputs),
            params.language or "",
            lettering.scripts.leftward(params.language or ""),
            params.tracking / 1000,
        )
        paragraphs = [
            lettering.shaping.Paragraph(text, style)
            for text in lettering.breaks.paragraphs(params.text)
        ]
        turned = params.mirror and bool(paragraphs[0].base)
        box = _box(params, image.size, turned=turned)
        shorter = min(image.size)
        padding = _pixels(params.backdrop.padding, shorter) if params.backdrop else 0
        border = params.stroke + padding
        inner = box.inset(border)
        block = _fitted(paragraphs, inner, _rules(params, image.size), params)
        x, y = share(params.anchor)
        across = 1 - x if turned else x
        align = _align(params, across, leftward=bool(paragraphs[0].base))
        placed = list(lettering.layout.place(block, inner, (across, y), align))
        return _painted(image, params, box, block, placed)


def _faces(params: TextParams, inputs: Sequence[bytes]) -> tuple[Face, ...]:
    if params.font is None:
        return lettering.faces.bundled(params.weight)
    named = params.font if isinstance(params.font, list) else [params.font]
    own = tuple(lettering.faces.of(content(one, inputs), params.weight) for one in named)
    if params.fallback:
        return own + lettering.faces.bundled(params.weight)
    if params.weight is not None and not any(face.variable for face in own):
        listed = ", ".join(face.name for face in own)
        raise SpecError(
            Problem(
                "`weight` needs a variable font",
                rows=(("fonts", listed),),
                hint="name the file of that weight in `font`, and drop `weight`",
            )
        )
    return own


def _box(params: TextParams, size: Size, *, turned: bool) -> Box:
    left, top, width, height = (
        _pixels(length, size[at % 2]) for at, length in enumerate(params.box)
    )
    if left + width > size[0] or top + height > size[1]:
        raise SpecError(
            Problem(
                "the `box` of the text leaves the picture",
                rows=(
                    ("box", f"{width}x{height} at {left},{top}"),
                    ("picture", f"{size[0]}x{size[1]}"),
                ),
                hint='give its parts as shares, such as `["5%", "5%", "90%", "40%"]`',
            )
        )
    return lettering.layout.Box(size[0] - left - width if turned else left, top, width, height)


def _rules(params: TextParams, size: Size) -> Rules:
    largest = max(1, _pixels(params.size, min(size)))
    smallest = largest if params.min_size is None else _pixels(params.min_size, min(size))
    smallest = max(1, min(smallest, largest))
    return lettering.layout.Rules(
        largest, smallest, params.line_height, params.max_lines, params.wrap
    )


def _align(params: TextParams, across: float, *, leftward: bool) -> float:
    if params.align is None:
        return across
    side = _SIDES[params.align]
    flips = leftward and (params.align in {"start", "end"} or params.mirror)
    return 1 - side if flips else side


def _fitted(paragraphs: Sequence[Paragraph], box: Box, rules: Rules, params: TextParams) -> Block:
    block = lettering.layout.fit(paragraphs, box, rules) if min(box.width, box.height) > 0 else None
    if block is None:
        raise SpecError(
            Problem(
                f"`{lettering.faces.brief(params.text)}` does not fit",
                rows=(
                    ("language", params.language or "none given"),
                    ("room", f"{max(0, box.width)}x{max(0, box.height)} pixels"),
                    ("size", _tried(rules)),
                    *((("lines", f"{rules.most_lines} at most"),) if rules.most_lines else ()),
                ),
                hint="give it a larger `box`, a smaller `min_size`, or shorter words",
            )
        )
    return block


def _tried(rules: Rules) -> str:
    if rules.smallest == rules.largest:
        return f"{rules.largest} pixels; no `min_size` to shrink to"
    return f"from {rules.largest} down to {rules.smallest} pixels"


def _painted(
    image: Image.Image, params: TextParams, box: Box, block: Block, placed: Sequence[Placed]
) -> Image.Image:
    base = image.convert("RGBA")
    at = (box.left, box.top)
    letters = lettering.ink.filled(placed, block.size, box)
    outline = (
        lettering.ink.stroked(placed, block.size, box, params.stroke) if params.stroke else None
    )
    seen = ImageChops.lighter(letters, outline) if outline else letters
    if params.backdrop:
        base = _laid(
            base, params.backdrop.color, _plate(params.backdrop, box, seen, min(image.size)), at
        )
    if params.shadow:
        base = _shaded(base, params.shadow, seen, at)
    if outline:
        base = _laid(base, params.stroke_color, outline, at)
    return _laid(base, params.color, letters, at).convert(image.mode)


def _laid(base: Image.Image, color: str, mask: Image.Image, at: tuple[int, int]) -> Image.Image:
    """The picture with a colour laid over it where the mask is."""
    layer = faded(Image.new("RGBA", mask.size, rgba(color)), mask)
    base.alpha_composite(layer, at)
    return base


def _shaded(
    base: Image.Image, shadow: Shadow, seen: Image.Image, at: tuple[int, int]
) -> Image.Image:
    """The shadow of what is seen; the picture's edges cut it, not the box's."""
    reach = math.ceil(shadow.blur * 3)
    mask = Image.new("L", base.size)
    mask.paste(seen, (at[0] + shadow.x, at[1] + shadow.y))
    around = mask.getbbox()
    if around is None:
        return base
    area = (
        max(0, around[0] - reach),
        max(0, around[1] - reach),
        min(base.width, around[2] + reach),
        min(base.height, around[3] + reach),
    )
    soft = mask.crop(area).filter(ImageFilter.GaussianBlur(shadow.blur))
    return _laid(base, shadow.color, soft, (area[0], area[1]))


def _plate(backdrop: Backdrop, box: Box, seen: Image.Image, shorter: int) -> Image.Image:
    """The plate as a mask of the box: around the letters, or all of it."""
    mask = Image.new("L", (box.width * 4, box.height * 4))
    left, top, right, bottom = seen.getbbox() or (0, 0, 0, 0)
    by, radius = (_pixels(length, shorter) for length in (backdrop.padding, backdrop.radius))
    area = (left - by, top - by, right + by, bottom + by)
    if backdrop.cover == "box":
        area = (0, 0, box.width, box.height)
    edges = [side * 4 for side in area]
    edges[2:] = [side - 1 for side in edges[2:]]
    ImageDraw.Draw(mask).rounded_rectangle(edges, radius * 4, fill=255)
    return mask.reduce(4)


OP: Final[Op] = Text()
