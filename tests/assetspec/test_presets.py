"""Every preset gives exactly what the sizes file states: real files are made and looked into."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pytest
from PIL import IcoImagePlugin, Image

from flux2build.assetspec.presets import Preset, presets
from flux2build.assetspec.reader import load
from flux2build.images.derive import File, Job, derive_many
from flux2build.images.formats.lookup import examine
from flux2build.images.ops import OPS
from flux2build.model import Derive
from tests.assetspec.specs import SHIPPED, MemoryTree

SIZES: Final[list[dict[str, Any]]] = json.loads(
    files("flux2build.assetspec").joinpath("platforms.json").read_text("utf-8")
)["sizes"]
DEEP: Final = os.environ.get("FLUX2BUILD_DEEP") == "1"
QUICK: Final = 200_000
"""Pixels of the largest file that is made where nobody asked for a deep test."""
WITHIN: Final = [
    name
    for name, preset in presets().items()
    if DEEP or any(t.width * t.height <= QUICK for t in preset.targets)
]
INK: Final = (200, 30, 60)


@cache
def master(width: int, height: int, mode: str) -> bytes:
    """A picture with enough going on to weigh something, and strong colours at its edges."""
    noise = Image.effect_noise((max(1, width // 4), max(1, height // 4)), 60).resize(
        (width, height)
    )
    image = Image.merge("RGB", (noise, noise.rotate(180), noise)).convert(mode)
    ink = INK if mode == "RGB" else (*INK, 255)
    image.paste(ink, (0, 0, width, 8))
    image.paste(ink, (0, height - 8, width, height))
    image.paste(ink, (0, 0, 8, height))
    image.paste(ink, (width - 8, 0, width, height))
    target = io.BytesIO()
    image.save(target, "png", compress_level=1)
    return target.getvalue()


def made(preset: Preset, mode: str, *settings: str) -> Iterator[tuple[str, str, bytes]]:
    """The files of a preset: role, path and bytes; large ones in deep tests only."""
    size = (max(t.width for t in preset.targets), max(t.height for t in preset.targets))
    words = "\n".join(settings)
    text = f'[asset.a]\nsource = "m.png"\n[[asset.a.deliver]]\npreset = "{preset.name}"\n{words}'
    data = master(*size, mode)
    spec = load(MemoryTree({"assets.toml": text, "m.png": data}), "assets.toml", None, SHIPPED)
    large = {t.role for t in preset.targets if not DEEP and t.width * t.height > QUICK}
    for recipe in spec.recipes:
        if isinstance(recipe.task, Derive) and recipe.role not in large:
            yield recipe.role, recipe.output, derived(recipe.task, data)


def derived(task: Derive, data: bytes) -> bytes:
    """The one file of a task."""
    (result,) = derive_many([Job(task, (data,))], OPS)
    assert isinstance(result, File), result
    return result.data


def size_of(preset: Preset, path: str) -> dict[str, Any]:
    """The row of the sizes file that a file is about, found without the preset's own words."""
    found = [size for size in SIZES if _is(size, preset, path)]
    assert len(found) == 1, (preset.name, path, found)
    return found[0]


def _is(size: dict[str, Any], preset: Preset, path: str) -> bool:
    if not preset.several:
        return bool(size == _row(preset))
    stem = path.rsplit("/", 1)[-1].rpartition(".")[0]
    density = path.split("/")[-2].removeprefix("mipmap-") if "mipmap-" in path else ""
    names = {
        stem,
        f"{stem}.ico",
        f"{stem}_{density}",
        f"{stem.removeprefix('ic_launcher_')}_{density}",
    }
    groups = {target.source for target in preset.targets}
    return size["name"] in names and size["source"] in groups


def _row(preset: Preset) -> dict[str, Any]:
    (target,) = preset.targets
    (found,) = (s for s in SIZES if s["name"] == target.name and s["source"] == target.source)
    return found


@pytest.mark.parametrize("mode", ["RGB", "RGBA"] if DEEP else ["RGBA"])
@pytest.mark.parametrize("name", WITHIN)
def test_files_are_what_the_platform_asks_for(name: str, mode: str) -> None:
    """Size, format, alpha and weight of every file are those of the sizes file."""
    preset = presets()[name]
    for _, path, data in made(preset, mode):
        size, found = size_of(preset, path), examine(data)
        assert found.fault is None
        assert found.format in size["formats"]
        if found.format == "ico":
            sides = {int(side) for side in re.findall(r"\d+\b(?!x)", size["note"])}
            assert IcoImagePlugin.IcoFile(io.BytesIO(data)).sizes() == {(s, s) for s in sides}
            continue
        assert (found.width, found.height) == (size["w"], size["h"])
        assert len(data) <= size.get("max_kb", 10**9) * 1000
        if "alpha" in size:
            with Image.open(io.BytesIO(data)) as image:
                assert (image.mode == "RGBA") == size["alpha"]


def test_every_size_has_a_preset() -> None:
    """Nothing in the sizes file is out of reach."""
    reached = {
        (size["group"], size["name"])
        for preset in presets().values()
        for target in preset.targets
        for size in SIZES
        if size["source"] == target.source and size["w"] <= target.width
        if target.name.rsplit("/", 1)[-1].replace("ic_launcher_", "") in size["name"]
    }

    assert {(size["group"], size["name"]) for size in SIZES} == reached


@pytest.mark.parametrize(
    ("name", "path", "sizes"),
    [
        ("favicon", "a/favicon.ico", {16, 32, 48}),
        ("windows", "a/app.ico", {16, 24, 32, 48, 64, 128, 256}),
    ],
)
def test_icons_hold_their_sizes(name: str, path: str, sizes: set[int]) -> None:
    """An ico holds each of its sizes as a picture that another program can read."""
    (data,) = (data for _, at, data in made(presets()[name], "RGBA") if at == path)

    icon = IcoImagePlugin.IcoFile(io.BytesIO(data))

    assert icon.sizes() == {(side, side) for side in sizes}
    assert all(icon.getimage((side, side)).size == (side, side) for side in sizes)


@pytest.mark.parametrize(
    ("name", "role", "share", "said"),
    [
        ("favicon", "icon-maskable-512", Fraction(4, 5), 'matte = "#00ff00"'),
        ("android", "ic_launcher_foreground", Fraction(66, 108), ""),
    ],
)
def test_pictures_stay_in_the_safe_zone(name: str, role: str, share: Fraction, said: str) -> None:
    """Where a platform cuts edges off, there is only background."""
    for found, _, data in made(presets()[name], "RGB", said):
        if found != role:
            continue
        with Image.open(io.BytesIO(data)) as image:
            side = image.width
            inner = int(side * share)
            edge = (side - inner) // 2
            assert image.convert("RGB").getpixel((edge + 1, edge + 1)) not in {
                (0, 255, 0),
                (0, 0, 0),
            }
            for box in ((0, 0, side, edge), (0, 0, edge, side), (0, side - edge, side, side)):
                (colour,) = image.crop(box).getcolors() or [(0, None)]
                assert colour[1] in {(0, 255, 0), (0, 0, 0, 0)}


def test_transparency_becomes_the_matte() -> None:
    """An icon that must be opaque shows its matte, and never black, through its holes."""
    hole = Image.new("RGBA", (512, 512))
    target = io.BytesIO()
    hole.save(target, "png")
    text = '[asset.a]\nsource = "m.png"\n[[asset.a.deliver]]\npreset = "favicon"\nmatte = "#fbf3e4"'
    tree = MemoryTree({"assets.toml": text, "m.png": target.getvalue()})
    recipes = load(tree, "assets.toml", None, SHIPPED).recipes
    (touch,) = (r for r in recipes if r.output.endswith("apple-touch-icon.png"))
    assert isinstance(touch.task, Derive)

    data = derived(touch.task, target.getvalue())

    with Image.open(io.BytesIO(data)) as image:
        assert image.getcolors() == [(180 * 180, (0xFB, 0xF3, 0xE4))]
