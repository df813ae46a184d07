"""`frames`: a texture atlas as game engines read it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import basename, splitext
from typing import Final

from flux2build.digest import Json
from flux2build.errors import SpecError
from flux2build.images.documents.contract import Document, DocumentOptions, Fact, Read
from flux2build.images.geometry import Anchor, Size, share
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import AtlasLayout, Op, Pivot
from flux2build.model import INGREDIENT, About, Operation
from flux2build.tables.table import Field


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

    def refuse(self, files: Sequence[About], options: FrameOptions) -> None:
        """Refuse pictures without a `grid`, and names that are not those of their frames."""
        _Atlas.of(files, options)

    def write(self, facts: Sequence[Fact], options: FrameOptions, _read: Read) -> str:
        """JSON with a rectangle and a pivot for every frame, and frames grouped by picture."""
        plan = _Atlas.of([fact.about for fact in facts], options)
        atlases = [fact for fact in facts if fact.about.role != INGREDIENT]
        if len({(fact.output.width, fact.output.height) for fact in atlases}) > 1:
            raise _moved("one of its `widths`", plan.about)
        atlas, layout, names = atlases[0], plan.layout, plan.names
        stems, count = plan.stems, layout.frames
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


@dataclass(frozen=True, slots=True)
class _Atlas:
    """The facts about an atlas that are known before it is made."""

    about: About
    layout: AtlasLayout
    stems: Sequence[str]
    """The names of the pictures in it."""
    names: Sequence[str]
    """The names of its frames."""

    @classmethod
    def of(cls, files: Sequence[About], options: FrameOptions) -> _Atlas:
        """The atlas that has these files and ingredients.

        Raises:
            SpecError: no operation lays frames out, or one moves them afterwards.
        """
        atlases = [file for file in files if file.role != INGREDIENT]
        layout, ingredients = _laid_out(atlases[0]), files[len(atlases) :]
        stems = [splitext(basename(ingredients[place].path))[0] for place in layout.inputs]
        numbers = [""] if layout.frames == 1 else [f"-{each}" for each in range(layout.frames)]
        names = options.names or [stem + number for stem in stems for number in numbers]
        _refuse_odd_names(names, len(stems) * layout.frames)
        return cls(atlases[0], layout, stems, names)


def _laid_out(atlas: About) -> AtlasLayout:
    """How the frames of an atlas lie; `SpecError` if nothing lays them out or something moves them."""
    layout, moving = None, ""
    for step in atlas.ops:
        op = OPS[step.op]
        if layout is None:
            layout = _operation(step).layout()
        elif not op.keeps_cells:
            moving = f"`{op.name}`"
    if layout is None:
        hint = '`ops = [{ op = "grid", … }]` lays frames out; `slice` makes a file of each'
        raise SpecError(f"`{atlas.path}` is not an atlas: it has no `grid`", hint=hint)
    if moving:
        raise _moved(moving, atlas)
    return layout


def _moved(what: str, atlas: About) -> SpecError:
    hint = "make the frames smaller with `cell` of `grid`"
    return SpecError(f"{what} moves the frames of `{atlas.path}` after `grid`", hint=hint)


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


def _pivot(atlas: Fact, layout: AtlasLayout, anchor: Anchor | None) -> Pivot:
    """The pivot in the options, else the point on which an operation placed the figures."""
    if anchor:
        return Pivot(anchor)
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
