"""Prompts: Jinja in a sandbox, deterministic, strict about names, bounded in every direction."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flux2build.digest import Json, canonical
from flux2build.tree import Tree


class TemplateFault(Exception):  # noqa: N818 - it is caught and turned into a SpecError with a place
    """A template that cannot be rendered: what, on which line, of which file (None: inline)."""

    def __init__(
        self, message: str, line: int = 0, template: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.template = template
        self.hint = hint
        self.key: tuple[str | int, ...] = ()
        """Where in a structured prompt the faulty text stands."""


class Prompts:
    """The templates of a project, compiled once each."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree = tree
        self._folder = folder
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)

    def text(self, source: str, scope: Mapping[str, object]) -> str:
        """An inline source, rendered."""
        return self._environment.from_string(source).render(scope)

    def file(self, name: str, scope: Mapping[str, object]) -> str:
        """A template file, rendered; the name is a path below the templates folder."""
        path = f"{self._folder}/{name}"
        return self.text(self._tree.read(path).decode(), scope)

    def table(self, value: Json, scope: Mapping[str, object]) -> str:
        """A structured prompt: each text in it rendered, then canonical JSON."""
        return canonical(self._leaves(value, scope))

    def _leaves(self, value: Json, scope: Mapping[str, object]) -> Json:
        if isinstance(value, str):
            return self.text(value, scope)
        if isinstance(value, Mapping):
            return {key: self._leaves(item, scope) for key, item in value.items()}
        if isinstance(value, list):
            return [self._leaves(item, scope) for item in value]
        return value
