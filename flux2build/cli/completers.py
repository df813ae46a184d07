"""Completers for the values of options and arguments, chosen by their metavar."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import CompletionItem

from flux2build.errors import Flux2BuildError
from flux2build.session.common_options import CommonOptions


def complete_assets(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete names of assets and families; there are none without a spec."""
    return _starting(incomplete, _asset_names(context.params.get("file")))


def complete_profiles(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the profiles of the spec; there are none without a spec."""
    return _starting(incomplete, _profile_names(context.params.get("file")))


def complete_files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete names of files."""
    return [CompletionItem(incomplete, type="file")]


def _starting(incomplete: str, names: set[str]) -> list[CompletionItem]:
    from flux2build.console.escaping import clean

    plain = (name for name in sorted(names) if name == clean(name))  # others cannot be typed
    return [CompletionItem(name) for name in plain if name.startswith(incomplete)]


def _asset_names(file: str | None) -> set[str]:
    from flux2build.session.project import Project

    try:
        assets = Project.open(CommonOptions(file=file)).spec.named.values()
    except Flux2BuildError:
        return set()
    return {str(name) for asset in assets for name in (asset.name, asset.family)}


def _profile_names(file: str | None) -> set[str]:
    from flux2build.session.project import Project

    try:
        return set(Project.open(CommonOptions(file=file)).spec.profiles)
    except Flux2BuildError:
        return set()


COMPLETERS: Final = {
    "SELECTION": complete_assets,
    "PROFILE": complete_profiles,
    "FILE": complete_files,
}
"""Completers by the metavar of the options whose values they complete."""
