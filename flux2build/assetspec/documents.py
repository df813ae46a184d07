"""Documents as recipes: those of `[manifest]`, and those about the files of an entry of `deliver`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.assetspec.deliverables import Resources
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.operations import has_templates
from flux2build.assetspec.outputs import FROM_SPEC
from flux2build.assetspec.presets import presets
from flux2build.assetspec.prompts import is_template
from flux2build.assetspec.resolve import Declared
from flux2build.assetspec.tables import Deliver, ManifestTable
from flux2build.assetspec.templating import Scope
from flux2build.assetspec.validation_errors import validated
from flux2build.errors import did_you_mean
from flux2build.images.documents.contract import Document
from flux2build.model import (
    INGREDIENT,
    About,
    Asset,
    AssetName,
    Derive,
    Generate,
    Input,
    Key,
    MasterOf,
    OutputOf,
    Recipe,
    Write,
)

_MANIFEST: Final = {"path": "manifest", "pictures": "pictures", "typescript": "typescript"}
"""The document for each key of `[manifest]`."""


def each_has_one(table: ManifestTable) -> bool:
    """Whether `[manifest]` writes a document for each asset, which owns it."""
    return any(is_template(getattr(table, key) or "") for key in _MANIFEST)


class AssetFiles(Struct, frozen=True, dict=True):
    """The subjects of documents: assets, and the recipes of their files."""

    assets: Mapping[AssetName, Asset]
    recipes: Sequence[Recipe]
    folder: str
    """The output folder."""
    masters: str
    """The folder of masters, which may be the same."""

    @cached_property
    def files(self) -> Mapping[AssetName, Sequence[Recipe]]:
        """The recipes by their asset."""
        files: dict[AssetName, list[Recipe]] = {}
        for recipe in self.recipes:
            files.setdefault(recipe.asset, []).append(recipe)
        return files

    def shown(self, asset: AssetName) -> Sequence[Recipe]:
        """The files that a site shows: the deliverables, or the master if there are none.

        Masters in a folder of their own are not shown.
        """
        files = self.files.get(asset, ())
        derived = [recipe for recipe in files if isinstance(recipe.task, Derive)]
        return derived or (files if self.masters == self.folder else ())

    def about(self, recipe: Recipe) -> About:
        """The facts about a file that do not depend on its bytes."""
        asset, task = self.assets[recipe.asset], recipe.task
        folder = self.masters if isinstance(task, Generate) else self.folder
        return About(
            asset=asset.name,
            path=posixpath.relpath(recipe.output, folder),
            group=str(recipe.key[-1]) if isinstance(task, Derive) else "",
            alt=asset.alt,
            title=asset.title,
            tags=asset.tags,
            axes=asset.axes,
            ops=task.ops if isinstance(task, Derive) else (),
            role=recipe.role,
        )

    def ingredient(self, owner: AssetName, source: Input) -> About:
        """The same facts about a picture that files are made of."""
        if not isinstance(source, MasterOf):
            return About(owner, source.path, role=INGREDIENT)
        (master,) = (r for r in self.files[source.asset] if isinstance(r.task, Generate))
        return replace(self.about(master), role=INGREDIENT)


class DocumentRequest(Struct, frozen=True):
    """One document that the spec asks for."""

    document: Document
    options: Mapping[str, Any]
    path: str
    """A template."""
    key: Key
    """The key of the path in the spec."""
    templates: bool = False
    """Whether its options have templates, and are not validated yet."""


def _options(document: Document, written: Mapping[str, Any], key: Key) -> Mapping[str, Any]:
    return validated(document.options, written, key).model_dump()


class DocumentResolver(Struct):
    """Makes recipes of the documents in a spec; notes faults."""

    resources: Resources
    known: Mapping[str, Document]
    faults: Faults
    subjects: AssetFiles

    def manifest(self, table: ManifestTable, variables: Scope) -> Iterator[Recipe]:
        """The documents of `[manifest]`, each an asset of its own by its path."""
        texts, consumed = self.resources.texts, self.resources.consumed
        for key, name in _MANIFEST.items():
            if (path := getattr(table, key)) is None:
                continue
            document = self.known[name]
            options = table.model_dump(include=set(document.options.model_fields))
            consumed.update(("manifest", name) for name in options)
            with self.faults.collecting():
                options = texts.inside(options, variables, ("manifest",))
                request = DocumentRequest(document, options, path, ("manifest", key))
                yield from self._each(request) if is_template(path) else (self._whole(request),)

    def _each(self, request: DocumentRequest) -> Iterator[Recipe]:
        """One document for each asset, which owns it."""
        for asset in self.subjects.assets.values():
            scope = {**asset.axes, "asset": {"name": str(asset.name), "family": asset.family}}
            with self.faults.collecting(asset.name):
                path = self.resources.texts.text(request.path, scope, request.key)
                if files := self.subjects.shown(asset.name):
                    yield self._write(asset.name, replace(request, path=path), files)

    def _whole(self, request: DocumentRequest) -> Recipe:
        """One document about all assets, which is an asset of its own."""
        owner = AssetName(request.path.removeprefix(FROM_SPEC))
        if owner in self.subjects.assets:
            message = f"there is an asset `{owner}`, and a document is named by its path"
            raise FaultyError(Fault(request.key, message, hint="call one of them something else"))
        files = [recipe for asset in self.subjects.assets for recipe in self.subjects.shown(asset)]
        return self._write(owner, request, files)

    def entries(self, declared: Declared) -> Iterator[Recipe]:
        """The documents about the files of each entry of an asset's `deliver`."""
        tables: list[Deliver] = declared.settings.get("deliver") or []
        for index, table in enumerate(tables):
            entry = (*declared.settings.key("deliver"), index)
            for at, raw in enumerate(table.documents or []):
                with self.faults.collecting():
                    request = self._request(raw, (*entry, "documents", at))
                    yield from self._members(declared, entry, request)
            named = [raw.get("document") for raw in table.documents or []]
            preset = presets().get(table.preset) if table.preset else None
            for name, path in preset.documents if preset else ():
                if name not in named:
                    document = self.known[name]
                    options = document.options().model_dump()
                    request = DocumentRequest(document, options, path, entry)
                    yield from self._members(declared, entry, request, beside=True)

    def _members(
        self, declared: Declared, entry: Key, request: DocumentRequest, *, beside: bool = False
    ) -> Iterator[Recipe]:
        """A document for each member; with `beside`, it lies beside the preset's first file."""
        for one in declared.family.members:
            files = [r for r in self.subjects.files.get(one.name, ()) if r.key == entry]
            with self.faults.collecting(one.name):
                path = self.resources.texts.text(request.path, declared.scope(one), request.key)
                if not files:
                    continue
                if beside:
                    folder = posixpath.dirname(self.subjects.about(files[0]).path)
                    path = posixpath.join(folder, path)
                sources = () if beside else dict.fromkeys(s for file in files for s in file.inputs)
                own = self._rendered(request, path, declared.scope(one))
                yield self._write(one.name, own, files, tuple(sources))

    def _rendered(self, request: DocumentRequest, path: str, scope: Scope) -> DocumentRequest:
        """The request of one member, whose templates are rendered."""
        if not request.templates:
            return replace(request, path=path)
        written = self.resources.texts.inside(request.options, scope, request.key[:-1])
        options = _options(request.document, written, request.key[:-1])
        return replace(request, path=path, options=options)

    def _request(self, raw: Mapping[str, Any], key: Key) -> DocumentRequest:
        """The request of an entry of `documents`; `FaultyError` if it, or an option, is wrong."""
        name, path = raw.get("document"), raw.get("path")
        if not isinstance(name, str) or not isinstance(path, str):
            such = 'such as `{ document = "frames", path = "atlas.json" }`'
            raise FaultyError(Fault(key, "a document needs a `document` and a `path`", hint=such))
        document = self.known.get(name)
        if document is None:
            hint = did_you_mean(name, self.known)
            raise FaultyError(Fault((*key, "document"), f"unknown document `{name}`", hint=hint))
        own = {word: value for word, value in raw.items() if word not in {"document", "path"}}
        if has_templates(own):
            return DocumentRequest(document, own, path, (*key, "path"), templates=True)
        return DocumentRequest(document, _options(document, own, key), path, (*key, "path"))

    def _write(
        self,
        owner: AssetName,
        request: DocumentRequest,
        files: Sequence[Recipe],
        sources: Sequence[Input] = (),
    ) -> Recipe:
        """A document about files, and about the sources that they are made of."""
        document = request.document
        if not request.path.endswith(document.endings):
            message = f"output `{request.path[:80]}` does not end as {document.name} does"
            hint = "end it in " + " or ".join(f"`{ending}`" for ending in document.endings)
            raise FaultyError(Fault(request.key, message, hint=hint))
        output = self.resources.outputs.document(request.path, request.key)
        ingredients = (self.subjects.ingredient(owner, source) for source in sources)
        about = (*map(self.subjects.about, files), *ingredients)
        task = Write(document.name, document.version, request.options, about)
        inputs = (*(OutputOf(recipe.asset, recipe.output) for recipe in files), *sources)
        return Recipe(owner, task, inputs, output, request.key)
