"""Reads a part of a spec: the recipes of some assets after an edit."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from flux2build.assetspec import odd_data, params, profiles, schema, template_fields
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.faults import Fault, Faults, TooManyError
from flux2build.assetspec.other_profiles import OtherProfiles
from flux2build.assetspec.outputs import apart
from flux2build.assetspec.profiles import NO_PROFILE
from flux2build.assetspec.quota import Quota
from flux2build.assetspec.reader import SpecReader
from flux2build.assetspec.reading import Reading
from flux2build.assetspec.references import AssetNames
from flux2build.assetspec.resolve import Declared
from flux2build.assetspec.spec import Notice, unused_key
from flux2build.assetspec.spec_digests import uses
from flux2build.assetspec.spec_text import read
from flux2build.assetspec.tables import ManifestTable, SpecTable
from flux2build.assetspec.trace import Trace
from flux2build.assetspec.tracing import outputs_of, trace_of
from flux2build.assetspec.unused import Usage
from flux2build.model import Asset, AssetName, Key, Recipe
from flux2build.storage.project_files import ProjectFiles

_WITNESSES: Final = 30
"""The most assets that are read only to see whether shared keys have an effect."""


class Markup(Struct, frozen=True):
    """The markup of all texts of a spec."""

    words: frozenset[str]
    """Every word inside of it."""
    hidden: frozenset[str]
    """The words that do not refer to variables."""
    read: bool
    """Whether any template is read from a file."""
    idle: Collection[Notice]
    """The keys that were known to have no effect."""


class Wanted(Protocol):
    """Says which assets to read."""

    @property
    def elsewhere(self) -> Collection[str]:
        """The other profiles in which files may collide."""

    def chosen(self, reading: Reading) -> Collection[AssetName]:
        """Return the assets to read, from the facts that all recipes share."""

    def nameable(self, names: AssetNames) -> AssetNames:
        """Return every asset that can be named, including those whose data was not read."""

    def read_files(self, reading: Reading) -> Iterable[str]:
        """Return the files that are read for any asset."""

    def markup(self, reading: Reading) -> Markup | None:
        """Return the markup of all texts; None if no key can have lost its effect."""


class Part(Struct, frozen=True):
    """The recipes of some assets of a spec."""

    assets: Mapping[AssetName, Asset]
    recipes: Sequence[Recipe]
    notes: Mapping[str, tuple[str, ...]]
    trace: Trace
    suspicious: bool
    """Whether a check may find more keys without effect, or odd data."""
    idle: Sequence[Notice] | None
    """The keys without effect; None if they are those that were known."""
    reader: SpecReader
    reading: Reading

    @property
    def families(self) -> frozenset[str]:
        """The tables that were read."""
        return frozenset(asset.family for asset in self.assets.values())

    def apart(self, profile: str, outputs: Iterable[str], read_files: Iterable[str]) -> bool:
        """Whether the outputs of another profile collide with neither outputs nor read files."""
        other = replace(self.reader, profile=profile, faults=Faults())
        folders = (each.folder for each in other.outputs(self.reading.files))
        inputs = other.kept_files((), read_files)
        return apart(outputs, inputs, other.closed_templates(*folders))


def load_part(
    tree: ProjectFiles,
    file: str,
    profile: str | None,
    able: Capabilities,
    wanted: Wanted,
) -> Part | None:
    """Return the recipes of some assets; None if they may be faulty or suspicious.

    Documents about many assets are left out, and so is everything that depends on all recipes.
    """
    text = read(tree, file)
    tables, invalid, _ = schema.read(text.data)
    faults = Faults()
    if invalid or any(True for _ in template_fields.faults(text.data)):
        return None
    try:
        chosen_profile = profiles.chosen(text, tables, profile, faults)
        reader = SpecReader(tree, text, tables, chosen_profile, faults)
        reading = reader.reading(able)
        resolver = reading.resolver
        resources = replace(resolver.resources, names=wanted.nameable(resolver.resources.names))
        reading = replace(reading, resolver=replace(resolver, resources=resources))
        return _PartReader(reader, reading, wanted).part()
    except TooManyError:
        return None


class _PartReader:
    """Reads the wanted assets, and finds whether shared keys have an effect."""

    def __init__(self, reader: SpecReader, reading: Reading, wanted: Wanted) -> None:
        self._reader, self._reading, self._wanted = reader, reading, wanted
        self._selected = _chosen(reading.declared, wanted.chosen(reading))
        self._families = {one.family.name: one for one in self._selected}

    def part(self) -> Part | None:
        """The recipes of the assets; None if they are not sound."""
        reader, reading, selected = self._reader, self._reading, self._selected
        resolver = reading.resolver
        assets = {asset.name: asset for one in selected for asset in resolver.assets(one)}
        recipes = reader.pictures(selected, resolver)
        markup = self._wanted.markup(reading)
        declared = [one for one in reading.declared if one.family.name in self._families]
        others = OtherProfiles(resolver, declared)
        reading.texts.translations.report()
        suspicious, idle = bool(reading.texts.translations.gaps), None
        paths = self._elsewhere(others, every=markup is not None)
        if paths is None or reader.faults.assets or reading.texts.markup.notices:
            return None
        if markup is not None:
            effects = _Effects(reader, reading, markup, self._families)
            wrong, idle = effects.unused(others)
            if wrong or params.may_miss(reader.tables, resolver.capabilities):
                return None
            suspicious = suspicious or not effects.sure or self._odd()
        trace = trace_of(reading, paths)
        return Part(assets, recipes, resolver.notes(), trace, suspicious, idle, reader, reading)

    def _odd(self) -> bool:
        """Whether data may be odd, if texts name other columns than before."""
        return any(
            True
            for one in self._reading.declared
            if one.table.rows is not None
            for _ in odd_data.notices(one.key, one.table.rows, one.family, odd_data.EVERY_WORD)
        )

    def _elsewhere(
        self, others: OtherProfiles, *, every: bool
    ) -> dict[str, dict[str, list[str]]] | None:
        """The paths of the assets' files in other profiles; None if they are not sound there."""
        reader, reading, elsewhere = self._reader, self._reading, self._wanted.elsewhere
        usable = {*reader.tables.profile, reader.usual}
        paths: dict[str, dict[str, list[str]]] = {}
        for name in sorted((usable | ({NO_PROFILE} if every else set())) - {reader.profile}):
            other = replace(reader, profile=name, faults=Faults())
            settings = [other.merged(one.key, one.table) for one in others.declared]
            outputs, masters = other.outputs(reading.files)
            wrong = others.read(outputs, masters, settings).assets
            if name not in usable:
                continue
            if wrong or other.faults.assets:
                return None
            if name not in elsewhere:
                templates = reader.closed_templates(outputs.folder, masters.folder)
                closed = [f"{templates}/-"] if templates else []
                if others.elsewhere([*self._wanted.read_files(reading), *closed]) is not None:
                    return None
                continue
            resolver, there = others.whole()
            some = [replace(one, family=self._families[one.family.name].family) for one in there]
            paths[name] = outputs_of(other.pictures(some, resolver))
        return paths


class _Effects:
    """Finds keys without effect, given those that were known before an edit of some assets."""

    def __init__(
        self, reader: SpecReader, reading: Reading, markup: Markup, families: Container[str]
    ) -> None:
        self._reader, self._reading, self._markup = reader, reading, markup
        self._unread = [one for one in reading.declared if one.family.name not in families]
        unchanged = {"manifest": ManifestTable.model_construct()}
        self._tables = SpecTable.model_construct(**{**vars(reader.tables), **unchanged})
        self.sure = False
        """Whether no asset that was not read has a use for what is idle."""

    def unused(self, others: OtherProfiles) -> tuple[list[Fault], list[Notice]]:
        """The contradictory keys, and the keys without effect.

        If the assets that were read do not use a shared key, further ones are read.
        """
        contradictions, idle = self._faults(others)
        for _ in range(_WITNESSES):
            new = {notice.key for notice in idle if notice not in self._markup.idle}
            new |= {fault.key for fault in contradictions if fault.key[0] != "asset"}
            if not new or (one := self._user(new)) is None:
                self.sure = all(map(_is_found, new))
                break
            others = others.beside(self._read(one))
            contradictions, idle = self._faults(others)
        return contradictions, idle

    def _faults(self, others: OtherProfiles) -> tuple[list[Fault], list[Notice]]:
        contradictions, idle = self._usage(others).faults()
        return contradictions, [unused_key(f.key, f.message, f.hint) for f in idle]

    def _usage(self, others: OtherProfiles) -> Usage:
        usage = others.usage(self._tables, self._markup.words, self._markup.hidden)
        unread = {one.family.name for one in self._unread}
        return replace(usage, unmade=usage.unmade | unread, templates=self._markup.read)

    def _user(self, keys: Collection[Key]) -> Declared | None:
        """An asset that may have a use for one of some keys, and that was not read."""
        layers = {key[:2] if key[0] in {"style", "profile"} else key[:1] for key in keys}
        ops, data = {str(key[1]) for key in keys if key[0] == "op"}, self._reader.text.data
        for at, one in enumerate(self._unread):
            has_layer = not layers.isdisjoint(one.settings.layers)
            if one.family.members and (has_layer or (ops and uses(ops, one, data))):
                return self._unread.pop(at)
        return None

    def _read(self, one: Declared) -> OtherProfiles:
        """Read one member of an asset in every profile, to see which keys it uses."""
        reader, faults = self._reader, Faults()
        resolver = replace(self._reading.resolver, faults=faults, quota=Quota(faults))
        some = replace(one, family=replace(one.family, members=one.family.members[:1]))
        _ = [*resolver.assets(some), *reader.pictures([some], resolver)]
        others = OtherProfiles(resolver, [some])
        for name in sorted({*reader.tables.profile, reader.usual, NO_PROFILE} - {reader.profile}):
            other = replace(reader, profile=name, faults=faults)
            others.read(*other.outputs(self._reading.files), [other.merged(one.key, one.table)])
        return others


def _is_found(key: Key) -> bool:
    """Whether every asset that may have a use for an idle key is looked for."""
    return key[0] in {"defaults", "style", "op", "checks"} and "vars" not in key


def _chosen(declared: Sequence[Declared], names: Collection[AssetName]) -> list[Declared]:
    """The tables of some assets, with no other members."""
    some = [
        (one, tuple(member for member in one.family.members if member.name in names))
        for one in declared
    ]
    return [
        replace(one, family=replace(one.family, members=members))
        for one, members in some
        if members
    ]
