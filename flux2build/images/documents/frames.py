"""`frames`: a texture atlas as game engines read it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from posixpath import basename, splitext
from typing import Final

from pydantic import Field

from flux2build.digest import Json
from flux2build.errors import SpecError
from flux2build.images.documents.contract import Document, DocumentOptions, Fact, Read
from flux2build.images.geometry import Anchor, Size, share
from flux2build.images.ops.contract import OPS, AtlasLayout, Op, Pivot
from flux2build.model import INGREDIENT, Operation


class FrameOptions(DocumentOptions):
    """What an engine reads beside the rectangles."""

    names: list[str] | None = Field(
        default=None,
        description="names of the frames, in reading order; `<picture>-<number>` when not given",
    )
    pivot: Anchor | None = Field(
        default=None,
        description="the point by which an engine places a frame; that of `align`, else of `grid`, "
        "when not given",
    )
    scale: str = Field(default="1", description="the atlas's scale, for engines that ask")


class Frames(Document):
    """The JSON hash of TexturePacker: Phaser, PixiJS and others load it with its picture."""

    name = "frames"
    options = FrameOptions

    def write(self, facts: Sequence[Fact], options: FrameOptions, _read: Read) -> str:
        """JSON with a rectangle and a pivot for every frame, and frames grouped by picture."""
        atlases = [fact for fact in facts if fact.about.role != INGREDIENT]
        atlas, layout = _laid_out(atlases)
        ingredients, count = facts[len(atlases) :], layout.frames
        files = [basename(ingredients[place].about.path) for place in layout.inputs]
        stems = [splitext(file)[0] for file in files]
        numbers = [""] if count == 1 else [f"-{number}" for number in range(count)]
        names = options.names or [stem + number for stem in stems for number in numbers]
        _refuse_odd_names(names, len(stems) * count)
        corners, (width, height) = _cells(atlas, layout, len(names))
        pivot = _share(_pivot(atlas, layout, options.pivot), (width, height))
        size: dict[str, Json] = {"w": width, "h": height}
        frames = {
            name: {
                "frame": {"x": x, "y": y, **size},
                "rotated": False,
                "trimmed": False,
                "spriteSourceSize": {"x": 0, "y": 0, **size},
                "sourceSize": size,
                "pivot": pivot,
            }
            for name, (x, y) in zip(names, corners, strict=True)
        }
        meta = {
            "app": "flux2build",
            "version": "1.0",
            "image": basename(atlas.about.path),
            "format": "RGBA8888",
            "size": {"w": atlas.output.width, "h": atlas.output.height},
            "scale": options.scale,
        }
        animations = {
            stem: names[at * count : (at + 1) * count] for at, stem in enumerate(stems) if count > 1
        }
        value = {"frames": frames, "animations": animations, "meta": meta}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _laid_out(atlases: Sequence[Fact]) -> tuple[Fact, AtlasLayout]:
    """The first file of the atlas, and how its frames lie.

    Raises:
        SpecError: no operation lays frames out, or one moves them afterwards.
    """
    atlas = atlases[0]
    sizes = {(fact.output.width, fact.output.height) for fact in atlases}
    layout, moving = None, ""
    for step in atlas.about.ops:
        op = OPS[step.op]
        if layout is None:
            layout = _operation(step).layout()
        elif not op.keeps_cells:
            moving = f"`{op.name}`"
    if layout is None:
        hint = '`ops = [{ op = "grid", … }]` lays frames out; `slice` makes a file of each'
        raise SpecError(f"`{atlas.about.path}` is not an atlas: it has no `grid`", hint=hint)
    if moving or len(sizes) > 1:
        what = moving or "one of its `widths`"
        hint = "make the frames smaller with `cell` of `grid`"
        raise SpecError(f"{what} moves the frames of `{atlas.about.path}` after `grid`", hint=hint)
    return atlas, layout


def _operation(step: Operation) -> Op:
    return OPS[step.op].model_validate(dict(step.params))


def _refuse_odd_names(names: Sequence[str], count: int) -> None:
    if len(names) != count:
        hint = "name every frame, in reading order"
        raise SpecError(f"{len(names)} names for {count} frames", hint=hint)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        hint = "give the frames `names`"
        raise SpecError(f"two frames are called `{twice[0]}`", hint=hint)


def _cells(atlas: Fact, layout: AtlasLayout, count: int) -> tuple[list[Size], Size]:
    """The left and top of each cell, and their size, which follows from that of the file."""
    columns, padding = min(count, layout.columns), layout.padding
    rows = -(-count // layout.columns)
    width = (atlas.output.width - padding) // columns - padding
    height = (atlas.output.height - padding) // rows - padding
    places = (divmod(index, columns) for index in range(count))
    corners = [
        (padding + column * (width + padding), padding + row * (height + padding))
        for row, column in places
    ]
    return corners, (width, height)


def _pivot(atlas: Fact, layout: AtlasLayout, asked: Anchor | None) -> Pivot:
    """The pivot that was asked for, else the one on which an operation has placed the figures."""
    if asked:
        return Pivot(asked)
    pivots = (_operation(step).figure_point() for step in reversed(atlas.about.ops))
    return next(filter(None, pivots), Pivot(layout.pivot))


def _share(pivot: Pivot, cell: tuple[int, int]) -> dict[str, float]:
    """Where in a cell its pivot is, right and down, each from 0 to 1."""
    x, y = (
        round((pivot.inset + (side - 2 * pivot.inset) * at) / side, 4)
        for side, at in zip(cell, share(pivot.anchor), strict=True)
    )
    return {"x": x, "y": y}


DOCUMENT: Final[Document] = Frames()
