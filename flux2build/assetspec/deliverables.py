"""Deliverables: each entry of `deliver`, times widths, times formats, is one derived file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec import references, targets
from flux2build.assetspec.family import axes_of, points_of
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.operations import OpEntry, OpReader
from flux2build.assetspec.outputs import Outputs, format_of
from flux2build.assetspec.presets import Preset, PresetTarget
from flux2build.assetspec.quota import FILE, PART, Quota
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

_DEPENDENT: Final = frozenset({"focus", "safe", "upscale"})
"""Keys that affect a file only together with others."""


@cache
def _settings() -> Mapping[str, Sequence[str]]:
    """The settings of an encoding, with the formats that have them."""
    return {name: having(name) for name in Deliver.model_fields if having(name)}


class Entry(Struct, frozen=True):
    """The part of an entry of `deliver` that is the same for every member."""

    key: Key
    table: Deliver
    ops: tuple[OpEntry, ...]
    finish: tuple[OpEntry, ...]
    """The operations after the last ones."""
    resizes: Mapping[int | None, tuple[Operation, ...]]
    """The operations that resize, by width; the key None stands for an entry without widths."""
    points: tuple[Mapping[str, str], ...] = ({},)
    """The combinations of its own axes: one file, in every format and width, for each."""
    part: Mapping[str, int] = field(default_factory=dict)
    """The number of the file, of an operation that makes several: `{"cell": 3}`."""
    preset: Preset | None = None
    target: PresetTarget | None = None
    """The file of the preset that it asks for."""
    own: Deliver = field(default_factory=Deliver)
    """The entry as it is written, without the settings of its preset."""

    def bearing(self, form: str) -> Iterator[str]:
        """The written keys that affect a file of one format."""
        own, table = self.own, self.table
        yield from own.model_fields_set - _settings().keys() - _DEPENDENT
        if self.target:
            yield from targets.bearing(self.target, own)
        if self.target or own.widths:
            yield "upscale"
        encoding = _encoding(table, form)
        for name in own.model_fields_set & _settings().keys():
            value = getattr(own, name)
            effective = encoding.get(name) == value or (
                value is False and form in _settings()[name]
            )
            capped = name != "min_quality" or "max_bytes" in encoding
            if (effective and capped) or (name == "max_bytes" and name in encoding):
                yield name


class Master(Struct, frozen=True):
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


class Resources(Struct, frozen=True):
    """The resources for making recipes: templates, files, names of assets, output folders."""

    texts: TextRenderer
    files: SourceFiles
    names: AssetNames
    outputs: Outputs
    masters: Outputs
    consumed: set[Key] = field(default_factory=set)
    """The keys of the spec that have had an effect."""


def prepare(
    settings: MergedSettings, reader: OpReader, faults: Faults, quota: Quota
) -> list[Entry]:
    """The entries of an asset; those with faults are left out, and their faults noted."""
    entries: list[Entry] = []
    tables: list[Deliver] = settings.get("deliver") or []
    for index, table in enumerate(tables):
        key = (*settings.key("deliver"), index)
        with faults.collecting():
            ops, finish = (
                tuple(reader.entry(op, (*key, name, at)) for at, op in enumerate(listed or []))
                for name, listed in (("ops", table.ops), ("finish", table.finish))
            )
            points = _points(table, (*key, "matrix"), faults, quota)
            written = Entry(key, table, ops, finish, {None: ()}, points, own=table)
            for entry in _parts(written, reader):
                _refuse_settings(entry.table, key)
                entries += _spread(entry, quota)
    return entries


def _parts(entry: Entry, reader: OpReader) -> Iterator[Entry]:
    """One entry for each file of a preset; else the entry itself, with its widths."""
    key, table = entry.key, entry.table
    preset = targets.preset_of(table, key)
    if preset is None:
        resize = {"op": "resize"} | ({"upscale": True} if table.upscale else {})
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


def _points(
    table: Deliver, key: Key, faults: Faults, quota: Quota
) -> tuple[Mapping[str, str], ...]:
    axes = axes_of(table.matrix or {}, key, faults)
    quota.take(math.prod(len(values) for values in axes.values()) * PART, key)
    return tuple(points_of(axes))


def _spread(entry: Entry, quota: Quota) -> Iterator[Entry]:
    """One entry for each file of an operation that makes several, such as `slice`."""
    if late := next((op for op in entry.finish if op.each), None):
        raise FaultyError(
            Fault(late.key, f"`{late.op.name}` makes several files: put it into `ops`")
        )
    spreading = [(at, op) for at, op in enumerate(entry.ops) if op.each]
    if not spreading:
        yield entry
        return
    (at, op), *more = spreading
    if op.each is None or more:
        key = more[0][1].key if more else op.key
        raise FaultyError(Fault(key, "only one operation can make several files"))
    name, count = op.each
    quota.take(count * FILE, op.key)
    for value in range(count):
        ops = (*entry.ops[:at], op.at(value), *entry.ops[at + 1 :])
        yield replace(entry, ops=ops, part={name: value})


def _refuse_settings(table: Deliver, key: Key) -> None:
    """Refuse a setting that none of the formats has, or that contradicts another one."""
    for name, formats in _settings().items():
        present = getattr(table, name) is not None
        if present and table.formats and set(formats).isdisjoint(table.formats):
            message = f"none of the formats has `{name}`"
            hint = "formats that do: " + ", ".join(f"`{form}`" for form in sorted(formats))
            raise FaultyError(Fault((*key, name), message, hint=hint, name=True))
    forms: Sequence[str] = table.formats or [format_of(table.path or "") or "png"]
    for form in forms:
        try:
            encoding.read(_encoding(table, form))
        except PictureError as error:
            raise FaultyError(Fault(key, error.problems[0].message)) from None


def work(entries: Sequence[Entry], members: int) -> int:
    """The work of making the files of some members."""
    return members * sum(
        len(entry.points)
        * len(entry.resizes)
        * len(entry.table.formats or (1,))
        * (
            FILE * (1 + len(entry.table.documents or ()))
            + PART * sum(op.parts for op in (*entry.ops, *entry.finish))
        )
        for entry in entries
    )


def recipes(entry: Entry, master: Master, resources: Resources) -> Iterator[Recipe]:
    """The files of one entry for one master, without those whose translation may be missing."""
    for point in entry.points:
        for axis in point:
            if axis in master.axes:
                message = f"`{axis}` is an axis of the asset already"
                raise FaultyError(Fault((*entry.key, "matrix", axis), message, name=True))
        axes, scope = {**master.axes, **point}, {**master.scope, **point}
        member = replace(master, axes=axes, scope=scope)
        yield from _Deriver(entry, member, point, resources).recipes()


class _Deriver(Struct, frozen=True):
    """Derives the files of one entry at one point of its axes."""

    entry: Entry
    master: Master
    point: Mapping[str, str]
    resources: Resources

    def recipes(self) -> Iterator[Recipe]:
        """Every format in every width."""
        entry, master = self.entry, self.master
        role = entry.target.role if entry.target else ""
        for form in self._formats():
            key = entry.key
            self.resources.consumed.update((*key, name) for name in entry.bearing(form))
            for width, resize in entry.resizes.items():
                self._refuse_upscaling(width)
                scope = {**master.scope, **self._size(width), **entry.part, "format": form}
                inputs = [master.input]
                with suppress(UntranslatedError):
                    ops = (
                        *self._operations(entry.ops, scope, inputs),
                        *resize,
                        *self._operations(entry.finish, scope, inputs),
                    )
                    task = Derive(ops, _encoding(entry.table, form))
                    path = self._path(scope, form, width)
                    output = self.resources.outputs.locate(path, (*entry.key, "path"), form)
                    yield Recipe(master.asset, task, tuple(inputs), output, entry.key, role)

    def _refuse_upscaling(self, width: int | None) -> None:
        """Refuse to upscale, before anything is rendered.

        An entry with operations is not judged: they may change the size.
        """
        target, table, source = self.entry.target, self.entry.table, self.master.input
        if self.entry.ops or table.upscale or (target is None and width is None):
            return
        file = isinstance(source, Source)
        have = self.resources.files.size(str(source)) if file else self.master.size
        wide, high = have.get("width"), have.get("height")
        if not isinstance(wide, int) or not isinstance(high, int):
            return
        need = targets.room(target, table) if target else (width or 1, 1)
        if wide >= need[0] and high >= need[1]:
            return
        needed = f"{need[0]}x{need[1]} pixels" if target else f"{need[0]} pixels"
        what = f"`{target.name}` of preset `{table.preset}`" if target else f"width {width}"
        message = f"{what} needs {needed}, and the picture has {wide}x{high}"
        at = ("preset",) if target else ("widths", list(self.entry.resizes).index(width))
        hint = (
            "render it larger, leave this size out, set `upscale = true`, or put "
            '`{ op = "upscale", scale = 2, model = "photo" }` into `ops`'
        )
        raise FaultyError(Fault((*self.entry.key, *at), message, hint))

    def _size(self, width: int | None) -> Mapping[str, Json]:
        if target := self.entry.target:
            return {"width": target.width, "height": target.height, "target": target.name}
        return self.master.size if width is None else {"width": width}

    def _formats(self) -> Sequence[str]:
        if self.entry.table.formats:
            return self.entry.table.formats
        own = self.master.format if self.master.format in writable() else "png"
        return (format_of(self.entry.table.path or "") or own,)

    def _path(self, scope: Scope, form: str, width: int | None) -> str:
        entry = self.entry
        if entry.table.path is not None:
            key = (*entry.key, "path")
            return self.resources.texts.skipping.text(entry.table.path, scope, key)
        stem = "-".join((self.master.stem, *map(_slug, self.point.values())))
        if entry.preset and entry.target and entry.preset.several:
            return f"{stem}/{entry.target.name}.{form}"
        parts = [str(part) for part in (*entry.part.values(), width) if part is not None]
        parts += [entry.preset.name] if entry.preset else []
        return f"{'-'.join((stem, *parts))}.{form}"

    def _operations(
        self, entries: Sequence[OpEntry], scope: Scope, inputs: list[Input]
    ) -> Iterator[Operation]:
        """Operations of one file; the pictures and files that they name join `inputs`."""
        names, files = self.resources.names, self.resources.files

        def bind(value: str | Mapping[str, Any], key: Key) -> int:
            if isinstance(value, str):
                named: Input | None = references.source(files, names, value, key)
            else:
                named = names.input(value["asset"], self.master.axes, (*key, "asset"))
            if named is None:
                raise FaultyError
            if named not in inputs:
                inputs.append(named)
            return inputs.index(named)

        for op in entries:
            yield op.operation(self.resources.texts.skipping, scope, bind, names.of_family)


def _slug(value: str) -> str:
    return paths.slug(paths.safe_name(value))


def _encoding(table: Deliver, form: str) -> dict[str, Json]:
    """The settings of one format's encoder, without those that the spec leaves out."""
    settings = {name: getattr(table, name) for name, has in _settings().items() if form in has}
    settings["quality" if settings.get("lossless") else "lossless"] = None
    settings["profile"] = settings.get("profile") or None
    return {"format": form, **{n: value for n, value in settings.items() if value is not None}}
