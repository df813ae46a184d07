"""From declared assets and their merged settings to recipes."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flux2build.assetspec import deliverables, params, references
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.deliverables import Entry, Master, Resources
from flux2build.assetspec.family import AssetFamily, Member
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.operations import OpReader
from flux2build.assetspec.outputs import format_of
from flux2build.assetspec.params import ModelChoice
from flux2build.assetspec.references import NamedInput, SourceFiles
from flux2build.assetspec.tables import AssetRef, AssetTable
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.digest import Json
from flux2build.model import Asset, AssetName, Generate, Key, MasterOf, OutputOf, Recipe, Source
from flux2build.storage import paths

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declared:
    """One table `[asset.NAME]`, with its merged settings and its members."""

    table: AssetTable
    settings: MergedSettings
    family: AssetFamily

    @property
    def key(self) -> Key:
        """Where it stands."""
        return self.settings.asset

    def scope(self, one: Member) -> dict[str, Any]:
        """What templates of a member can name: variables, axes, the row and the asset's name."""
        scope = {**self.settings.get("vars"), **one.axes}
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
    useless = declared.table.model_fields_set & {"prompt", "template", "output"}
    for name in sorted(useless):
        hint = "use `deliver` to make files of it" if name == "output" else None
        message = f"a picture with `source` is not rendered: it has no `{name}`"
        faults.add(Fault((*declared.key, name), message, hint=hint, name=True))
    for one in declared.family.members:
        with faults.collecting(one.name):
            path = texts.text(pattern, declared.scope(one), key)
            yield one.name, files.source(path, key)


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """The settings of a rendered asset that are the same for every member."""

    choice: ModelChoice
    sent: Mapping[str, Json]
    format: str
    take: int

    @property
    def size(self) -> dict[str, Json]:
        """The sides in pixels, if the spec asks for them."""
        return {side: self.sent[side] for side in ("width", "height") if side in self.sent}


@dataclass(slots=True)
class Resolver:
    """Turns declared assets into recipes; notes what is wrong, member by member."""

    resources: Resources
    capabilities: Capabilities
    ops: OpReader
    faults: Faults

    def assets(self, declared: Declared) -> Iterator[Asset]:
        """The members of an asset, with their facts for documents and selections."""
        for one in declared.family.members:
            with self.faults.collecting(one.name):
                yield self._asset(declared, one)

    def recipes(self, declared: Declared) -> Iterator[Recipe]:
        """The recipes of an asset's members: the master first, then what is derived of it."""
        entries = deliverables.prepare(declared.settings, self.ops, self.faults)
        order = None
        if declared.table.source is None:
            with self.faults.collecting():
                order = self._order(declared.settings)
            if order is None:
                self._check_prompts(declared)
                return
        for one in declared.family.members:
            yield from self._member(declared, one, order, entries)

    def _check_prompts(self, declared: Declared) -> None:
        """Notes what is wrong with the prompts of an asset that cannot be ordered."""
        for one in declared.family.members:
            with self.faults.collecting(one.name):
                scope = {**declared.scope(one), "ref": _silent}
                self.resources.texts.prompt(declared.settings, scope)

    def _order(self, settings: MergedSettings) -> RenderSettings:
        choice = params.choose(settings, self.capabilities)
        sent, wrong = params.read(settings, choice.card, self.capabilities)
        if wrong:
            raise FaultyError(*wrong)
        form = sent.get("format")
        chosen = form if isinstance(form, str) else params.default_format(choice.card)
        return RenderSettings(choice, sent, chosen, settings.get("take") or 1)

    def _member(
        self, declared: Declared, one: Member, order: RenderSettings | None, entries: list[Entry]
    ) -> Iterator[Recipe]:
        scope = declared.scope(one)
        master = None
        if order is None:
            if source := self.resources.names.sources.get(one.name):
                form = format_of(source.path) or params.DEFAULT_FORMAT
                stem = _stem(declared.family, one)
                master = Master(one.name, one.axes, source, stem, form, {}, scope)
        else:
            with self.faults.collecting(one.name):
                recipe, path = self._rendering(declared, one, order, scope)
                yield recipe
                stem = posixpath.splitext(path)[0]
                picture = MasterOf(one.name)
                master = Master(one.name, one.axes, picture, stem, order.format, order.size, scope)
        if master is None:
            return
        for entry in entries:
            with self.faults.collecting(one.name):
                yield from deliverables.recipes(entry, master, self.resources)

    def _rendering(
        self, declared: Declared, one: Member, order: RenderSettings, scope: Scope
    ) -> tuple[Recipe, str]:
        """The order of one member, and its path below the output folder."""
        wrong: list[Fault] = []
        refs = _tried(wrong, lambda: self._allowed(declared, one, order, scope))
        speaking = {**scope, "ref": references.speaker(refs) if refs is not None else _silent}
        prompt = _tried(wrong, lambda: self._prompt(declared, refs, speaking))
        place = _tried(wrong, lambda: self._place(declared, one, order, scope))
        if refs is None or prompt is None or place is None:
            raise FaultyError(*wrong)
        path, output = place
        task = Generate(
            order.choice.provider, order.choice.card.model, prompt, order.sent, order.take
        )
        inputs = tuple(reference.input for reference in refs)
        return Recipe(one.name, task, inputs, output, declared.key), path

    def _allowed(
        self, declared: Declared, one: Member, order: RenderSettings, scope: Scope
    ) -> list[NamedInput]:
        """The references, as many as the model takes."""
        refs, card = self._references(declared, one, scope), order.choice.card
        if len(refs) > card.references:
            message = f"{len(refs)} references; `{card.model}` takes {card.references} at most"
            raise FaultyError(Fault(declared.settings.key("refs"), message))
        return refs

    def _prompt(self, declared: Declared, refs: list[NamedInput] | None, scope: Scope) -> str:
        prompt = self.resources.texts.prompt(declared.settings, scope)
        if refs is not None:
            _check_mentions(prompt, refs, declared.settings)
        return prompt

    def _place(
        self, declared: Declared, one: Member, order: RenderSettings, scope: Scope
    ) -> tuple[str, str]:
        """A path below the output folder, and from the spec's folder."""
        path = self._path(declared, one, order, scope)
        return path, self.resources.outputs.locate(path, order.format, _output_key(declared))

    def _references(self, declared: Declared, one: Member, scope: Scope) -> list[NamedInput]:
        """The references in order.

        Raises:
            FaultyError: with the faults of all of them.
        """
        listed: list[str | AssetRef] = declared.settings.get("refs") or []
        key = declared.settings.key("refs")
        references: list[NamedInput] = []
        wrong: list[Fault] = []
        for index, ref in enumerate(listed):
            try:
                references.append(self._reference(ref, one, scope, (*key, index)))
            except FaultyError as error:
                wrong += error.faults
        if len(references) < len(listed):
            raise FaultyError(*wrong)
        return references

    def _reference(self, ref: str | AssetRef, one: Member, scope: Scope, key: Key) -> NamedInput:
        if isinstance(ref, AssetRef):
            return self._asset_reference(ref, one, scope, (*key, "asset"))
        path = self.resources.texts.text(ref, scope, key)
        return references.named(self.resources.files.source(path, key), path)

    def _asset_reference(self, ref: AssetRef, one: Member, scope: Scope, key: Key) -> NamedInput:
        name = self.resources.texts.text(ref.asset, scope, key)
        picture = self.resources.names.input(name, one.axes, key)
        if picture is None:
            raise FaultyError  # the other asset's own faults are noted
        if picture == MasterOf(one.name):
            raise FaultyError(Fault(key, f"`{one.name}` refers to itself"))
        return references.named(picture, name)

    def _path(self, declared: Declared, one: Member, order: RenderSettings, scope: Scope) -> str:
        pattern = declared.table.output
        if pattern is None:
            return f"{_stem(declared.family, one)}.{order.format}"
        scope = {**scope, **order.size, "format": order.format}
        return self.resources.texts.text(pattern, scope, _output_key(declared))

    def _asset(self, declared: Declared, one: Member) -> Asset:
        settings, texts, scope = declared.settings, self.resources.texts, declared.scope(one)

        def optional(name: str) -> str | None:
            text = settings.get(name)
            return None if text is None else texts.text(text, scope, settings.key(name))

        tags: list[str] = texts.inside(settings.get("tags") or [], scope, settings.key("tags"))
        source = self.resources.names.sources.get(one.name)
        return Asset(
            name=one.name,
            family=declared.family.name,
            axes=one.axes,
            tags=tuple(tags),
            alt=optional("alt"),
            title=optional("title"),
            source=source.path if source else None,
            key=declared.key,
        )


def whole(recipes: Iterable[Recipe], assets: Container[AssetName]) -> Sequence[Recipe]:
    """The recipes of assets that are resolved, and so are all pictures that they are made of.

    What is made of the others cannot be described: their own faults are noted.
    """
    kept = [recipe for recipe in recipes if recipe.asset in assets]
    while True:
        rendered = {recipe.asset for recipe in kept if isinstance(recipe.task, Generate)}
        outputs = {recipe.output for recipe in kept}
        left = [recipe for recipe in kept if _complete(recipe, rendered, outputs)]
        if len(left) == len(kept):
            return kept
        kept = left


def _complete(recipe: Recipe, rendered: Container[AssetName], outputs: Container[str]) -> bool:
    for picture in recipe.inputs:
        if isinstance(picture, MasterOf) and picture.asset not in rendered:
            return False
        if isinstance(picture, OutputOf) and picture.path not in outputs:
            return False
    return True


def _tried(wrong: list[Fault], read: Callable[[], T]) -> T | None:
    """The result of a step, or None; the faults of a failed one are added to `wrong`."""
    try:
        return read()
    except FaultyError as error:
        wrong += error.faults
        return None


def _silent(*_words: object) -> str:
    """Stands in for `ref` while references are wrong, so that prompts can be checked."""
    return "image 1"


def _stem(family: AssetFamily, one: Member) -> str:
    """The default path of a picture, without the suffix."""
    values = (one.axes[axis] for axis in sorted(one.axes))
    return "-".join(paths.slug(part) for part in (family.name, *values))


def _output_key(declared: Declared) -> Key:
    return (*declared.key, "output") if declared.table.output else declared.key


def _check_mentions(prompt: str, refs: list[NamedInput], settings: MergedSettings) -> None:
    """Refuse a prompt that mentions a picture that is not sent: it would be paid for in vain.

    Raises:
        FaultyError: there is no reference of that number.
    """
    for number in references.mentions(prompt):
        if not 0 < number <= len(refs):
            some = f"there are {len(refs)} references" if len(refs) != 1 else "there is 1 reference"
            message = f"the prompt says `image {number}`, but {some if refs else 'there are none'}"
            hint = "add it to `refs`; put it into double quotes if it is lettering"
            key = settings.key("prompt" if settings.get("prompt") is not None else "template")
            raise FaultyError(Fault(key, message, hint=hint))
