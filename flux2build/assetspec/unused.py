"""Finds the keys of a spec without effect, and words their faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct, field

from flux2build.assetspec.faults import Fault
from flux2build.assetspec.params import PARAMS
from flux2build.assetspec.tables import AssetTable, Deliver, Profile, Settings, SpecTable
from flux2build.images.encoding import having
from flux2build.model import Key
from flux2build.providers.capabilities import Card

_OF_MEMBERS: Final = frozenset(
    {"source", "style", "matrix", "exclude", "rows", "output", "profile"}
)
"""Keys that say which pictures there are, and where; other rules check them."""
_DOCUMENTS: Final = ("path", "pictures", "typescript")


class Usage(Struct, frozen=True):
    """The keys and words that a spec uses, in all of its profiles."""

    tables: SpecTable
    consumed: AbstractSet[Key]
    words: AbstractSet[str] = frozenset()
    """Every word inside of the markup of templates."""
    axes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The axes of each asset."""
    cards: Mapping[str, Mapping[str, Card]] = field(default_factory=dict)
    """The models that render each asset, by name."""
    beside: Sequence[Fault] = ()
    """Parameters that are set for a model that lacks them, and sent to no other one."""
    unmade: AbstractSet[str] = frozenset()
    """Assets without members, whose keys cannot be judged."""
    hidden: AbstractSet[str] = frozenset()
    """Words that refer only to axes of `deliver`."""
    templates: bool = True
    """Whether any template was read from the folder of templates."""

    def faults(self) -> tuple[list[Fault], list[Fault]]:
        """The contradictory keys, and the keys without effect.

        The first list has one fault for each key of an asset without effect, and for each parameter
        of a wrong model; the second has one for each key of other tables without effect.
        """
        reported = {fault.key for fault in self.beside}
        faults = [fault for fault in self._faults() if fault.key not in reported]
        own = [fault for fault in faults if fault.key[0] == "asset"]
        return [*self.beside, *own], [fault for fault in faults if fault.key[0] != "asset"]

    def _faults(self) -> Iterator[Fault]:
        """One fault for each key without effect."""
        if not self.tables.asset:
            return
        yield from self._settings(("defaults",), self.tables.defaults)
        used = {name for table in self.tables.asset.values() for name in _styles(table)}
        for name, style in self.tables.style.items():
            if name in used:
                yield from self._settings(("style", name), style)
            else:
                yield Fault(("style", name), f"no asset has the style `{name}`", name=True)
        for name, profile in self.tables.profile.items():
            yield from self._settings(("profile", name), profile)
        for name, table in self.tables.asset.items():
            if name in self.unmade:
                continue
            if table.source is not None and table.output is not None:
                yield _not_rendered(("asset", name, "output"))
            yield from self._settings(("asset", name), table)
            for profile_name, settings in (table.profile or {}).items():
                yield from self._settings(("asset", name, "profile", profile_name), settings)
        yield from self._beside()

    def _beside(self) -> Iterator[Fault]:
        """The keys of tables that are not about a single asset."""
        for name, params in self.tables.op.items():
            for word in params:
                if ("op", name, word) not in self.consumed:
                    message = f"no use of `{name}` leaves its `{word}` to `[op.{name}]`"
                    yield Fault(("op", name, word), message, name=True)
        for name in sorted(self.tables.manifest.model_fields_set - {*_DOCUMENTS}):
            if ("manifest", name) not in self.consumed:
                message = f"no document of `[manifest]` has a use for `{name}`"
                yield Fault(("manifest", name), message, name=True)
        yield from self._folders()
        yield from self._catalog()
        for name, options in self.tables.checks.items():
            if isinstance(options, Mapping) and options.get("severity") == "off":
                for word in sorted(options.keys() - {"severity"}):
                    yield Fault(("checks", name, word), f"check `{name}` is off", name=True)
        yield from self._variables(("vars",), self.tables.vars)

    def _folders(self) -> Iterator[Fault]:
        project = self.tables.project
        if project.masters is not None and ("project", "masters") not in self.consumed:
            yield Fault(("project", "masters"), "no masters lie there in any profile", name=True)
        if "templates" in project.model_fields_set and not self.templates:
            message = f"no template is read from `{project.templates}`"
            yield Fault(("project", "templates"), message, name=True)

    def _catalog(self) -> Iterator[Fault]:
        catalog = self.tables.catalog
        if catalog and "t" not in self.words:
            message = "no template asks for a translation: `{{ t('…') }}`"
            yield Fault(("catalog",), message, name=True)
        elif catalog and catalog.fallback and catalog.policy != "fallback":
            message = '`fallback` is about `policy = "fallback"`'
            yield Fault(("catalog", "fallback"), message, hint="say the policy", name=True)

    def _settings(self, key: Key, settings: Settings) -> Iterator[Fault]:
        own = _OF_MEMBERS if isinstance(settings, AssetTable) else frozenset[str]()
        if isinstance(settings, Profile):
            own |= {"disclosure", "output", "ship"}
        for name in sorted(settings.model_fields_set - own):
            at = (*key, name)
            if name == "vars":
                yield from self._variables(at, settings.vars or {})
            elif at not in self.consumed:
                yield self._unused(at)
            elif name == "deliver":
                for index, entry in enumerate(settings.deliver or []):
                    yield from self._entry((*at, index), entry)

    def _entry(self, key: Key, entry: Deliver) -> Iterator[Fault]:
        for name in sorted(entry.model_fields_set):
            if (*key, name) not in self.consumed:
                message, hint = _of_entry(name, entry)
                yield Fault((*key, name), message, hint=hint, name=True)

    def _variables(self, key: Key, variables: Iterable[str]) -> Iterator[Fault]:
        catalog = self.tables.catalog
        for name in variables:
            if (*key, name) not in self.consumed:
                of_asset = key[0] == "asset" and name in self.axes.get(str(key[1]), ())
                hidden = of_asset or name in self.hidden
                message = f"no template names the variable `{name}`"
                if hidden or name in self.words or (catalog and catalog.axis == name):
                    message = f"the variable `{name}` is replaced wherever it could be seen"
                if hidden:
                    message = f"the variable `{name}` is hidden by the axis of the same name"
                yield Fault((*key, name), message, name=True)

    def _unused(self, key: Key) -> Fault:
        """The fault of a setting that no recipe uses."""
        name = str(key[-1])
        if key[0] != "asset":
            return Fault(key, f"no asset has a use for `{name}`", name=True)
        table = self.tables.asset[str(key[1])]
        if name in {"sign", "provenance"}:
            message = f"`{name}` is about files of `deliver`, and none of them can have it"
            message = message if table.deliver else f"`{name}` is about files of `deliver`"
            return Fault(key, message, hint="deliver files of the picture", name=True)
        if table.source is not None:
            return _not_rendered(key)
        cards = self.cards.get(str(key[1]), {})
        if name in PARAMS and cards and all(name not in card.params for card in cards.values()):
            listed = ", ".join(f"`{model}`" for model in sorted(cards))
            hint = "take it away, or name a model that has it"
            return Fault(key, f"`{name}` is not sent to {listed}", hint=hint, name=True)
        hint = f"take it away, or say it in a profile of the asset: `[asset.{key[1]}.profile.…]`"
        return Fault(key, f"every profile replaces `{name}`", hint=hint, name=True)


def _styles(table: AssetTable) -> Sequence[str]:
    if isinstance(table.style, str):
        return [table.style]
    return table.style or []


def _not_rendered(key: Key) -> Fault:
    message = f"a picture with `source` is not rendered: it has no `{key[-1]}`"
    hint = "use `deliver` to make files of it" if key[-1] == "output" else None
    return Fault(key, message, hint=hint, name=True)


def _of_entry(name: str, entry: Deliver) -> tuple[str, str | None]:
    """The message about a key that does not affect any file of an entry, and the remedy."""
    formats = having(name)
    if name == "upscale":
        return "`upscale` is about `widths` or a `preset`", "say `widths`"
    if name == "min_quality" and entry.max_bytes is None:
        return "`min_quality` is about `max_bytes`", "say `max_bytes`"
    if name == "quality" and entry.lossless:
        return "a lossless file has no `quality`", "keep one of them"
    if entry.preset and name in {"focus", "safe", "sizes", "matte"}:
        return f"no file of preset `{entry.preset}` has a use for `{name}`", None
    if formats:
        hint = "formats that do: " + ", ".join(f"`{form}`" for form in sorted(formats))
        return f"none of the formats has `{name}`", hint
    return f"no file has a use for `{name}`", None
