"""Completers for the values of options and arguments, chosen by their metavar."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from flux2build.errors import Flux2BuildError
from flux2build.session.common_options import CommonOptions

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

if TYPE_CHECKING:
    from flux2build.assetspec import Spec


def complete_files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete names of files."""
    return [CompletionItem(incomplete, type="file")]


def from_spec(names: Callable[[Spec], Iterable[str]]) -> Completer:
    """A completer of names that the spec has; there are none without a spec."""

    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from flux2build.console.escaping import clean
        from flux2build.session.project import Project

        try:
            known = {*names(Project.open(CommonOptions(file=context.params.get("file"))).spec)}
        except Flux2BuildError:
            return []
        plain = (name for name in sorted(known) if name == clean(name))  # others cannot be typed
        return [CompletionItem(name) for name in plain if name.startswith(incomplete)]

    return complete


COMPLETERS: Final[dict[str, Completer]] = {
    "SELECTION": from_spec(
        lambda spec: (name for each in spec.named.values() for name in (each.name, each.family))
    ),
    "PROFILE": from_spec(lambda spec: spec.profiles),
    "FILE": complete_files,
}
"""Completers by the metavar of the options whose values they complete."""
