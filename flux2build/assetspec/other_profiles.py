"""Reads the other profiles of a spec, as far as they differ from the chosen one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec import provenance
from flux2build.assetspec.faults import Faults
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.outputs import Outputs
from flux2build.assetspec.params import lacking
from flux2build.assetspec.quota import Quota
from flux2build.assetspec.resolve import Declared, Resolver
from flux2build.assetspec.tables import SpecTable
from flux2build.assetspec.unused import Usage
from flux2build.model import Key
from flux2build.providers.capabilities import FREE, Card
from flux2build.storage import paths


class OtherProfiles(Struct, frozen=True):
    """Resolves other profiles, to find their faults and the keys that they consume.

    One member of a family is enough, because their settings are the same. Recipes are discarded.
    """

    resolver: Resolver
    """The resolver of the chosen profile."""
    declared: Sequence[Declared]
    """The assets in the chosen profile."""
    _others: list[tuple[Resolver, Sequence[Declared]]] = field(default_factory=list)

    def read(
        self, outputs: Outputs, masters: Outputs, settings: Iterable[MergedSettings]
    ) -> Faults:
        """Read one profile with its own settings of each asset; return its faults."""
        faults = Faults()
        resources = replace(self.resolver.resources, outputs=outputs, masters=masters)
        other = replace(
            self.resolver, resources=resources, faults=faults, quota=Quota(faults), orders={}
        )
        there: list[Declared] = []
        for one, merged in zip(self.declared, settings, strict=True):
            family = replace(one.family, members=one.family.members[:1])
            own = Declared(one.table, merged, family)
            there.append(own)
            if merged.peek("provider") in self.resolver.capabilities.installed:
                merged.consume()
            elif not other.settles(own, one, self.resolver.orders.get(one.key)):
                self._resolve(other, own)
        self._others.append((other, there))
        return faults

    def beside(self, more: OtherProfiles) -> OtherProfiles:
        """These assets and further ones, to find the keys that all of them consume."""
        declared = [*self.declared, *more.declared]
        return OtherProfiles(self.resolver, declared, [*self._others, *more._others])

    @staticmethod
    def _resolve(resolver: Resolver, declared: Declared) -> None:
        list(resolver.assets(declared))
        settings = {member.name: declared.settings for member in declared.family.members}
        recipes, able = list(resolver.recipes(declared)), resolver.capabilities
        list(provenance.marked(recipes, settings, able.cards, able.ops))

    def elsewhere(self, files: Iterable[str]) -> tuple[Resolver, Sequence[Declared]] | None:
        """The means to resolve the profile that was read last in full, if its outputs may collide.

        None if they cannot: they have the same paths as in the chosen profile, perhaps below
        another folder, which does not contain any of `files`.
        """
        other, there = self._others[-1]
        before, after = self.resolver.resources, other.resources
        pairs = list(zip(self.declared, there, strict=True))
        folders = {after.outputs.folder, after.masters.folder} - {
            before.outputs.folder,
            before.masters.folder,
        }
        if (
            (before.outputs == before.masters) is (after.outputs == after.masters)
            and not any(_within(path, folder) for path in files for folder in folders)
            and not any(
                other.renames(own, one, self.resolver.orders.get(one.key)) for one, own in pairs
            )
        ):
            return None
        return self.whole()

    def whole(self) -> tuple[Resolver, Sequence[Declared]]:
        """The means to resolve the profile that was read last in full."""
        other, there = self._others[-1]
        after, pairs = other.resources, list(zip(self.declared, there, strict=True))
        faults, installed = Faults(), self.resolver.capabilities.installed
        outputs, masters = (replace(it, files=None) for it in (after.outputs, after.masters))
        resources = replace(after, outputs=outputs, masters=masters)
        whole = replace(other, resources=resources, faults=faults, quota=Quota(faults))
        return whole, [
            replace(one, settings=own.settings)
            for one, own in pairs
            if own.settings.peek("provider") not in installed
        ]

    def adopt(self, profile: str, faults: Faults) -> None:
        """Note faults that only another profile has, with its name."""
        own = {(fault.key, fault.message) for fault in self.resolver.faults.assets}
        for fault, assets in faults.assets.items():
            if (fault.key, fault.message) not in own:
                named = replace(fault, rows=(*fault.rows, ("profile", profile)))
                for asset in assets or (None,):
                    self.resolver.faults.add(named, asset)

    def usage(self, tables: SpecTable, words: AbstractSet[str], hidden: AbstractSet[str]) -> Usage:
        """The usage of the spec's keys, in the chosen profile and in the others that were read.

        `hidden` are words that do not refer to variables.
        """
        cards: dict[str, dict[str, Card]] = {}
        beside: dict[Key, tuple[MergedSettings, Card, str]] = {}
        used: set[Key] = set()
        empty = [one for one in self.declared if not one.family.members]
        for one in empty:  # rows may return
            one.settings.consume()
        consumed = set(self.resolver.resources.consumed)
        if tables.catalog and "t" in words:
            words |= {tables.catalog.axis}  # `t` takes its locale from there
        for resolver, assets in ((self.resolver, self.declared), *self._others):
            for one in assets:
                order, settings = resolver.orders.get(one.key), one.settings
                visible = words - {*one.family.axes} - hidden
                consumed.update(settings.variable_keys(visible))
                if order is not None:
                    cards.setdefault(one.family.name, {})[order.card.model] = order.card
                    for name in order.params.beside:
                        beside.setdefault(settings.key(name), (settings, order.card, name))
                    if order.card.price != FREE:
                        used.update(map(settings.key, order.sent))
        axes = {one.family.name: one.family.axes for one in self.declared}
        able = self.resolver.capabilities
        unsent = tuple(
            lacking(settings, card, able, name)
            for key, (settings, card, name) in beside.items()
            if key not in used
        )
        unmade = frozenset(one.family.name for one in empty)
        read = bool(self.resolver.resources.texts.prompts.sources)
        return Usage(tables, consumed, words, axes, cards, unsent, unmade, hidden, read)


def _within(path: str, folder: str) -> bool:
    return folder == "." or paths.fold(path).startswith(f"{paths.fold(folder)}/")
