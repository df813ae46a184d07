"""A contact sheet: pictures side by side, each with lines of text below it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from flux2build.images.decode import decode

_TILE: Final = 320
_GAP: Final = 16
_SIZE: Final = 15
_LINE: Final = 20
_MOST_COLUMNS: Final = 4
_PAPER, _FRAME, _INK, _FAINT, _PICKED = "#f6f6f4", "#d8d8d4", "#1c1c1a", "#6a6a64", "#0a7d38"


class Tile(Struct, frozen=True):
    """One picture of a sheet."""

    title: str
    lines: tuple[str, ...]
    picture: bytes | None
    """None when its bytes are not on this machine."""
    marked: bool = False
    """Whether this picture ships."""


def drawn(tiles: Sequence[Tile]) -> bytes:
    """Draw a sheet as a png."""
    columns = min(_MOST_COLUMNS, len(tiles)) or 1
    rows = -(-len(tiles) // columns)
    text = _LINE * (1 + max((len(tile.lines) for tile in tiles), default=0))
    wide, high = _TILE + _GAP, _TILE + text + 2 * _GAP
    sheet = Image.new("RGB", (columns * wide + _GAP, rows * high + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for at, tile in enumerate(tiles):
        left, top = _GAP + at % columns * wide, _GAP + at // columns * high
        _draw(sheet, draw, tile, left, top)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _small(data: bytes, side: int) -> Image.Image:
    """A copy that fits a square, on white where it is transparent."""
    image = decode(data, "the picture").convert("RGBA")
    image.thumbnail((side, side))
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _draw(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, left: int, top: int) -> None:
    font = ImageFont.load_default(_SIZE)
    box = (left, top, left + _TILE, top + _TILE)
    draw.rectangle(box, "#ffffff", _FRAME)
    if tile.picture is None:
        draw.text((left + _TILE // 2, top + _TILE // 2), "not here", _FAINT, font, anchor="mm")
    else:
        small = _small(tile.picture, _TILE - 2)
        at = (left + (_TILE - small.width) // 2 + 1, top + (_TILE - small.height) // 2 + 1)
        sheet.paste(small, at)
    if tile.marked:
        draw.rectangle(box, outline=_PICKED, width=4)
    baseline = top + _TILE + 8
    draw.text((left, baseline), _fitted(tile.title, font), _PICKED if tile.marked else _INK, font)
    for number, line in enumerate(tile.lines, start=1):
        draw.text((left, baseline + number * _LINE), _fitted(line, font), _FAINT, font)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The part of a text that fits on a tile."""
    while len(text) > 1 and font.getlength(text) > _TILE:
        text = text[:-2] + "…"
    return text
