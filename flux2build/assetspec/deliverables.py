"""Deliverables: each entry of `deliver`, times widths, times formats, is one derived file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from flux2build.assetspec import targets
from flux2build.assetspec.family import MOST_MEMBERS, axes_of, points_of
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.operations import OpEntry, OpReader
from flux2build.assetspec.outputs import Outputs, format_of
from flux2build.assetspec.presets import Preset, PresetTarget
from flux2build.assetspec.references import AssetNames, SourceFiles
from flux2build.assetspec.tables import Deliver
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.assetspec.translations.catalog import UntranslatedError
from flux2build.digest import Json
from flux2build.images import encoding
from flux2build.images.encoding import having
from flux2build.images.formats.contract import PictureError
from flux2build.images.formats.lookup import writable
from flux2build.model import AssetName, Derive, Input, Key, Operation, Recipe, Source
from flux2build.storage import paths

_SETTINGS: Final = {name: having(name) for name in Deliver.model_fields if having(name)}
"""The settings of an encoding, with the formats that have them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `deliver`, as far as it is the same for every member."""

    key: Key
    table: Deliver
    ops: tuple[OpEntry, ...]
    resizes: Mapping[int | None, tuple[Operation, ...]]
    """The last operations by width; the key None stands for no width and no operations."""
    points: tuple[Mapping[str, str], ...] = ({},)
    """The combinations of its own axes: one file, in every format and width, for each."""
    part: Mapping[str, int] = field(default_factory=dict)
    """Which of the files that one operation makes: `{"cell": 3}`."""
    preset: Preset | None = None
    target: PresetTarget | None = None
    """The file of the preset that it asks for."""


@dataclass(frozen=True, slots=True)
class Master:
    """The picture that files are derived from."""

    asset: AssetName
    axes: Mapping[str, str]
    input: Input
    stem: str
    """Its path below the output folder, without the suffix."""
    format: str
    size: Mapping[str, Json]
    """Its `width` and `height` in pixels, if the spec asks for them."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class Resources:
    """What recipes are made with: templates, files, the names of assets, the output folder."""

    texts: TextRenderer
    files: SourceFiles
    names: AssetNames
    outputs: Outputs


def prepare(settings: MergedSettings, reader: OpReader, faults: Faults) -> list[Entry]:
    """The entries of an asset; those with faults are left out, and their faults noted."""
    entries: list[Entry] = []
    tables: list[Deliver] = settings.get("deliver") or []
    for index, table in enumerate(tables):
        key = (*settings.key("deliver"), index)
        with faults.collecting():
            ops = tuple(
                reader.entry(op, (*key, "ops", at)) for at, op in enumerate(table.ops or [])
            )
            points = _points(table, (*key, "matrix"), faults)
            for entry in _parts(Entry(key, table, ops, {None: ()}, points), reader):
                _refuse_useless(entry.table, key)
                _refuse_contradictions(entry.table, key)
                entries += _spread(entry)
    return entries


def _parts(entry: Entry, reader: OpReader) -> Iterator[Entry]:
    """One entry for each file of a preset; else the entry itself, with its widths."""
    key, table = entry.key, entry.table
    preset = targets.preset_of(table, key)
    if preset is None:
        resize = {"op": "resize", **({"upscale": True} if table.upscale else {})}
        resizes: dict[int | None, tuple[Operation, ...]] = {
            width: (reader.implied({**resize, "width": width}, (*key, "widths", at)),)
            for at, width in enumerate(table.widths or [])
        }
        yield replace(entry, resizes=resizes or entry.resizes)
        return
    for target in targets.chosen(preset, table, key):
        shaping = targets.shaping(target, table, key, reader)
        merged = targets.with_target(table, target)
        yield replace(entry, table=merged, resizes={None: shaping}, preset=preset, target=target)


def _points(table: Deliver, key: Key, faults: Faults) -> tuple[Mapping[str, str], ...]:
    axes = axes_of(table.matrix or {}, key, faults)
    if math.prod(len(values) for values in axes.values()) > MOST_MEMBERS:
        raise FaultyError(Fault(key, f"more than {MOST_MEMBERS:,} files"))
    return tuple(points_of(axes))


def _spread(entry: Entry) -> Iterator[Entry]:
    """One entry for each file of an operation that makes several, such as `slice`."""
    spreading = [(at, op) for at, op in enumerate(entry.ops) if op.each]
    if not spreading:
        yield entry
        return
    (at, op), *more = spreading
    if op.each is None or more:
        key = more[0][1].key if more else op.key
        raise FaultyError(Fault(key, "only one operation can make several files"))
    name, count = op.each
    for value in range(count):
        ops = (*entry.ops[:at], op.at(value), *entry.ops[at + 1 :])
        yield replace(entry, ops=ops, part={name: value})


def _refuse_useless(table: Deliver, key: Key) -> None:
    """Refuse a setting that none of the formats has.

    Raises:
        FaultyError: with the first such setting.
    """
    for name, formats in _SETTINGS.items():
        given = getattr(table, name) is not None
        if given and table.formats and set(formats).isdisjoint(table.formats):
            message = f"none of the formats has `{name}`"
            hint = "formats that do: " + ", ".join(f"`{form}`" for form in sorted(formats))
            raise FaultyError(Fault((*key, name), message, hint=hint, name=True))


def _refuse_contradictions(table: Deliver, key: Key) -> None:
    """Refuse settings that an encoder cannot follow together.

    Raises:
        FaultyError: the settings of a format contradict each other.
    """
    forms: Sequence[str] = table.formats or [format_of(table.path or "") or "png"]
    for form in forms:
        try:
            encoding.read(_encoding(table, form))
        except PictureError as error:
            raise FaultyError(Fault(key, error.problems[0].message)) from None


def recipes(entry: Entry, master: Master, resources: Resources) -> Iterator[Recipe]:
    """The files of one entry for one master, without those whose translation may be missing.

    Raises:
        FaultyError: a template, a path, an input or a parameter is wrong.
    """
    for point in entry.points:
        yield from _files(entry, _at(master, point, entry), point, resources)


def _at(master: Master, point: Mapping[str, str], entry: Entry) -> Master:
    """The master with the axes of one combination of the entry's own."""
    for axis in point:
        if axis in master.axes:
            message = f"`{axis}` is an axis of the asset already"
            raise FaultyError(Fault((*entry.key, "matrix", axis), message, name=True))
    axes = {**master.axes, **point}
    return replace(master, axes=axes, scope={**master.scope, **point})


def _files(
    entry: Entry, master: Master, point: Mapping[str, str], resources: Resources
) -> Iterator[Recipe]:
    """The files at one point: every format in every width."""
    for form in _formats(entry.table, master):
        for width, resize in entry.resizes.items():
            _refuse_upscaling(entry, master, width, resources)
            scope = {**master.scope, **_size(entry, master, width), **entry.part, "format": form}
            inputs = [master.input]
            with suppress(UntranslatedError):
                ops = tuple(_operations(entry, scope, master, inputs, resources)) + resize
                task = Derive(ops, _encoding(entry.table, form))
                path = _path(entry, master, point, scope, form, width, resources)
                output = resources.outputs.locate(path, form, (*entry.key, "path"))
                role = entry.target.role if entry.target else ""
                yield Recipe(master.asset, task, tuple(inputs), output, entry.key, role)


def _refuse_upscaling(
    entry: Entry, master: Master, width: int | None, resources: Resources
) -> None:
    """Refuse to upscale, before anything is rendered.

    An entry with operations is not judged: they may change the size.

    Raises:
        FaultyError: the master is smaller than the file.
    """
    target, table = entry.target, entry.table
    if entry.ops or table.upscale or (target is None and width is None):
        return
    have = (
        resources.files.size(master.input.path) if isinstance(master.input, Source) else master.size
    )
    wide, high = have.get("width"), have.get("height")
    if not isinstance(wide, int) or not isinstance(high, int):
        return
    need = targets.room(target, table) if target else (width or 1, 1)
    if wide >= need[0] and high >= need[1]:
        return
    needed = f"{need[0]}x{need[1]} pixels" if target else f"{need[0]} pixels"
    what = f"`{target.name}` of preset `{table.preset}`" if target else f"width {width}"
    message = f"{what} needs {needed}, and the picture has {wide}x{high}"
    at = ("preset",) if target else ("widths", list(entry.resizes).index(width))
    hint = "render it larger, leave this size out, or set `upscale = true`"
    raise FaultyError(Fault((*entry.key, *at), message, hint))


def _size(entry: Entry, master: Master, width: int | None) -> Mapping[str, Json]:
    if target := entry.target:
        return {"width": target.width, "height": target.height, "target": target.name}
    return master.size if width is None else {"width": width}


def _formats(table: Deliver, master: Master) -> tuple[str, ...]:
    if table.formats:
        return tuple(table.formats)
    own = master.format if master.format in writable() else "png"
    return (format_of(table.path or "") or own,)


def _path(  # noqa: PLR0913, PLR0917 - the seven things that a path can say
    entry: Entry,
    master: Master,
    point: Mapping[str, str],
    scope: Scope,
    form: str,
    width: int | None,
    resources: Resources,
) -> str:
    if entry.table.path is not None:
        return resources.texts.skipping.text(entry.table.path, scope, (*entry.key, "path"))
    stem = "-".join((master.stem, *(paths.slug(value) for value in point.values())))
    if entry.preset and entry.target and entry.preset.several:
        return f"{stem}/{entry.target.name}.{form}"
    parts = [str(part) for part in (*entry.part.values(), width) if part is not None]
    parts += [entry.preset.name] if entry.preset else []
    return f"{'-'.join((stem, *parts))}.{form}"


def _operations(
    entry: Entry, scope: Scope, master: Master, inputs: list[Input], resources: Resources
) -> Iterator[Operation]:
    """The operations of one file; the pictures and files that they name are added to `inputs`."""

    def bind(value: str | Mapping[str, Any], key: Key) -> int:
        if isinstance(value, str):
            named: Input | None = resources.files.source(value, key)
        else:
            named = resources.names.input(value["asset"], master.axes, (*key, "asset"))
        if named is None:
            raise FaultyError
        if named not in inputs:
            inputs.append(named)
        return inputs.index(named)

    for op in entry.ops:
        yield op.operation(resources.texts.skipping, scope, bind)


def _encoding(table: Deliver, form: str) -> dict[str, Json]:
    """The settings of one format's encoder, without those that the spec leaves out."""
    known = {name: getattr(table, name) for name, has in _SETTINGS.items() if form in has}
    settings = {name: value for name, value in known.items() if value is not None}
    if settings.get("lossless"):
        settings.pop("quality", None)
    else:
        settings.pop("lossless", None)
    if not settings.get("profile"):
        settings.pop("profile", None)
    return {"format": form, **settings}
