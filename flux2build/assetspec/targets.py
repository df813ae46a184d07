"""Presets in `deliver`: one entry becomes one for each file that a platform needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.operations import OpReader
from flux2build.assetspec.presets import Preset, PresetTarget, presets
from flux2build.assetspec.tables import Deliver
from flux2build.errors import did_you_mean
from flux2build.model import Key, Operation


def preset_of(table: Deliver, key: Key) -> Preset | None:
    """The preset that an entry names; `FaultyError` if it, or a setting beside it, is wrong."""
    if table.preset is None:
        for name in ("focus", "safe"):
            if getattr(table, name) is not None:
                hint = 'crop with `ops = [{ op = "crop", … }]`' if name == "focus" else None
                fault = Fault((*key, name), f"`{name}` goes with a `preset`", hint, name=True)
                raise FaultyError(fault)
        return None
    preset = presets().get(table.preset)
    if preset is None:
        hint = did_you_mean(table.preset, presets()) or "`flux2build presets` lists them all"
        raise FaultyError(Fault((*key, "preset"), f"there is no preset `{table.preset}`", hint))
    return preset


def chosen(preset: Preset, table: Deliver, key: Key) -> Iterator[PresetTarget]:
    """The files of a preset, or only those with the widths of the entry."""
    widths = {target.width for target in preset.targets}
    for at, width in enumerate(table.widths or []):
        if width not in widths:
            listing = ", ".join(map(str, sorted(widths)))
            message = f"preset `{preset.name}` has no file that is {width} wide"
            raise FaultyError(Fault((*key, "widths", at), message, f"its widths: {listing}"))
    for at, form in enumerate(table.formats or []):
        allowed = dict.fromkeys(form for target in preset.targets for form in target.formats)
        if form not in allowed:
            message = f"preset `{preset.name}` cannot be {form}"
            hint = "it may be " + " or ".join(allowed)
            raise FaultyError(Fault((*key, "formats", at), message, hint))
    for target in preset.targets:
        if not table.widths or target.width in table.widths:
            yield target


def with_target(table: Deliver, target: PresetTarget) -> Deliver:
    """An entry merged with the platform's requirements for one file."""
    formats = [form for form in table.formats or [] if form in target.formats]
    limits = [limit for limit in (table.max_bytes, target.max_bytes) if limit is not None]
    merged: dict[str, Any] = {
        "formats": formats or list(target.usual),
        "widths": None,
        "max_bytes": min(limits, default=None),
        "sizes": list(target.sizes) or None,
    }
    if target.alpha is False:
        merged["matte"] = table.matte or "#ffffff"
    elif target.alpha:
        merged["matte"] = None
    return table.model_copy(update=merged)


def bearing(target: PresetTarget, table: Deliver) -> Iterator[str]:
    """The keys of an entry that affect this file, though not all files of presets."""
    framed = room(target, table) != (target.width, target.height)
    if target.safe != 1:
        yield "safe"
    if not _shows_all(target, table):
        yield "focus"
    if framed and not target.alpha:
        yield "matte"


def _shows_all(target: PresetTarget, table: Deliver) -> bool:
    """Whether a file shows the whole picture, because it must have alpha and is not square."""
    width, height = room(target, table)
    return bool(target.alpha) and width != height


def room(target: PresetTarget, table: Deliver) -> tuple[int, int]:
    """The width and height of the picture in the file: less than the file's in a safe zone."""
    share = target.safe if table.safe is None else table.safe
    if target.safe == 1:
        return target.width, target.height
    return max(1, int(target.width * share)), max(1, int(target.height * share))


def shaping(
    target: PresetTarget, table: Deliver, key: Key, reader: OpReader
) -> tuple[Operation, ...]:
    """The operations that give a picture the shape and the size of one file.

    A picture fills its file, and the rest is cut off; but a file that must have alpha and is not
    square shows the whole picture.
    """
    width, height = room(target, table)
    whole = _shows_all(target, table)
    resize = {"op": "resize", "width": width, "height": height, "upscale": bool(table.upscale)}
    steps: list[Mapping[str, Any]] = [{**resize, "mode": "fit" if whole else "exact"}]
    if not whole:
        focus = {} if table.focus is None else {"focus": table.focus}
        steps.insert(0, {"op": "crop", "ratio": f"{width}:{height}", **focus})
    if target.alpha or (width, height) != (target.width, target.height):
        colour = "#00000000" if target.alpha else (table.matte or "#ffffff")
        canvas = {"width": target.width, "height": target.height, "color": colour}
        steps.append({"op": "pad", "anchor": "center", **canvas})
    return tuple(reader.implied(step, (*key, "preset")) for step in steps)
