"""Resolves declared assets and their merged settings to recipes."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from flux2build.assetspec import deliverables, params, references, takes
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.deliverables import Entry, Master, Resources
from flux2build.assetspec.family import AssetFamily, Member
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.operations import OpReader
from flux2build.assetspec.outputs import format_of
from flux2build.assetspec.params import Parameters
from flux2build.assetspec.quota import PART, Quota
from flux2build.assetspec.references import NamedInput, SourceFiles
from flux2build.assetspec.tables import AssetRef, AssetTable
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.digest import Json
from flux2build.model import Asset, AssetName, Generate, Key, MasterOf, Recipe, Source
from flux2build.providers.capabilities import Card

T = TypeVar("T")


class Declared(Struct, frozen=True):
    """One table `[asset.NAME]`, with its merged settings and its members."""

    table: AssetTable
    settings: MergedSettings
    family: AssetFamily

    @property
    def key(self) -> Key:
        """Its key in the spec."""
        return self.settings.asset

    def scope(self, one: Member) -> dict[str, Any]:
        """The names for templates of a member: variables, axes, the row and the asset's name."""
        scope = {**self.settings.peek("vars"), **one.axes}
        scope["asset"] = {"name": str(one.name), "family": self.family.name}
        if one.row is not None:
            scope["row"] = one.row
        return scope


def sources(
    declared: Declared, texts: TextRenderer, files: SourceFiles, faults: Faults
) -> Iterator[tuple[AssetName, Source]]:
    """The files of the members that are not rendered."""
    pattern = declared.table.source
    if pattern is None:
        return
    key = (*declared.key, "source")
    for one in declared.family.members:
        with faults.collecting(one.name):
            path = texts.text(pattern, declared.scope(one), key)
            yield one.name, files.source(path, key)


class RenderSettings(Struct, frozen=True):
    """The settings of a rendered asset that all members share."""

    provider: str
    card: Card
    model: str
    """Its name in orders."""
    params: Parameters
    format: str
    take: int | str
    """The take of the request; a text is a template."""
    candidates: takes.Candidates

    @property
    def sent(self) -> Mapping[str, Json]:
        """The parameters that are sent."""
        return self.params.sent

    @property
    def size(self) -> dict[str, Json]:
        """The sides in pixels, if the spec asks for them."""
        return {side: self.sent[side] for side in ("width", "height") if side in self.sent}


ORDERED: Final = frozenset(
    {"provider", "model", "take", "candidates", "seeds", "review", *params.PARAMS}
)
"""The settings that affect only the order of a picture."""
_IN_ORDER: Final = tuple(sorted(ORDERED))
_ABOUT: Final = frozenset({"tags", "alt", "title", "review", "expect_text"})
"""The settings about an asset that do not affect its picture."""


def _covers(size: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether a master of one size suffices for all files derived from one of another size."""
    sides = [(size.get(side), other.get(side)) for side in ("width", "height")]
    return all(
        wide is None or (isinstance(wide, int) and isinstance(need, int) and wide >= need)
        for wide, need in sides
    )


class Resolver(Struct):
    """Turns declared assets into recipes; notes faults member by member."""

    resources: Resources
    capabilities: Capabilities
    ops: OpReader
    faults: Faults
    quota: Quota
    orders: dict[Key, RenderSettings] = field(default_factory=dict)
    """The settings by which each asset is rendered, by its key."""
    common: dict[object, RenderSettings] = field(default_factory=dict)
    """The settings of assets without settings of their own, by the layers below them."""

    def assets(self, declared: Declared) -> Iterator[Asset]:
        """The members of an asset, with their facts for documents and selections."""
        settings, members = declared.settings, declared.family.members
        parts = len(_entries(settings.peek("refs"))) + len(settings.peek("tags") or ())
        parts += len(settings.peek("vars")) // 100  # they are copied for each member
        self.quota.take(len(members) * parts * PART, declared.key)
        for one in members:
            with self.faults.collecting(one.name):
                yield self._asset(declared, one)

    def recipes(self, declared: Declared) -> Iterator[Recipe]:
        """The recipes of an asset's members: the master first, then its derived files."""
        entries = deliverables.prepare(declared.settings, self.ops, self.faults, self.quota)
        work = deliverables.work(entries, len(declared.family.members))
        self.quota.take(work, declared.key)
        order = None
        if declared.table.source is None:
            order = self._ordered(declared)
            if order is None:
                self._check_prompts(declared)
                return
        for one in declared.family.members:
            yield from self._member(declared, one, order, entries)

    def settles(self, declared: Declared, built: Declared, order: RenderSettings | None) -> bool:
        """Whether a sound order is enough for an asset to be sound in another profile.

        `built` is the asset in the profile whose recipes are made, and `order` its order there.
        """
        own = self._ordered(declared) if declared.table.source is None else None
        beside = declared.settings.profiled() | built.settings.profiled() <= ORDERED
        if own is None or order is None:
            return beside
        few = len(_entries(declared.settings.peek("refs"))) <= own.card.references
        return beside and few and own.format == order.format and _covers(own.size, order.size)

    def notes(self) -> dict[str, tuple[str, ...]]:
        """Notes to read before pictures are rendered, by the names of their families."""
        notes: dict[str, list[str]] = {}
        for key, order in self.orders.items():
            model = order.card.model
            unsent = [f"`{name}` is not sent to {model}" for name in order.params.unsent]
            notes[str(key[1])] = unsent
        for family, note in self.resources.texts.markup.notes:
            notes.setdefault(family, []).append(note)
        return {family: tuple(each) for family, each in notes.items() if each}

    def renames(self, declared: Declared, built: Declared, order: RenderSettings | None) -> bool:
        """Whether files of an asset may have other paths than in the built profile.

        `built` is the asset in that profile, and `order` its order there.
        """
        settings, own = declared.settings, self.orders.get(declared.key)
        if "deliver" in settings.profiled() | built.settings.profiled():
            return True
        words = settings.profiled_variables() | built.settings.profiled_variables()
        if own is not None and order is not None:
            if own.format != order.format:
                return True
            words |= {"width", "height"} if own.size != order.size else set()
        written = [declared.table.output or ""]
        for entry in settings.peek("deliver") or ():
            documents = (each.get("path") for each in entry.documents or ())
            written += [entry.path or "", *(path for path in documents if isinstance(path, str))]
        return any(word in path for word in words for path in written)

    def _ordered(self, declared: Declared) -> RenderSettings | None:
        """The settings by which an asset is rendered; None if they are faulty; notes the faults."""
        with self.faults.collecting():
            self.orders[declared.key] = self._order(declared.settings)
        return self.orders.get(declared.key)

    def _check_prompts(self, declared: Declared) -> None:
        """Note the faults in the prompts of an asset that cannot be ordered."""
        for one in declared.family.members:
            with self.faults.collecting(one.name):
                scope = {**declared.scope(one), "ref": _silent}
                self.resources.texts.prompt(declared.settings, scope)

    def _order(self, settings: MergedSettings) -> RenderSettings:
        """The order for these settings; `FaultyError` if they are faulty."""
        # An order depends only on these settings, because it does not see any others.
        settings = settings.only(_IN_ORDER)
        keys = tuple(key for _, key in settings.values.values())
        if any(key[0] == "asset" for key in keys):
            return self._new_order(settings)
        common = keys, tuple(layer for layer in settings.layers if layer[0] != "asset")
        if common not in self.common:
            self.common[common] = self._new_order(settings)
        return self.common[common]

    def _new_order(self, settings: MergedSettings) -> RenderSettings:
        provider, card = params.choose(settings, self.capabilities)
        parameters = params.read(settings, card, self.capabilities)
        if parameters.faults:
            raise FaultyError(*parameters.faults)
        form = str(parameters.sent.get("format") or params.default_format(card))
        model = self.capabilities.ordered_as(provider, card.model)
        return RenderSettings(
            provider=provider,
            card=card,
            model=model,
            params=parameters,
            format=form,
            take=settings.get("take") or 1,
            candidates=takes.read(settings, card),
        )

    def _member(
        self, declared: Declared, one: Member, order: RenderSettings | None, entries: list[Entry]
    ) -> Iterator[Recipe]:
        scope = declared.scope(one)
        master = None
        if order is None:
            if source := self.resources.names.sources.get(one.name):
                form = format_of(source.path) or params.DEFAULT_FORMAT
                stem = declared.family.stem(one)
                master = Master(one.name, one.axes, source, stem, form, {}, scope)
        else:
            with self.faults.collecting(one.name):
                recipe, path = _Orderer(self.resources, declared, one, order, scope).recipe()
                yield recipe
                if not entries:
                    return
                stem = posixpath.splitext(path)[0]
                picture = MasterOf(one.name)
                master = Master(one.name, one.axes, picture, stem, order.format, order.size, scope)
        if master is None:
            return
        for entry in entries:
            with self.faults.collecting(one.name):
                yield from deliverables.recipes(entry, master, self.resources)

    def _asset(self, declared: Declared, one: Member) -> Asset:
        settings, source = declared.settings, self.resources.names.sources.get(one.name)
        path = source.path if source else None
        if settings.values.keys().isdisjoint(_ABOUT):
            return Asset(one.name, declared.family.name, one.axes, source=path, key=declared.key)
        texts, scope = self.resources.texts, declared.scope(one)

        def optional(name: str) -> str | None:
            text = settings.get(name)
            return None if text is None else texts.text(text, scope, settings.key(name))

        return Asset(
            name=one.name,
            family=declared.family.name,
            axes=one.axes,
            tags=tuple(texts.inside(settings.get("tags") or [], scope, settings.key("tags"))),
            alt=optional("alt"),
            title=optional("title"),
            source=path,
            review=source is None and settings.get("review") == "required",
            expect_text=None if source else optional("expect_text"),
            key=declared.key,
        )


class _Orderer(Struct, frozen=True):
    """Makes the order of one member."""

    resources: Resources
    declared: Declared
    one: Member
    order: RenderSettings
    scope: Scope

    def recipe(self) -> tuple[Recipe, str]:
        """The order, and its path below the output folder; `FaultyError` with all faults."""
        try:
            refs = self._references()
            parts = refs, self._prompt(refs), self._place(), self._numbers()
        except FaultyError:
            parts = self._parts()
        refs, prompt, place, numbers = parts
        order, (path, output), (sent, take) = self.order, place, numbers
        task = Generate(order.provider, order.model, prompt, sent, take)
        inputs = tuple(reference.input for reference in refs)
        first, *others = order.candidates.of(task)
        several = (first, *others) if others else ()
        return Recipe(self.one.name, first, inputs, output, self.declared.key, takes=several), path

    def _parts(
        self,
    ) -> tuple[list[NamedInput], str, tuple[str, str], tuple[Mapping[str, Json], int]]:
        """All parts of a recipe; `FaultyError` with the faults of all of them."""
        wrong: list[Fault] = []
        refs = _tried(wrong, self._references)
        prompt = _tried(wrong, lambda: self._prompt(refs))
        place, numbers = _tried(wrong, self._place), _tried(wrong, self._numbers)
        if refs is None or prompt is None or place is None or numbers is None:
            raise FaultyError(*wrong)
        return refs, prompt, place, numbers

    def _numbers(self) -> tuple[Mapping[str, Json], int]:
        """The parameters and the take, with the numbers from their templates."""
        sent, take = self.order.sent, self.order.take
        if isinstance(text := sent.get("seed"), str):
            sent = {**sent, "seed": self._number("seed", text)}
        return sent, self._number("take", take) if isinstance(take, str) else take

    def _number(self, name: str, template: str) -> int:
        """The number that a template renders."""
        key = self.declared.settings.key(name)
        text = self.resources.texts.text(template, self.scope, key)
        return takes.number(text, name, key, self.order.card)

    def _references(self) -> list[NamedInput]:
        """The references in order, as many as the model takes."""
        listed = _entries(self.declared.settings.get("refs"))
        key, card, wrong = self.declared.settings.key("refs"), self.order.card, list[Fault]()
        refs: list[NamedInput] = []
        faulty = False
        for at, ref in enumerate(listed):
            try:
                refs += self._reference(ref, (*key, at))
            except FaultyError as error:
                faulty, wrong = True, [*wrong, *error.faults]
        if faulty:
            raise FaultyError(*wrong)
        if len(refs) > card.references:
            message = f"{len(refs)} references; `{card.model}` takes {card.references} at most"
            raise FaultyError(Fault(key, message))
        return refs

    def _reference(self, ref: str | AssetRef, key: Key) -> list[NamedInput]:
        """The pictures of one entry: all that its template names, else one."""
        texts, files, names = self.resources.texts, self.resources.files, self.resources.names
        if not isinstance(ref, AssetRef):
            named = texts.items(ref, self.scope, key)
            return [
                references.named(references.source(files, names, path, key), path) for path in named
            ]
        key = (*key, "asset")
        name = texts.text(ref.asset, self.scope, key)
        picture = names.input(name, self.one.axes, key)
        if picture is None:
            raise FaultyError  # the other asset's faults are noted
        if picture == MasterOf(self.one.name):
            raise FaultyError(Fault(key, f"`{self.one.name}` refers to itself"))
        return [references.named(picture, name)]

    def _prompt(self, refs: list[NamedInput] | None) -> str:
        speaker = _silent if refs is None else references.speaker(refs)
        scope, settings = {**self.scope, "ref": speaker}, self.declared.settings
        prompt = self.resources.texts.prompt(settings, scope)
        if refs is not None:
            for notice in references.unsent(prompt, refs, settings.prompt_key):
                self.resources.texts.markup.note(notice, self.declared.family.name)
        return prompt

    def _place(self) -> tuple[str, str]:
        """The path below the folder of masters, and the path from the spec's folder."""
        pattern, form, key = self.declared.table.output, self.order.format, self.declared.key
        if pattern is None:
            path = f"{self.declared.family.stem(self.one)}.{form}"
        else:
            scope = {**self.scope, **self.order.size, "format": form}
            path = self.resources.texts.text(pattern, scope, (*key, "output"))
        at = (*key, "output") if pattern else key
        return path, self.resources.masters.locate(path, at, form)


def _entries(refs: str | list[str | AssetRef] | None) -> list[str | AssetRef]:
    """The entries of `refs`, which may be a single one."""
    return [refs] if isinstance(refs, str) else refs or []


def _tried(wrong: list[Fault], read: Callable[[], T]) -> T | None:
    """The result of a step, or None; the faults of a failed one are added to `wrong`."""
    try:
        return read()
    except FaultyError as error:
        wrong += error.faults
        return None


def _silent(*_words: object) -> str:
    """Replaces `ref` while references are faulty, so that prompts can be checked."""
    return "image 1"
