"""Prompts: Jinja in a sandbox, deterministic, strict about names, and bounded."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from flux2build.assetspec.prompts import bounds, skeleton
from flux2build.assetspec.prompts.bounds import Budget, Meter, OverBoundError
from flux2build.assetspec.prompts.fault import RAISED, TemplateFault
from flux2build.assetspec.prompts.skeleton import Skeleton
from flux2build.errors import SpecError, brief
from flux2build.storage import paths, whereabouts
from flux2build.storage.project_files import MEBIBYTE, Kind, ProjectFiles
from flux2build.storage.text_files import decoded, refuse_conflict

if TYPE_CHECKING:
    from jinja2 import Template

    from flux2build.assetspec.prompts.sandbox import Sandbox

__all__ = ["Prompts", "TemplateFault", "is_template"]

LARGEST_SOURCE: Final = 256 * 1024

Scope = Mapping[str, object]
"""The values that a template can name."""
Complete = Callable[[Scope], Scope]
_Fill = Callable[[Iterable[str]], Iterator[str]]


def is_template(text: str) -> bool:
    """Whether Jinja would change a text; most texts have no markup."""
    return "{{" in text or "{%" in text or "{#" in text


class Prompts:
    """The templates of a project, compiled once each."""

    def __init__(self, tree: ProjectFiles, folder: str) -> None:
        self._tree = tree
        self._folder = folder
        self.sources: list[str] = []
        """The texts of the template files that were read."""
        self.budget = Budget()
        """What all of them may still do."""
        self.used: dict[str, dict[str, None]] = {}
        """The templates that were read, each with the assets whose texts did; all other texts have no name."""
        self._reader = ""
        """The asset of the text that is rendered."""
        self._inline: dict[str, Template] = {}
        self._files: dict[str, tuple[str, str, None]] = {}
        self._bones = lru_cache(maxsize=1024)(_skeleton)

    @cached_property
    def _sandbox(self) -> Sandbox:
        from flux2build.assetspec.prompts.sandbox import Sandbox

        return Sandbox(self._source, self.budget, self._note)

    def text(self, source: str, scope: Scope, complete: Complete = dict) -> str:
        """An inline source, rendered; a `TemplateFault` has its line, or an included template's.

        A `complete` scope also has rarely used names, such as the function that translates.
        """
        if not is_template(source):
            return self.whole(_plain(source))
        bones = self._bones(source)
        if bones is None:
            return self._rendered(lambda: self._compiled(source), complete(scope))
        return self._short(bones, scope) or self._rendered(
            lambda: self._compiled(bones.template), complete(scope), bones.filled
        )

    def _short(self, bones: Skeleton, scope: Scope) -> str | None:
        """The counted rendering of a skeleton of lookups; None or empty if it needs Jinja."""
        text = bones.put_together(scope)
        if not text or not self.budget.small(len(bones.texts)):
            return None
        try:
            return self.whole(text)
        except TemplateFault:
            return None

    def file(self, name: str, scope: Scope, complete: Complete = dict) -> str:
        """A template file by its path below the folder, rendered; a `TemplateFault` has a line.

        Like inline sources, most files do not need Jinja, or share a skeleton. Jinja renders the
        others, and knows the place of every fault.
        """
        self._reader = _reader(scope)
        self._note(name)
        source = self._simple(name)
        if source is not None and not is_template(source):
            return self.whole(_plain(source))
        bones = None if source is None else self._bones(source)
        if bones is not None:
            with suppress(TemplateFault):
                return self._short(bones, scope) or self._rendered(
                    lambda: self._compiled(bones.template), complete(scope), bones.filled
                )
        return self._rendered(lambda: self._sandbox.get_template(name), complete(scope))

    def _simple(self, name: str) -> str | None:
        """The text of a template file; None if it cannot be read."""
        try:
            with Meter(bounds.is_value, self.budget) as meter:
                source = self._source(name, meter)
        except RAISED:
            return None
        return source[0] if source else None

    def whole(self, text: str) -> str:
        """A text of the spec that is not too long, counted with all others.

        Raises:
            TemplateFault: it has surrogates, or one text or all together are too long.
        """
        try:
            return self.budget.written(_whole(text))
        except OverBoundError as fault:
            raise TemplateFault(str(fault)) from None

    def _compiled(self, source: str) -> Template:
        if source not in self._inline:
            _check_size(source)
            self._inline[source] = self._sandbox.from_string(source)
        return self._inline[source]

    def _rendered(self, find: Callable[[], Template], scope: Scope, fill: _Fill = iter) -> str:
        from flux2build.assetspec.prompts.faults import CAUGHT, explained

        self._reader = _reader(scope)
        try:
            with self._sandbox.metered():
                template = find()
                pieces = template.root_render_func(template.new_context(dict(scope)))
                return self.budget.written(_joined(fill(pieces)))
        except CAUGHT as fault:
            raise explained(fault, scope, self._nearby) from None

    def _note(self, name: str) -> None:
        self.used.setdefault(name, {})[self._reader] = None

    def users(self) -> Mapping[str, Mapping[str, None]]:
        """The assets whose texts are made of each template, by its path."""
        users: dict[str, dict[str, None]] = {}
        for name, assets in self.used.items():
            users.setdefault(self.path(name), {}).update(assets)
        if "_sandbox" in vars(self):
            self._pass_on(users)
        return users

    def _pass_on(self, users: dict[str, dict[str, None]]) -> None:
        """Pass the assets of templates that are evaluated once on to the templates they use."""
        pending = list(self._sandbox.modules)
        while pending:
            parent = pending.pop()
            assets = users.get(self.path(parent), {})
            for child in self._sandbox.reached.get(parent, ()):
                users_of_child = users.get(self.path(child))
                if users_of_child is not None and not assets.keys() <= users_of_child.keys():
                    users_of_child.update(assets)
                    pending.append(child)

    def _source(self, name: str, meter: Meter | None = None) -> tuple[str, str, None] | None:
        """The text and the path of a template; None if there is none. Jinja's loader has a meter."""
        if name in self._files:
            return self._files[name]
        if not isinstance(name, str):
            raise TemplateFault("the name of a template must be a text")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            hint = f"a template is named by its path below `{self._folder}`"
            raise TemplateFault(f"`{brief(name)}` leads out of the templates folder", hint=hint)
        path = paths.join(self._folder, name)
        meter = meter or self._sandbox.meter
        meter.work(bounds.LOOKING)
        kind = self._tree.kind(path)
        if kind is Kind.OUTSIDE:
            raise TemplateFault(f"template `{brief(path)}` lies outside the project")
        if kind is not Kind.FILE or not whereabouts.is_spelled(self._tree, path):
            return None
        text = _read(self._tree, path)
        meter.work(len(text) // 256)
        _check_size(text, path)
        self.sources.append(text)
        self._files[name] = text, path, None
        return self._files[name]

    def files(self) -> Iterator[tuple[str, str]]:
        """The path and the text of each template that was read."""
        return ((path, text) for text, path, _ in self._files.values())

    def path(self, name: str) -> str:
        """The path of a template."""
        return paths.join(self._folder, name)

    def _nearby(self, name: str) -> str:
        """A hint for the name of a missing template."""
        near = whereabouts.nearest_file(self._tree, paths.join(self._folder, name))
        if near is None:
            return f"templates are looked up in `{self._folder}`"
        if near.startswith(f"{self._folder}/"):
            return f"did you mean `{near.removeprefix(f'{self._folder}/')}`?"
        if self._tree.kind(self._folder) is Kind.MISSING:
            folder = posixpath.dirname(near) or "."
            return (
                f'there is no folder `{self._folder}`: set `templates = "{folder}"` in `[project]`'
            )
        return f"templates are looked up in `{self._folder}`; move `{near}` there"


def _reader(scope: Scope) -> str:
    """The asset that a text belongs to; empty if it does not belong to one."""
    asset = scope.get("asset")
    return str(asset["name"]) if isinstance(asset, Mapping) else ""


def _skeleton(source: str) -> Skeleton | None:
    return skeleton.of(_plain(source))


def _check_size(source: str, path: str | None = None) -> None:
    if len(source) > LARGEST_SOURCE:
        raise TemplateFault("the template is larger than 256 KiB", 1, path)


def _read(tree: ProjectFiles, path: str) -> str:
    try:
        text = decoded(tree.read(path, MEBIBYTE), path)
        refuse_conflict(text, path)
    except SpecError as error:
        (problem,) = error.problems
        line = problem.place.line if problem.place else 0
        raise TemplateFault(problem.message, line, path, problem.hint) from None
    return text


def _plain(source: str) -> str:
    """A source with the line ends that Jinja would give it."""
    if "\r" not in source:
        return source.removesuffix("\n")
    return source.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def _joined(pieces: Iterable[str]) -> str:
    """The output of a template, joined piece by piece, so that an excess is stopped early."""
    joined: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        joined.append(piece if length <= bounds.LONGEST_TEXT else _too_long())
    return _whole("".join(joined))


def _whole(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as fault:
        letter = f"U+{ord(text[fault.start]):04X}"
        raise TemplateFault(f"half a character ({letter}) in the prompt") from None
    return text if size <= bounds.LONGEST_TEXT else _too_long()


def _too_long() -> str:
    hint = "models read 32K tokens at most; look for a loop that repeats itself"
    raise TemplateFault("the prompt is longer than 256 KiB", hint=hint)
