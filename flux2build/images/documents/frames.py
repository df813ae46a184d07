"""`frames`: where the frames of an atlas lie, as game engines read it."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import Field

from flux2build.digest import Json
from flux2build.errors import Problem, SpecError
from flux2build.images.documents.contract import Document, Fact, Options, Read
from flux2build.images.geometry import Anchor, share
from flux2build.model import INGREDIENT, Operation

_KEEPS: Final = frozenset(
    {"adjust", "align", "blur", "denoise", "duotone", "key", "matte", "sharpen", "tint"}
)
"""Operations after which every frame lies where `grid` has put it."""


class FrameOptions(Options):
    """What an engine is told beside the rectangles."""

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


@dataclass(frozen=True, slots=True)
class Sheet:
    """The geometry of an atlas, as its `grid` says and its size confirms."""

    columns: int
    padding: int
    cell: tuple[int, int]

    def frame(self, index: int) -> dict[str, Json]:
        """The rectangle of a frame."""
        row, column = divmod(index, self.columns)
        return {
            "x": self.padding + column * (self.cell[0] + self.padding),
            "y": self.padding + row * (self.cell[1] + self.padding),
            "w": self.cell[0],
            "h": self.cell[1],
        }


@dataclass(frozen=True, slots=True)
class Frames:
    """The JSON hash of TexturePacker: Phaser, PixiJS and others load it with its picture."""

    name: str = "frames"
    version: int = 1
    endings: tuple[str, ...] = (".json",)
    options: type[Options] = FrameOptions

    def write(self, facts: Sequence[Fact], options: FrameOptions, _read: Read) -> str:
        """JSON with a rectangle and a pivot for every frame, and frames grouped by picture."""
        atlases = [fact for fact in facts if fact.about.role != INGREDIENT]
        atlas, grid = _laid(atlases)
        groups = list(_groups(grid.params, facts[len(atlases) :]))
        names = options.names or [
            stem if count == 1 else f"{stem}-{number}"
            for stem, count in groups
            for number in range(count)
        ]
        _refuse_odd_names(names, sum(count for _, count in groups))
        sheet = _sheet(atlas, grid.params, len(names))
        pivot = _pivot(atlas.about.ops, options.pivot, sheet.cell)
        size: Json = {"w": sheet.cell[0], "h": sheet.cell[1]}
        frames = {
            name: {
                "frame": sheet.frame(index),
                "rotated": False,
                "trimmed": False,
                "spriteSourceSize": {"x": 0, "y": 0, **cast("dict[str, Json]", size)},
                "sourceSize": size,
                "pivot": pivot,
            }
            for index, name in enumerate(names)
        }
        meta = {
            "app": "flux2build",
            "version": "1.0",
            "image": posixpath.basename(atlas.about.path),
            "format": "RGBA8888",
            "size": {"w": atlas.output.width, "h": atlas.output.height},
            "scale": options.scale,
        }
        animations = dict(_animations(groups, names))
        value = {"frames": frames, "animations": animations, "meta": meta}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _laid(atlases: Sequence[Fact]) -> tuple[Fact, Operation]:
    """The atlas, and the `grid` that laid it out; in several formats it is the same one."""
    atlas = atlases[0]
    sizes = {(fact.output.width, fact.output.height) for fact in atlases}
    ops = atlas.about.ops
    at = next((at for at, op in enumerate(ops) if op.op == "grid"), None)
    if at is None:
        hint = '`ops = [{ op = "grid", … }]` lays frames out; `slice` makes a file of each'
        raise SpecError(Problem(f"`{atlas.about.path}` is no atlas: it has no `grid`", hint=hint))
    moving = [op.op for op in ops[at + 1 :] if op.op not in _KEEPS]
    if moving or len(sizes) > 1:
        what = f"`{moving[-1]}`" if moving else "one of its `widths`"
        hint = "make the frames smaller with `cell` of `grid`"
        raise SpecError(
            Problem(f"{what} moves the frames of `{atlas.about.path}` after `grid`", hint=hint)
        )
    return atlas, ops[at]


def _groups(grid: Mapping[str, Any], ingredients: Sequence[Fact]) -> Iterator[tuple[str, int]]:
    """The pictures in reading order: what each is called, and how many frames it has."""
    board = grid.get("board")
    count = board[0] * board[1] if board else 1
    places = [0] if grid.get("first", True) else []
    places += [source["input"] for source in grid["sources"]]
    for place in places:
        stem = posixpath.splitext(posixpath.basename(ingredients[place].about.path))[0]
        yield stem, count


def _refuse_odd_names(names: Sequence[str], count: int) -> None:
    if len(names) != count:
        hint = "name every frame, in reading order"
        raise SpecError(Problem(f"{len(names)} names for {count} frames", hint=hint))
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        hint = "give the frames `names`"
        raise SpecError(Problem(f"two frames are called `{twice[0]}`", hint=hint))


def _sheet(atlas: Fact, grid: Mapping[str, Any], count: int) -> Sheet:
    columns, padding = min(count, grid["columns"]), grid["padding"]
    rows = -(-count // grid["columns"])
    width = (atlas.output.width - padding) // columns - padding
    height = (atlas.output.height - padding) // rows - padding
    return Sheet(columns, padding, (width, height))


def _pivot(
    ops: Sequence[Operation], asked: Anchor | None, cell: tuple[int, int]
) -> dict[str, float]:
    """Where in a frame its pivot is, each from 0 to 1; an `inset` of `align` counts."""
    placed = [op.params for op in ops if op.op == "align"] or [
        op.params for op in ops if op.op == "grid"
    ]
    anchor = asked or cast("Anchor", placed[-1]["pivot"])
    inset = 0 if asked else cast("int", placed[-1].get("inset", 0))
    x, y = (
        round((inset + (side - 2 * inset) * at) / side, 4)
        for side, at in zip(cell, share(anchor), strict=True)
    )
    return {"x": x, "y": y}


def _animations(
    groups: Sequence[tuple[str, int]], names: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    """The frames of each picture that has several, by its name."""
    at = 0
    for stem, count in groups:
        if count > 1:
            yield stem, list(names[at : at + count])
        at += count


DOCUMENT: Final[Document] = Frames()
