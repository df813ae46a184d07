"""Reads a spec, from its text to its recipes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec import (
    check_options,
    completeness,
    grounds,
    markup,
    odd_data,
    operations,
    outputs,
    profiles,
    provenance,
    resolve,
    schema,
    template_fields,
)
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.deliverables import Resources
from flux2build.assetspec.documents import AssetFiles, DocumentResolver
from flux2build.assetspec.family import AssetFamily, FamilyExpander
from flux2build.assetspec.faults import Fault, Faults, TooManyError
from flux2build.assetspec.layers import Layer, MergedSettings, merge
from flux2build.assetspec.other_profiles import OtherProfiles
from flux2build.assetspec.outputs import Outputs
from flux2build.assetspec.prompts import Prompts
from flux2build.assetspec.quota import PART, Quota
from flux2build.assetspec.reading import Reading
from flux2build.assetspec.references import AssetNames, SourceFiles
from flux2build.assetspec.resolve import Declared, Resolver
from flux2build.assetspec.spec import Budget, Notice, Spec, unused_key
from flux2build.assetspec.spec_text import SpecText, read
from flux2build.assetspec.tables import AssetTable, Profile, SpecTable
from flux2build.assetspec.templating import TextRenderer
from flux2build.assetspec.tracing import outputs_of, trace_of
from flux2build.assetspec.translations.catalog import Translations, faults_of
from flux2build.errors import SpecError, did_you_mean
from flux2build.model import Asset, AssetName, Key, Recipe, Source
from flux2build.storage import paths, whereabouts
from flux2build.storage.project_files import Kind, ProjectFiles


def load(tree: ProjectFiles, file: str, profile: str | None, capabilities: Capabilities) -> Spec:
    """A spec in one of its profiles.

    Raises:
        SpecError: with every problem of the spec, in the order of places.
        UsageError: the profile is not declared.
    """
    text = read(tree, file)
    data, guessed = schema.as_meant(text.data)
    text = replace(text, data=data)
    tables, invalid, keys = schema.read(text.data)
    faults = Faults()
    with suppress(TooManyError):
        for fault in invalid:
            faults.add(fault)
        for fault in template_fields.faults(text.data, invalid):
            faults.add(fault)
        if not schema.lacks_bases(data):
            name = profiles.chosen(text, tables, profile, faults)
            spec = SpecReader(tree, text, tables, name, faults).spec(capabilities)
            if not faults.assets:
                return spec
    from flux2build.assetspec import diagnostics

    raise SpecError(*diagnostics.problems(text, tree, faults.outside(guessed | keys)))


class SpecReader(Struct):
    """Makes recipes of the tables of a spec; notes its faults."""

    tree: ProjectFiles
    text: SpecText
    tables: SpecTable
    profile: str
    faults: Faults
    consumed: set[Key] = field(default_factory=set)
    """The keys that have had an effect."""
    elsewhere: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """The paths of each asset's files in other profiles, where they were needed."""

    def reading(self, capabilities: Capabilities) -> Reading:
        """The facts that all recipes share."""
        files = SourceFiles(self.tree)
        translations = self._translations()
        texts = TextRenderer(Prompts(self.tree, self._templates(files)), translations)
        quota = Quota(self.faults)
        families = FamilyExpander(self.tree, self.faults, quota, texts, self.tables.vars)
        declared = list(self._declared(quota, families))
        names = self._names(declared, texts, files)
        outputs, masters = self.outputs(files)
        resources = Resources(texts, files, names, outputs, masters, self.consumed)
        ops = operations.reader(capabilities, self.tables.op, self.faults, self.consumed)
        resolver = Resolver(resources, capabilities, ops, self.faults, quota)
        return Reading(self.text, files, families, declared, resolver)

    def spec(self, capabilities: Capabilities) -> Spec:
        """The spec, as far as it is readable."""
        reading = self.reading(capabilities)
        files, families, declared = reading.files, reading.families, reading.declared
        resolver, texts = reading.resolver, reading.texts
        outputs, masters = resolver.resources.outputs, resolver.resources.masters
        translations = texts.translations
        assets = {asset.name: asset for one in declared for asset in resolver.assets(one)}
        recipes = self.recipes(resolver, declared, assets)
        translations.report()
        gaps = tuple(translations.gaps)  # those of other profiles are reported there
        inputs = self.kept_files(families.files, files.used | translations.used.keys())
        templates = self.closed_templates(outputs.folder, masters.folder)
        self.check_collisions(recipes, inputs, templates, capabilities)
        others = OtherProfiles(resolver, declared)
        self._read_others(others, files, assets, inputs)
        notices = self._unused(others)
        return Spec(
            file=self.text.file,
            name=self.tables.project.name or "",
            profile=self.profile,
            usual=self.usual,
            profiles=tuple(self.tables.profile),
            output=outputs.folder,
            folders=self._folders(),
            kept=inputs,
            templates=templates,
            budget=Budget(**vars(self.tables.budget)),
            checks=check_options.options(
                self.tables.checks, capabilities.checks, texts, self.tables.vars, self.faults
            ),
            assets=assets,
            recipes=recipes,
            gaps=gaps,
            notices=notices,
            notes=resolver.notes(),
            text=self.text,
            tracing=partial(trace_of, reading, self.elsewhere),
        )

    @property
    def usual(self) -> str:
        """The default profile."""
        return self.tables.project.profile or profiles.NO_PROFILE

    def _read_others(
        self,
        others: OtherProfiles,
        files: SourceFiles,
        assets: Mapping[AssetName, Asset],
        kept: Mapping[str, str],
    ) -> None:
        """Read the other profiles, and note the faults of those that can be used."""
        usable = {*self.tables.profile, self.usual}
        for name in sorted({*usable, profiles.NO_PROFILE} - {self.profile}):
            other = replace(self, profile=name, faults=Faults())
            settings = [other.merged(one.key, one.table) for one in others.declared]
            outputs, masters = other.outputs(files)
            wrong = others.read(outputs, masters, settings)
            if name not in usable:
                continue
            sound = not (self.faults.assets or other.faults.assets or wrong.assets)
            templates = self.closed_templates(outputs.folder, masters.folder)
            closed = [f"{templates}/-"] if templates else []
            if sound and (elsewhere := others.elsewhere([*kept, *closed])):
                recipes = other.recipes(*elsewhere, assets)
                self.elsewhere[name] = outputs_of(recipes)
                other.check_collisions(recipes, kept, templates, elsewhere[0].capabilities)
            for each in (other.faults, wrong):
                others.adopt(name, each)

    def _unused(self, others: OtherProfiles) -> tuple[Notice, ...]:
        """Note keys without effect in all profiles.

        Those of assets are faults. Those of other tables are returned.
        """
        resolver, declared = others.resolver, others.declared
        texts = resolver.resources.texts
        words = markup.words((*texts.prompts.sources, *(file.text for file in self.text.files)))
        axis = texts.translations.axis
        hidden = markup.hidden(self.text.data, axis) - markup.words(texts.prompts.sources)
        usage = others.usage(self.tables, words, hidden)
        if self.faults.assets:
            return ()  # faulty entries do not use anything
        empty = {one.key for one in declared if not one.family.members}  # unused today
        contradictions, idle = usage.faults()
        for fault in contradictions:
            if fault.key[:2] not in empty:
                self.faults.add(fault)
        if empty:
            idle = []
        return (
            *(unused_key(each.key, each.message, each.hint) for each in idle),
            *texts.markup.notices,
            *(
                notice
                for one in declared
                if one.table.rows is not None
                for notice in odd_data.notices(one.key, one.table.rows, one.family, words)
            ),
        )

    def recipes(
        self,
        resolver: Resolver,
        declared: Sequence[Declared],
        assets: Mapping[AssetName, Asset],
    ) -> tuple[Recipe, ...]:
        """Every recipe: pictures, then documents about them."""
        pictures, resources = self.pictures(declared, resolver), resolver.resources
        whole = completeness.whole(pictures, assets)
        subjects = AssetFiles(assets, whole, resources.outputs.folder, resources.masters.folder)
        kinds = resolver.capabilities.documents
        documents = DocumentResolver(resources, kinds, resolver.faults, subjects)
        about = [recipe for one in declared for recipe in documents.entries(one)]
        return (*pictures, *about, *documents.manifest(self.tables.manifest, self.tables.vars))

    @staticmethod
    def pictures(declared: Iterable[Declared], resolver: Resolver) -> Sequence[Recipe]:
        """The recipes of pictures, with the marks and grounds that follow from other recipes."""
        recipes = [recipe for one in declared for recipe in resolver.recipes(one)]
        settings = {member.name: one.settings for one in declared for member in one.family.members}
        able = resolver.capabilities
        marked = list(provenance.marked(recipes, settings, able.cards, able.ops))
        return grounds.keyed(marked, able.cards, able.ops)

    def _translations(self) -> Translations:
        table = self.tables.catalog
        faults = list(faults_of(table, self.tree)) if table else []
        for fault in faults:
            self.faults.add(fault)
        faulty = bool(faults) or ("catalog" in self.text.data and table is None)
        return Translations(self.tree, table, self.faults, faulty)

    def _templates(self, files: SourceFiles) -> str:
        """The templates folder; notes a fault if it is not a folder."""
        written = self.tables.project.templates
        if fault := whereabouts.no_folder(files.tree, written):
            message, hint = f"templates folder {fault[0]}", fault[1]
            self.faults.add(Fault(("project", "templates"), message, hint=hint))
        return paths.join("", written)

    def outputs(self, files: SourceFiles) -> tuple[Outputs, Outputs]:
        """The folder of derived files, and the folder of masters, which may be the same."""
        own, project = self._own, self.tables.project
        if own.output is not None:
            output = self._folder(files, own.output, ("profile", self.profile, "output"))
        else:
            output = self._folder(files, project.output, ("project", "output"))
        written, key = self._masters
        if written is None:
            return Outputs(output, files), Outputs(output, files)
        if any(table.source is None for table in self.tables.asset.values()):
            self.consumed.add(key)
        return Outputs(output, files), Outputs(self._folder(files, written, key), files)

    @property
    def _own(self) -> Profile:
        """The table of the profile."""
        return self.tables.profile.get(self.profile, Profile.model_construct())

    @property
    def _masters(self) -> tuple[str | None, Key]:
        """The folder of masters, if they have their own, and its key.

        A profile with its own output folder also has its own folder of masters.
        """
        own, project = self._own, self.tables.project
        if own.masters is not None:
            return own.masters, ("profile", self.profile, "masters")
        if project.masters is None or own.output is None:
            return project.masters, ("project", "masters")
        name = paths.slug(paths.safe_name(self.profile))
        return f"{project.masters}/{name}", ("project", "masters")

    def _folder(self, files: SourceFiles, written: str, key: Key) -> str:
        """A folder of outputs; notes a fault if it cannot be one."""
        folder = paths.join("", written)
        fault = None if folder == "." else paths.fault(folder)
        if fault or files.kind(folder) in {Kind.OUTSIDE, Kind.FILE, Kind.SPECIAL}:
            why, what = fault or "is not a folder of the project", f"{key[-1]} folder"
            self.faults.add(Fault(key, f"{what} `{written[:80]}` {why}"))
            return "."
        return folder

    def _declared(self, quota: Quota, families: FamilyExpander) -> Iterator[Declared]:
        for name, table in self.tables.asset.items():
            key = ("asset", name)
            layers = list(self._layers(key, table))
            self._count(layers, key, quota)
            settings = merge(key, self.tables.vars, layers, self.consumed)
            yield Declared(table, settings, families.expand(name, table))

    def merged(self, key: Key, table: AssetTable) -> MergedSettings:
        """The settings of an asset in the profile."""
        return merge(key, self.tables.vars, self._layers(key, table), self.consumed)

    def _count(self, layers: Sequence[Layer], key: Key, quota: Quota) -> None:
        """Count the work of merging layers: a layer with variables copies the earlier ones."""
        sizes = [len(written) for layer in layers if (written := layer.settings.vars)]
        copied = len(sizes) * (len(self.tables.vars) + sum(sizes))
        quota.take((len(layers) + copied) * PART, key)

    def _layers(self, key: Key, table: AssetTable) -> Iterator[Layer]:
        """The layers of an asset's settings, from the weakest to the strongest."""
        yield Layer(("defaults",), self.tables.defaults)
        yield from self._styles(key, table)
        yield Layer(key, table)
        if self.profile in self.tables.profile:
            yield Layer(("profile", self.profile), self.tables.profile[self.profile])
        for name, settings in (table.profile or {}).items():
            place = (*key, "profile", name)
            declared = schema.names(self.text.data, "profile")
            if name not in declared:
                hint = did_you_mean(name, declared) or f"declare it as `[profile.{name}]`"
                message = f"there is no profile `{name}`"
                self.faults.add(Fault(place, message, hint=hint, name=True))
            elif name == self.profile:
                yield Layer(place, settings)

    def _styles(self, key: Key, table: AssetTable) -> Iterator[Layer]:
        """The layers of an asset's styles; notes unknown styles."""
        several = isinstance(table.style, list)
        names = table.style if isinstance(table.style, list) else [table.style]
        for index, name in enumerate(names):
            if name in self.tables.style:
                yield Layer(("style", name), self.tables.style[name])
            elif name is not None and name not in schema.names(self.text.data, "style"):
                place = (*key, "style", index) if several else (*key, "style")
                hint = did_you_mean(name, schema.names(self.text.data, "style"))
                self.faults.add(Fault(place, f"there is no style `{name}`", hint=hint))

    def _names(
        self, declared: Iterable[Declared], texts: TextRenderer, files: SourceFiles
    ) -> AssetNames:
        families: dict[str, AssetFamily] = {}
        folded: dict[str, tuple[AssetName, Key]] = {}
        sources: dict[AssetName, Source] = {}
        for one in declared:
            families[one.family.name] = one.family
            for member in one.family.members:
                name, key = folded.setdefault(paths.fold(member.name), (member.name, one.key))
                if name != member.name:
                    message = f"asset `{member.name}` is the same as `{name}` on some systems"
                    rows = (("also at", str(self.text.place(key))),)
                    self.faults.add(Fault(one.key, message, rows=rows, name=True))
            sources.update(resolve.sources(one, texts, files, self.faults))
        members = frozenset(member.name for f in families.values() for member in f.members)
        return AssetNames(families, schema.names(self.text.data, "asset"), members, sources)

    def kept_files(self, data: Iterable[str], sources: Iterable[str]) -> dict[str, str]:
        """Every file that is read or kept, and so is not an output, with its name for messages."""
        lock = posixpath.splitext(self.text.file)[0] + ".lock"
        return {
            **{path: f"the source `{path}`" for path in sorted(sources)},
            **{path: f"the data file `{path}`" for path in sorted(data)},
            **{file.name: f"the spec `{file.name}`" for file in self.text.files},
            lock: f"the lock `{lock}`",
        }

    def _folders(self) -> tuple[str, ...]:
        """The folders of outputs and masters of all profiles, each once."""
        project, profiles = self.tables.project, self.tables.profile.values()
        written = [project.output, project.masters]
        written += [folder for each in profiles for folder in (each.output, each.masters)]
        return tuple(dict.fromkeys(paths.join("", one) for one in written if one is not None))

    def closed_templates(self, *folders: str) -> str:
        """The templates folder, unless outputs lie in it."""
        templates = paths.join("", self.tables.project.templates)
        inside = (f"{folder}/".startswith(f"{templates}/") for folder in folders)
        return "" if templates == "." or any(inside) else templates

    def check_collisions(
        self,
        recipes: Iterable[Recipe],
        kept: Mapping[str, str],
        templates: str,
        able: Capabilities,
    ) -> None:
        """Note outputs that collide with each other, a file that is read, or a template."""
        taken = {paths.fold(path): what for path, what in kept.items()}
        for fault, recipe, other in outputs.collisions(recipes, taken, able.ops):
            if other is None:
                self.faults.add(fault, recipe.asset)
            # Names that differ only in spelling are a fault of their own.
            elif recipe.asset == other.asset or paths.fold(recipe.asset) != paths.fold(other.asset):
                rows = (("first", f"{other.asset} at {self.text.place(other.key)}"),)
                self.faults.add(replace(fault, rows=rows), recipe.asset)
        below = paths.fold(templates) + "/"
        for recipe in recipes if templates else ():
            if paths.fold(recipe.output).startswith(below):
                message = f"output `{recipe.output}` lies in the templates folder"
                self.faults.add(Fault(recipe.key, message), recipe.asset)
