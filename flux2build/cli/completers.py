"""Completers for the values of options and arguments, chosen by their metavar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from flux2build.errors import Flux2BuildError
from flux2build.session.common_options import CommonOptions

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

if TYPE_CHECKING:
    from flux2build.assetspec.spec import Spec


def complete_files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete names of files."""
    return [CompletionItem(incomplete, type="file")]


def _from(names: Callable[[click.Context], Iterable[str]]) -> Completer:
    """A completer of names; empty while their source is faulty or missing."""

    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from flux2build.console.escaping import clean

        try:
            all_names = {*names(context)}
        except Flux2BuildError:
            return []
        # Other names cannot be typed.
        plain = (name for name in sorted(all_names) if name == clean(name))
        return [CompletionItem(name) for name in plain if name.startswith(incomplete)]

    return complete


def _spec(context: click.Context) -> Spec:
    from flux2build.session.project import Project

    named = context.params.get("file")
    last = named[-1] if named and not isinstance(named, str) else named
    return Project.open(CommonOptions(file=last or None)).spec


def _selections(context: click.Context) -> Iterator[str]:
    from flux2build.planning.selection import STATES

    spec = _spec(context)
    for asset in spec.named.values():
        yield from (asset.name, asset.family, *(f"tag:{tag}" for tag in asset.tags))
    yield from (f"state:{state}" for state in STATES)


def _codes(_context: click.Context) -> Iterator[str]:
    from flux2build.checks import CHECKS

    for name, check in CHECKS.items():
        yield from (name, *check.codes)


def _orders(_context: click.Context) -> Iterator[str]:
    from flux2build.purchasing import settling
    from flux2build.session.home import user_journal

    return (each.name for each in settling.open_purchases(user_journal().ledger()))


def _presets(_context: click.Context) -> Iterable[str]:
    from flux2build.assetspec.presets import presets

    return presets()


COMPLETERS: Final[dict[str, Completer]] = {
    "SELECTION": _from(_selections),
    "PROFILE": _from(lambda context: _spec(context).profiles),
    "CODES": _from(_codes),
    "ORDER": _from(_orders),
    "PRESET": _from(_presets),
    "FILE": complete_files,
}
"""Completers by the metavar of the options and arguments whose values they complete."""
