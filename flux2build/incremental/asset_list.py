"""The assets that `list` shows, found without reading the spec if possible."""

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
    """The selected assets, in the order of the spec, and facts about all assets."""

    names: Sequence[AssetName]
    states: Mapping[AssetName, Collection[str]]
    outputs: Mapping[AssetName, Sequence[str]]
    assets: Mapping[AssetName, Asset]
    missing: frozenset[AssetName]
    """The assets that cannot be made on this machine."""
    empty: bool
    """Whether the spec has no asset."""


def listed(project: Project, choice: Choice) -> AssetList:
    """Return the list of a choice of assets.

    Raises:
        UsageError: the choice names something that does not exist.
    """
    if (
        choice.plain
        and (comparison := brief(project))
        and comparison.base.contents["trace"] is not None
    ):
        with suppress(UnknownError):
            return _in_brief(project, comparison, choice)
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


def _in_brief(project: Project, comparison: Brief, choice: Choice) -> AssetList:
    """The list after an edit, found without reading the spec."""
    names = Names(comparison.base, comparison.plan, comparison.snapshot)
    field = names.field((*choice.selection, *choice.exclude))
    chosen = project.select(choice.selection, choice.exclude, field)
    return AssetList(
        [name for name in names.assets if name in chosen],
        names.states,
        names.paths,
        names.assets,
        frozenset(step.recipe.asset for step in comparison.plan.steps if step.missing),
        not any(comparison.base.members.values()),
    )
