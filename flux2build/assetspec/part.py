"""Reads a part of a spec: the recipes of some assets, made anew after what they are made of was edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from flux2build.assetspec import profiles, schema, template_fields
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.faults import Faults, TooManyError
from flux2build.assetspec.other_profiles import OtherProfiles
from flux2build.assetspec.reader import SpecReader
from flux2build.assetspec.reading import Reading
from flux2build.assetspec.resolve import Declared
from flux2build.assetspec.spec_text import read
from flux2build.assetspec.trace import Trace
from flux2build.assetspec.tracing import outputs_of, trace_of
from flux2build.model import Asset, AssetName, Recipe
from flux2build.storage.project_files import ProjectFiles


class Wanted(Protocol):
    """Says what is to be read."""

    @property
    def elsewhere(self) -> Collection[str]:
        """The profiles in which files may collide that do not here."""

    def chosen(self, reading: Reading) -> Collection[AssetName]:
        """Return the assets to read, given what all of them are made of."""


class Part(Struct, frozen=True):
    """What some assets of a spec come to."""

    assets: Mapping[AssetName, Asset]
    recipes: Sequence[Recipe]
    notes: Mapping[str, tuple[str, ...]]
    trace: Trace


def load_part(
    tree: ProjectFiles,
    file: str,
    profile: str | None,
    able: Capabilities,
    wanted: Wanted,
) -> Part | None:
    """Return what some assets come to; None if anything of it may be wrong, or suspicious.

    Documents about many assets are left out, and so is whatever takes all recipes to know.
    """
    text = read(tree, file)
    tables, invalid = schema.read(text.data)
    faults = Faults()
    if invalid or any(True for _ in template_fields.faults(text.data, set())):
        return None
    try:
        reader = SpecReader(
            tree, text, tables, profiles.chosen(text, tables, profile, faults), faults
        )
        reading = reader.reading(able)
        chosen = _chosen(reading.declared, wanted.chosen(reading))
        resolver = reading.resolver
        assets = {asset.name: asset for one in chosen for asset in resolver.assets(one)}
        recipes = reader.pictures(chosen, resolver)
        paths = _elsewhere(reader, reading, chosen, wanted.elsewhere)
    except TooManyError:
        return None
    if paths is None or faults.assets or reading.texts.markup.notices:
        return None
    trace = trace_of(text, reading.families, reading.texts, paths)
    return Part(assets, recipes, resolver.notes(), trace)


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


def _elsewhere(
    reader: SpecReader, reading: Reading, chosen: Sequence[Declared], elsewhere: Collection[str]
) -> dict[str, dict[str, list[str]]] | None:
    """The paths of some assets' files in other profiles; None if they are not sound there."""
    families = {one.family.name: one for one in chosen}
    declared = [one for one in reading.declared if one.family.name in families]
    others = OtherProfiles(reading.resolver, declared)
    meant = {*reader.tables.profile, reader.tables.project.profile or profiles.NO_PROFILE}
    paths: dict[str, dict[str, list[str]]] = {}
    for name in sorted(meant - {reader.profile}):
        other = replace(reader, profile=name, faults=Faults())
        settings = [other.merged(one.key, one.table) for one in declared]
        outputs, masters = other.outputs(reading.files)
        if others.read(outputs, masters, settings).assets or other.faults.assets:
            return None
        if name not in elsewhere:
            if others.elsewhere(()) is not None:
                return None
            continue
        resolver, there = others.whole()
        some = [replace(one, family=families[one.family.name].family) for one in there]
        paths[name] = outputs_of(other.pictures(some, resolver))
    return paths
