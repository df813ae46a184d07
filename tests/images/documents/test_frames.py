"""The JSON of an atlas: every frame where it lies, as engines expect it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flux2build.errors import SpecError
from flux2build.images.documents.frames import DOCUMENT, FrameOptions
from flux2build.model import INGREDIENT, Operation
from tests.images.documents.facts import Site

GRID: dict[str, Any] = {
    "sources": [{"input": 1}],
    "first": True,
    "columns": 4,
    "board": [3, 1],
    "padding": 2,
    "pivot": "center",
}


def atlas(*after: Operation, **grid: Any) -> Site:
    """Two boards of three frames of 10 x 12 pixels, in rows of four."""
    site = Site()
    ops = (Operation("grid", 2, {**GRID, **grid}), *after)
    site.add("game/knight.png", (4 * 12 + 2, 2 * 14 + 2), ops=ops)
    site.add("art/walk.png", (30, 12), role=INGREDIENT)
    site.add("art/attack.png", (30, 12), role=INGREDIENT)
    return site


def written(site: Site, **options: Any) -> Any:
    """What the document says."""
    return json.loads(DOCUMENT.write(site.facts, FrameOptions(**options), site.read))


def test_every_frame_lies_where_the_grid_has_put_it() -> None:
    """Rectangles leave the padding out; names say picture and number; nothing is read for it."""
    site = atlas()
    found = written(site)
    rectangles = {name: tuple(frame["frame"].values()) for name, frame in found["frames"].items()}
    assert rectangles == {
        "walk-0": (2, 2, 10, 12),
        "walk-1": (14, 2, 10, 12),
        "walk-2": (26, 2, 10, 12),
        "attack-0": (38, 2, 10, 12),
        "attack-1": (2, 16, 10, 12),
        "attack-2": (14, 16, 10, 12),
    }
    assert not site.reads


def test_it_is_the_hash_that_engines_load() -> None:
    """The fields of TexturePacker's JSON hash, with PixiJS's animations."""
    found = written(atlas(), scale="2")
    assert found["meta"] == {
        "app": "flux2build",
        "version": "1.0",
        "image": "knight.png",
        "format": "RGBA8888",
        "size": {"w": 50, "h": 30},
        "scale": "2",
    }
    assert found["frames"]["walk-0"] == {
        "frame": {"x": 2, "y": 2, "w": 10, "h": 12},
        "rotated": False,
        "trimmed": False,
        "spriteSourceSize": {"x": 0, "y": 0, "w": 10, "h": 12},
        "sourceSize": {"w": 10, "h": 12},
        "pivot": {"x": 0.5, "y": 0.5},
    }
    assert found["animations"] == {
        "walk": ["walk-0", "walk-1", "walk-2"],
        "attack": ["attack-0", "attack-1", "attack-2"],
    }


@pytest.mark.parametrize(
    ("after", "options", "pivot"),
    [
        ((Operation("align", 1, {"pivot": "bottom", "inset": 0}),), {}, (0.5, 1)),
        ((Operation("align", 1, {"pivot": "bottom", "inset": 3}),), {}, (0.5, 0.75)),
        ((), {"pivot": "top-left"}, (0, 0)),
    ],
)
def test_the_pivot_is_the_point_on_which_figures_stand(
    after: tuple[Operation, ...], options: dict[str, Any], pivot: tuple[float, float]
) -> None:
    """The pivot is that of `align` with its inset, unless the document has another one."""
    found = written(atlas(*after), **options)
    assert tuple(found["frames"]["attack-2"]["pivot"].values()) == pivot


def test_frames_can_have_names_of_their_own() -> None:
    """Names come in reading order, and animations use them."""
    found = written(atlas(), names=list("abcdef"))
    assert list(found["frames"]) == list("abcdef")
    assert found["animations"]["attack"] == ["d", "e", "f"]


def test_single_pictures_are_called_as_they_are() -> None:
    """Without boards, each picture is a frame and has no animation."""
    site = Site()
    ops = (Operation("grid", 2, {**GRID, "board": None, "columns": 1, "padding": 0}),)
    site.add("icons.webp", (8, 8), ops=ops)
    site.add("icons.png", (8, 8), ops=ops)
    site.add("a/sword.png", (8, 4), role=INGREDIENT)
    site.add("a/bow.png", (8, 4), role=INGREDIENT)
    found = written(site)
    assert [frame["frame"]["y"] for frame in found["frames"].values()] == [0, 4]
    assert (list(found["frames"]), found["animations"]) == (["sword", "bow"], {})


def test_an_atlas_may_name_all_of_its_pictures() -> None:
    """Without `first`, the picture that is worked on stands where the sources say."""
    found = written(atlas(first=False, sources=[{"input": 1}, {"input": 0}]))
    assert list(found["frames"])[:3] == ["attack-0", "attack-1", "attack-2"]
    assert found["frames"]["walk-0"]["frame"]["x"] == 38


@pytest.mark.parametrize(
    ("site", "options", "complaint"),
    [
        (atlas(Operation("resize", 2, {"width": 25})), {}, "`resize` moves the frames"),
        (atlas(sources=[{"input": 0}]), {}, "two frames are called `walk-0`"),
        (atlas(), {"names": ["a"]}, "1 names for 6 frames"),
    ],
)
def test_what_no_engine_could_use_is_refused(
    site: Site, options: dict[str, Any], complaint: str
) -> None:
    """Frames that moved, or that have one name, would be found in the game only."""
    with pytest.raises(SpecError, match=complaint):
        written(site, **options)


def test_a_picture_without_a_grid_is_not_an_atlas() -> None:
    """The message says what makes one."""
    site = Site()
    site.add("fox.png")
    with pytest.raises(SpecError, match=r"`fox\.png` is not an atlas") as caught:
        written(site)
    assert "`slice`" in (caught.value.problems[0].hint or "")
