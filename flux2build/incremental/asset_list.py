"""What a list shows of assets, found without reading the spec where that is possible."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from flux2build.incremental.brief import Brief, brief
from flux2build.incremental.names_in_brief import Names, UnknownError
from flux2build.model import Asset, AssetName
from flux2build.session.common_options import Choice
from flux2build.session.project import Project


class AssetList(Struct, frozen=True):
    """Some assets, in the order of the spec, and what is known of all."""

    names: Sequence[AssetName]
    states: Mapping[AssetName, Collection[str]]
    outputs: Mapping[AssetName, Sequence[str]]
    assets: Mapping[AssetName, Asset]
    missing: frozenset[AssetName]
    """Those that cannot be made on this machine."""
    empty: bool
    """Whether the spec has no asset."""


def listed(project: Project, choice: Choice) -> AssetList:
    """Return what a list shows of a choice of assets.

    Raises:
        UsageError: the choice names what there is not.
    """
    if choice.plain and (known := brief(project)) and known.base.contents["trace"] is not None:
        with suppress(UnknownError):
            return _in_brief(project, known, choice)
    whole = project.whole
    values, chosen = project.selectable(whole).values, project.chosen(choice)
    return AssetList(
        [name for name in project.spec.named if name in chosen],
        values["state"],
        {name: [*paths] for name, paths in values["path"].items()},
        project.spec.named,
        frozenset(step.recipe.asset for step in whole.steps if step.missing),
        not project.spec.assets,
    )


def _in_brief(project: Project, known: Brief, choice: Choice) -> AssetList:
    """What a list shows after an edit, found without reading the spec."""
    names = Names(known.base, known.plan, known.snapshot)
    field = names.field((*choice.selection, *choice.exclude))
    chosen = project.select(choice.selection, choice.exclude, field)
    return AssetList(
        [name for name in names.assets if name in chosen],
        names.states,
        names.paths,
        names.assets,
        frozenset(step.recipe.asset for step in known.plan.steps if step.missing),
        not any(known.base.members.values()),
    )
