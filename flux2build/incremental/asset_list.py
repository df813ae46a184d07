"""What a list shows of assets, found without reading the spec where that is possible."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from flux2build.incremental.baseline import Baseline
from flux2build.incremental.brief import Brief, brief
from flux2build.incremental.names_in_brief import selected
from flux2build.lockfile.parts import Parts
from flux2build.model import Asset, AssetName
from flux2build.planning.selection import field_of
from flux2build.session.approval import with_decisions
from flux2build.session.common_options import Choice
from flux2build.session.project import Project

_OUTPUT = "output:"


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
    """Return what a list shows of a choice of assets."""
    if choice.plain and (known := brief(project)) and (assets := _in_brief(known, choice)):
        return assets
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


def _in_brief(known: Brief, choice: Choice) -> AssetList | None:
    """What a list shows after an edit; None if the spec must be read to know it."""
    base, plan, blocks = known.base, known.plan, known.snapshot.lock.blocks
    if base.contents["trace"] is None or not (isinstance(blocks, Parts) and blocks.canonical):
        return None
    assets = {each.name: each for each in _assets(base)}
    chosen = selected(base, choice, assets)
    if chosen is None:
        return None
    field = field_of(plan, assets, lambda _: {}, lambda _: {})
    states = {name: {"current"} for name in base.assets}
    states |= {name: {*each} for name, each in field.values["state"].items()}
    for orphan in plan.orphans:
        if orphan.asset in states:
            states[orphan.asset].add("orphan")
    return AssetList(
        [name for name in assets if name in chosen],
        with_decisions(states, blocks.reviewed(), base.profile, known.snapshot.reviewed),
        _outputs(base),
        assets,
        frozenset(step.recipe.asset for step in plan.steps if step.missing),
        not any(base.members.values()),
    )


def _assets(base: Baseline) -> Iterator[Asset]:
    """What a list shows of each asset; then the documents about many of them."""
    declared = set[str]()
    for family, names in base.members.items():
        declared.update(names)
        for name in names:
            tags, source = base.contents["tags"].get(name, ()), base.contents["drawn"].get(name)
            yield Asset(AssetName(name), family, {}, tuple(tags), source=source)
    for name in base.assets:
        if name not in declared:
            yield Asset(name, str(name), {})


def _outputs(base: Baseline) -> Mapping[AssetName, Sequence[str]]:
    """The paths of each asset's files, in the order of building."""
    makers = base.contents["makers"].items()
    paths = {
        place: name.removeprefix(_OUTPUT) for name, place in makers if name.startswith(_OUTPUT)
    }
    return {name: [paths[place] for place in base.steps(name)] for name in base.assets}
