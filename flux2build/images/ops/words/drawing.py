"""Drawing the words of `text`: laid out in their box, inked, outlined, shaded and backed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from flux2build.errors import SpecError, brief
from flux2build.images.alpha import faded
from flux2build.images.colour.notation import rgba
from flux2build.images.geometry import Size, share
from flux2build.images.lettering import breaks, faces, ink, language_tag, layout, scripts
from flux2build.images.lettering.faces import Face
from flux2build.images.lettering.layout import Block, Box, Placed, Rules
from flux2build.images.lettering.shaping import Paragraph, Style
from flux2build.images.ops.contract import Canvas, Inputs, Lettered, Letters
from flux2build.images.ops.inputs import content
from flux2build.images.ops.words.params import Backdrop, Shadow, TextParams, pixels
from flux2build.storage.lfs import is_lfs_pointer
from flux2build.tables.table import Table

_SIDES: Final = {"start": 0.0, "left": 0.0, "center": 0.5, "right": 1.0, "end": 1.0}


class MisfitError(SpecError):
    """Words are too long for their box at their smallest size."""


def lettered(image: Image.Image, params: TextParams, inputs: Inputs) -> Image.Image:
    """The picture with the words on it.

    Raises:
        SpecError: no font has some letter, or the words do not fit at the smallest size.
    """
    box, block, placed = _laid_out(image.size, params, inputs)
    return _painted(image, params, box, block, placed)


def letters(image: Image.Image, params: TextParams, inputs: Inputs) -> Letters:
    """The letters that are set on a picture, and what lies under them.

    Raises:
        SpecError: no font has some letter, or the words do not fit at the smallest size.
    """
    box, block, placed = _laid_out(image.size, params, inputs)
    ground, mask = _inked(image.convert("RGBA"), params, box, block, placed)
    area = (box.left, box.top, box.left + box.width, box.top + box.height)
    return Letters(mask, ground.crop(area), params.color, block.size)


def foreseen(canvas: Canvas | None, params: TextParams, inputs: Inputs, op: str) -> Canvas | None:
    """The canvas with the area of the letters; when it is unknown, only the fonts are checked.

    Raises:
        SpecError: no font has some letter, or the words do not fit at the smallest size.
    """
    if canvas is None:
        faces.choose(params.text, _faces(params, inputs))
        return None
    _, block, placed = _laid_out(canvas.size, params, inputs)
    inks = [(one.x, one.y, one.line.ink) for one in placed if one.line.ink]
    if not inks:
        return canvas
    area = Lettered(
        min(x + ink.left * block.size for x, _, ink in inks) - params.stroke,
        min(y - ink.top * block.size for _, y, ink in inks) - params.stroke,
        max(x + ink.right * block.size for x, _, ink in inks) + params.stroke,
        max(y - ink.bottom * block.size for _, y, ink in inks) + params.stroke,
        op,
    )
    return replace(canvas, letters=(*canvas.letters, area))


def _laid_out(
    size: Size, params: TextParams, inputs: Inputs
) -> tuple[Box, Block, Sequence[Placed]]:
    """The box, the words at the size that fits into it, and where each line lies."""
    language = language_tag(params.language or "")
    leftward = scripts.leftward(language)
    style = Style(_faces(params, inputs), language, leftward, params.tracking / 1000)
    paragraphs = [Paragraph(text, style) for text in breaks.paragraphs(params.text)]
    turned = params.mirror and bool(paragraphs[0].base)
    box = _box(params, size, turned=turned)
    shorter = min(size)
    padding = pixels(params.backdrop.padding, shorter) if params.backdrop else 0
    inner = box.inset(params.stroke + padding)
    block = _fitted(paragraphs, inner, _rules(params, size), params)
    x, y = share(params.anchor)
    across = 1 - x if turned else x
    align = _align(params, across, leftward=bool(paragraphs[0].base))
    return box, block, list(layout.place(block, inner, (across, y), align))


def _faces(params: TextParams, inputs: Inputs) -> tuple[Face, ...]:
    if params.font is None:
        return faces.bundled(params.weight)
    named = params.font if isinstance(params.font, list) else [params.font]
    own = tuple(_face(one, inputs, params.weight) for one in named)
    if params.fallback:
        return own + faces.bundled(params.weight)
    if params.weight is not None and not any(face.variable for face in own):
        listed = ", ".join(face.name for face in own)
        raise SpecError(
            "`weight` needs a variable font",
            rows=(("fonts", listed),),
            hint="name the file of that weight in `font`, and drop `weight`",
        )
    return own


def _face(field: str | Table, inputs: Inputs, weight: int | None) -> Face:
    """The font in a file.

    Raises:
        SpecError: the file is not a font.
    """
    data = content(field, inputs)
    face = faces.of(data, weight)
    if not face.readable:
        name = f"input {getattr(field, 'input', field)}"
        if is_lfs_pointer(data):
            raise SpecError(f"`{name}` is a Git LFS pointer, not a font", hint="run `git lfs pull`")
        hint = "use a TrueType or OpenType file: `.ttf`, `.otf`, `.ttc`"
        raise SpecError(f"`{name}` is not a font that can be read", hint=hint)
    return face


def _box(params: TextParams, size: Size, *, turned: bool) -> Box:
    left, top, width, height = (
        pixels(length, size[at % 2]) for at, length in enumerate(params.box)
    )
    if left + width > size[0] or top + height > size[1]:
        area, picture = f"{width}x{height} at {left},{top}", f"{size[0]}x{size[1]}"
        raise SpecError(
            "the `box` of the text leaves the picture",
            rows=(("box", area), ("picture", picture)),
            hint='give its parts as shares, such as `["5%", "5%", "90%", "40%"]`',
        )
    return Box(size[0] - left - width if turned else left, top, width, height)


def _rules(params: TextParams, size: Size) -> Rules:
    largest = max(1, pixels(params.size, min(size)))
    smallest = largest if params.min_size is None else pixels(params.min_size, min(size))
    smallest = max(1, min(smallest, largest))
    return Rules(largest, smallest, params.line_height, params.max_lines, params.wrap)


def _align(params: TextParams, across: float, *, leftward: bool) -> float:
    if params.align is None:
        return across
    side = _SIDES[params.align]
    flips = leftward and (params.align in {"start", "end"} or params.mirror)
    return 1 - side if flips else side


def _fitted(paragraphs: Sequence[Paragraph], box: Box, rules: Rules, params: TextParams) -> Block:
    block = layout.fit(paragraphs, box, rules) if min(box.width, box.height) > 0 else None
    if block is None:
        raise MisfitError(
            f"`{brief(params.text)}` does not fit",
            rows=(
                ("language", params.language or "none given"),
                ("room", f"{max(0, box.width)}x{max(0, box.height)} pixels"),
                ("size", _tried(rules)),
                *((("lines", f"{rules.most_lines} at most"),) if rules.most_lines else ()),
            ),
            hint="give it a larger `box`, a smaller `min_size`, or shorter words",
        )
    return block


def _tried(rules: Rules) -> str:
    if rules.smallest == rules.largest:
        return f"{rules.largest} pixels; no `min_size` to shrink to"
    return f"from {rules.largest} down to {rules.smallest} pixels"


def _painted(
    image: Image.Image, params: TextParams, box: Box, block: Block, placed: Sequence[Placed]
) -> Image.Image:
    ground, letters = _inked(image.convert("RGBA"), params, box, block, placed)
    return _laid(ground, params.color, letters, (box.left, box.top)).convert(image.mode)


def _inked(
    base: Image.Image, params: TextParams, box: Box, block: Block, placed: Sequence[Placed]
) -> tuple[Image.Image, Image.Image]:
    """The picture with plate, shadow and outline, and the letters that lie on them as a mask."""
    letters = ink.filled(placed, block.size, box)
    at = (box.left, box.top)
    outline = ink.stroked(placed, block.size, box, params.stroke) if params.stroke else None
    visible = ImageChops.lighter(letters, outline) if outline else letters
    if params.backdrop:
        base = _laid(
            base, params.backdrop.color, _plate(params.backdrop, box, visible, min(base.size)), at
        )
    if params.shadow:
        base = _shaded(base, params.shadow, visible, at)
    return _laid(base, params.stroke_color, outline, at) if outline else base, letters


def _laid(base: Image.Image, color: str, mask: Image.Image, at: tuple[int, int]) -> Image.Image:
    """The picture with a colour laid over it where the mask is."""
    layer = faded(Image.new("RGBA", mask.size, rgba(color)), mask)
    base.alpha_composite(layer, at)
    return base


def _shaded(
    base: Image.Image, shadow: Shadow, visible: Image.Image, at: tuple[int, int]
) -> Image.Image:
    """Adds the shadow of what is visible; it may leave the box, but not the picture."""
    reach = math.ceil(shadow.blur * 3)
    mask = Image.new("L", base.size)
    mask.paste(visible, (at[0] + shadow.x, at[1] + shadow.y))
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


def _plate(backdrop: Backdrop, box: Box, visible: Image.Image, shorter: int) -> Image.Image:
    """The plate as a mask of the box: around the letters, or all of it."""
    mask = Image.new("L", (box.width * 4, box.height * 4))
    left, top, right, bottom = visible.getbbox() or (0, 0, 0, 0)
    by, radius = (pixels(length, shorter) for length in (backdrop.padding, backdrop.radius))
    area = (left - by, top - by, right + by, bottom + by)
    if backdrop.cover == "box":
        area = (0, 0, box.width, box.height)
    edges = [side * 4 for side in area]
    edges[2:] = [side - 1 for side in edges[2:]]
    ImageDraw.Draw(mask).rounded_rectangle(edges, radius * 4, fill=255)
    return mask.reduce(4)
