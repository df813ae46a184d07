"""The settings, the spec and its graph, each read at most once."""

from __future__ import annotations

import json
import os
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.assetspec.capabilities import Capabilities
from flux2build.checks import CHECKS
from flux2build.errors import Problem, SpecError
from flux2build.images import limits
from flux2build.images.limits import PixelLimits
from flux2build.model import AssetName, Derive, Generate, Recipe, Source, Write
from flux2build.planning.quotes import Quotes, masters
from flux2build.planning.soundness import Judged, Look, Soundness
from flux2build.providers.capabilities import Card
from flux2build.providers.cards import Models
from flux2build.providers.pricing import Size
from flux2build.session.common_options import CommonOptions
from flux2build.session.settings import UserSettings
from flux2build.session.settings import files as settings_files
from flux2build.session.settings import read as read_settings
from flux2build.storage.disk import DiskFiles, root_of
from flux2build.storage.index import JUDGED, Index
from flux2build.storage.paths import fold

if TYPE_CHECKING:
    from flux2build.assetspec.spec import Spec
    from flux2build.planning.graph import Graph
    from flux2build.planning.preflight import Preflight
    from flux2build.session.image_models import ImageModels
    from flux2build.session.local_models import LocalModels

_LOCAL: Final = "local"
"""The provider with the user's own models."""
_LONGEST_CIRCLE: Final = 12
_MOST_JUDGED: Final = 10_000
"""The most pictures, and the most derivations, to remember; they take a megabyte in the index."""


class Watched(Struct, frozen=True):
    """The files and folders that `watch` watches."""

    files: frozenset[Path]
    listed: frozenset[Path]
    """Folders in which every other file matters, because they were listed."""
    written: frozenset[Path]
    """The files that a build writes, which do not matter."""


class Sources(Struct, frozen=True, eq=False, dict=True):
    """One reading of a spec and all it depends on.

    Each part is read when it is first asked for, and does not change afterwards.
    To see later edits, make another reading.
    """

    options: CommonOptions
    folder: Path
    file: str
    """The spec's name in the folder."""

    @property
    def lock_path(self) -> Path:
        """`assets.lock`, beside the spec and named like it."""
        return self.folder / Path(self.file).with_suffix(".lock").name

    @cached_property
    def settings(self) -> UserSettings:
        """The settings of the user: keys, endpoints and own prices.

        Raises:
            UsageError: the configuration or the `--env-file` cannot be used.
        """
        _ = self.settings_states
        settings = read_settings(self.options.env_file)
        limits.use(settings.pixels)
        return settings

    @cached_property
    def settings_states(self) -> Mapping[str, str]:
        """The state of every file of the settings in the index, before the files were read."""
        index = Index(str(self.folder))
        return {str(path): index.state(str(path)) for path in settings_files(self.options.env_file)}

    @cached_property
    def capabilities(self) -> Capabilities:
        """The models, checks and operations that the spec may use."""
        own = self.settings
        models = Models(own.cards, own.cards_file, self._installed)
        installed = frozenset({_LOCAL})
        return Capabilities(
            models,
            CHECKS,
            installed=installed,
            ordered_as=self._ordered_as,
            lora=self._lora,
            weights=self._weigh,
        )

    @cached_property
    def local_models(self) -> LocalModels:
        """The open weights of this machine."""
        # Lazy: only a spec that asks for them needs to know how weights are read.
        from flux2build.session.local_models import LocalModels

        return LocalModels(self.settings.local, self.settings.written, self.lock_path)

    @cached_property
    def image_models(self) -> ImageModels:
        """The networks of this machine that operations use."""
        # Lazy: likewise.
        from flux2build.session.image_models import ImageModels

        return ImageModels(self.local_models)

    @property
    def weights(self) -> Index | None:
        """The states of the weights in the names of orders; None if there are none."""
        return self.local_models.index if "local_models" in vars(self) else None

    def missing(self, task: Generate | Derive | Write) -> Iterable[str]:
        """The parts that this machine lacks for a task, with what to do about them."""
        if isinstance(task, Generate) and task.provider == _LOCAL:
            return self.local_models.missing(task)
        if not isinstance(task, Derive):
            return ()
        from flux2build.images.ops.contract import NetworkOp

        ops = self.capabilities.ops
        networks = any(issubclass(ops[each.op], NetworkOp) for each in task.ops)
        return self.image_models.missing(task.ops) if networks else ()

    def _installed(self, provider: str) -> Mapping[str, Card] | None:
        return self.local_models if provider == _LOCAL else None

    def _lora(self, name: str) -> str:
        return self.local_models.lora(name)

    def _weigh(self, op: str, model: str) -> str:
        return self.image_models.weigh(op, model)

    def _ordered_as(self, provider: str, model: str) -> str:
        return self.local_models.ordered_as(model) if provider == _LOCAL else model

    @cached_property
    def tree(self) -> DiskFiles:
        """The project's files, as the spec may read them."""
        return DiskFiles(self.folder, root_of(self.folder))

    @cached_property
    def index(self) -> Index:
        """The stat cache beside the spec."""
        return Index.load(str(self.folder))

    @cached_property
    def spec(self) -> Spec:
        """The spec, resolved.

        Raises:
            SpecError: with all problems of the spec.
        """
        spec = self._spec_of(self.options.profile)
        self.spec_files.update(self.tree.asked)
        return spec

    @cached_property
    def spec_files(self) -> dict[str, str]:
        """The dependencies of the spec: the digest of each file that was read, or a path's kind."""
        return {}

    def _spec_of(self, profile: str | None) -> Spec:
        from flux2build.assetspec.reader import load

        spec = load(self.tree, self.file, profile, self.capabilities)
        if problems := list(self._overwriting(spec)):
            raise SpecError(*problems)
        return spec

    def _overwriting(self, spec: Spec) -> Iterator[Problem]:
        """Problems of outputs that would overwrite a file of the spec through a linked folder."""
        leads: dict[str, str | None] = {}
        for recipe in spec.recipes:
            folder, name = posixpath.split(recipe.output)
            if folder not in leads:
                real = self.tree.real(posixpath.join(folder, "-"))
                leads[folder] = None if real is None else posixpath.dirname(real)
            real = leads[folder]
            if real is None or real == folder:
                continue
            if what := spec.keeps(posixpath.join(real, name)):
                message = f"output `{recipe.output}` would overwrite {what}, through a link"
                problem = Problem(message, hint="let the output folder be a folder of its own")
                yield spec.located(problem, recipe.key)

    @cached_property
    def graph(self) -> Graph:
        """The graph of assets and their inputs.

        Raises:
            SpecError: assets need each other in a circle.
        """
        from flux2build.planning.graph import Graph

        graph = Graph(self.spec.recipes)
        if circle := graph.cycle:
            names = [f"`{name}`" for name in circle]
            if len(names) > _LONGEST_CIRCLE:
                names[5:-5] = [f"{len(names) - 10:,} more"]
            path = " -> ".join(names)
            problem = Problem(
                f"assets need each other in a circle: {path}",
                hint="take one of these references away",
            )
            raise SpecError(self.spec.located(problem, self.spec.assets[circle[0]].key))
        return graph

    @cached_property
    def quotes(self) -> Quotes:
        """Quotes the costs of orders, and prepares their references."""
        cards, size = self.capabilities.cards, self.soundness.size
        return Quotes(cards, self.sizes, self.tree.read, size)

    @cached_property
    def sizes(self) -> Mapping[AssetName, Size]:
        """The sizes at which masters are ordered."""
        return masters(self.spec.recipes)

    @cached_property
    def soundness(self) -> Soundness:
        """Decides whether the inputs of recipes can be used."""
        read, digest = self.tree.read, self.index.digest
        return Soundness(self.capabilities.ops, read, digest, self.judged, side_by_side)

    @cached_property
    def preflight(self) -> Preflight:
        """Decides whether files can be derived."""
        from flux2build.planning.preflight import Preflight

        able = self.capabilities
        return Preflight(able.ops, able.documents, self.soundness, self.sizes, self.judged)

    @property
    def judged_under(self) -> str:
        """The key of the judgements in the index, which depend on the limits of pixels."""
        own = self.settings.pixels
        return JUDGED if own == PixelLimits() else f"{JUDGED} {own}"

    @cached_property
    def judged(self) -> Judged:
        """The pictures that an earlier command found sound, and the derivations that it tried."""
        sizes, feasible = json.loads(self.index.answer(self.judged_under) or "[{}, []]")
        sound = {digest: (width, height) for digest, (width, height) in sizes.items()}
        return Judged(sound, dict.fromkeys(feasible))

    def keep_judged(self) -> None:
        """Store the sound pictures and derivations, so that the next plan need not judge them again."""
        if (judged := self.judged).learned:
            sound = dict(list(judged.sound.items())[-_MOST_JUDGED:])
            feasible = list(judged.feasible)[-_MOST_JUDGED:]
            self.index.remember(self.judged_under, json.dumps([sound, feasible]), [])
            self.index.save()

    @cached_property
    def paths(self) -> frozenset[str]:
        """The source files that recipes use."""
        inputs = (source for recipe in self.spec.recipes for source in recipe.inputs)
        return frozenset(source.path for source in inputs if isinstance(source, Source))

    def kept(self, path: str) -> str | None:
        """The role of a file in the project, unless it is an output; None for any other path."""
        if (what := self.spec.keeps(path)) is not None:
            return what
        if (real := self.tree.real(path)) is None:
            return "a link, or outside the project"
        if self.tree.same(path, self.spec.kept):
            return "a file of the spec by another name"
        written_or_read = chain.from_iterable(
            self._wanted.get(fold(name), {}).items() for name in (path, real)
        )
        for each, what in written_or_read:
            if each == path:
                return what or None
            # The disk says whether two spellings are one file; some tell cases apart.
            if each == real or self.tree.same(path, (each,)):
                return f"{what or 'an output'}, `{each}`"
        return self.spec.keeps(real)

    @cached_property
    def _wanted(self) -> dict[str, dict[str, str]]:
        """The paths that are written in any profile, or read in another one, by the folded path.

        An output of this profile has an empty description.
        """
        paths: dict[str, dict[str, str]] = defaultdict(dict)
        for recipe in self.spec.recipes:
            paths[fold(recipe.output)][recipe.output] = ""
        for name, recipes in self.other_profiles(set(self.spec.wanted_profiles)):
            for recipe in recipes:
                of_profile = f"an output of the profile `{name}`"
                paths[fold(recipe.output)].setdefault(recipe.output, of_profile)
                for source in recipe.inputs:
                    if isinstance(source, Source):
                        paths[fold(source.path)][source.path] = f"a source of the profile `{name}`"
        return paths

    def other_profiles(self, names: set[str]) -> Iterator[tuple[str, Sequence[Recipe]]]:
        """The recipes of some other profiles, as far as they can be read."""
        from flux2build.planning.graph import Graph

        for name in sorted(names & set(self.spec.wanted_profiles) - {self.spec.profile}):
            with suppress(SpecError):
                graph = Graph(self._spec_of(name).recipes)
                yield name, () if graph.cycle else graph.ordered

    def watched(self) -> Watched:
        """Every file that was read or searched for, except those that a build writes.

        The outputs of a spec that cannot be read are unknown, so none are left out.
        """
        watched = self.of_asked(
            self.tree.asked, self.below_output() if "spec" in vars(self) else set()
        )
        settings = settings_files(self.options.env_file)
        return replace(watched, files=watched.files.union(settings))

    def of_asked(self, asked: Iterable[str], written: Iterable[str]) -> Watched:
        """Some files that were read or searched for, except those that a build writes."""
        outputs = frozenset({self.lock_path, *(self.folder / path for path in written)})
        paths = {path: Path(os.path.normpath(self.folder / path)) for path in asked}
        listed = frozenset(folder for path, folder in paths.items() if path.endswith("/"))
        return Watched(frozenset(paths.values()) - outputs, listed, outputs)

    def below_output(self) -> set[str]:
        """Outputs and their folders, whose former states do not matter because a build writes them."""
        outputs = {recipe.output for recipe in self.spec.recipes}
        return outputs | above(outputs)


def above(outputs: Iterable[str]) -> set[str]:
    """Return the folders of files, up to the spec's."""
    folders = map(PurePosixPath, {path.rpartition("/")[0] for path in outputs})
    return {str(each) for path in folders for each in (path, *path.parents)}


def side_by_side(look: Look, paths: Sequence[str]) -> Mapping[str, Size | Problem | None]:
    """Look at each path, in threads on all cores."""
    from flux2build.storage.many_files import in_threads

    return in_threads(look, paths)
