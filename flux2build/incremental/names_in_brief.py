"""The assets that names select, found without reading the spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from flux2build.errors import UsageError
from flux2build.incremental.baseline import Baseline
from flux2build.model import Asset, AssetName, Source
from flux2build.planning.selection import Field, select
from flux2build.session.common_options import Choice

_MEMBER: Final = r"[A-Za-z0-9_-]+\[[^\]]+\]"


def closure(base: Baseline, choice: Choice) -> frozenset[AssetName] | None:
    """The assets that names select, with all that they are made of; None as `selected` says."""
    chosen = selected(base, choice, _assets(base))
    if chosen is None:
        return None
    return chosen.union(*(_reached(name, lambda each: _needed(base, each)) for name in chosen))


def named(base: Baseline, words: Sequence[str]) -> frozenset[AssetName] | None:
    """The assets that words select; None if that is not known."""
    choice = Choice(tuple(words))
    return selected(base, choice, _assets(base)) if choice.plain else None


def _assets(base: Baseline) -> Mapping[AssetName, Asset]:
    return {name: Asset(name, _family(name), {}) for name in base.assets}


def selected(
    base: Baseline, choice: Choice, assets: Mapping[AssetName, Asset]
) -> frozenset[AssetName] | None:
    """The assets that names select.

    None if one of them may select anything else, such as a file, or members by some of their axes.
    """
    members = re.findall(_MEMBER, " ".join((*choice.selection, *choice.exclude)))
    if not {*members} <= assets.keys():
        return None
    try:
        return select(choice.selection, choice.exclude, _field(base, assets))
    except UsageError:
        return None


def _field(base: Baseline, assets: Mapping[AssetName, Asset]) -> Field:
    """What can be selected by names."""
    return Field(
        assets,
        {"path": {}},
        lambda name: _reached(name, lambda each: _needed(base, each)),
        lambda name: _reached(name, lambda each: _using(base, each)),
        {},
        lambda _path: False,
    )


def _family(name: AssetName) -> str:
    """The family of an asset; a document is called by its path, and has none."""
    return name if "/" in name else name.partition("[")[0]


def _reached(
    start: AssetName, nearest: Callable[[AssetName], Iterable[AssetName]]
) -> Mapping[AssetName, int]:
    """The assets that one leads to, each with its distance."""
    distances, todo = {start: 0}, [start]
    for name in todo:
        for each in nearest(name):
            if each not in distances:
                distances[each] = distances[name] + 1
                todo.append(each)
    return distances


def _needed(base: Baseline, asset: AssetName) -> set[AssetName]:
    """The assets that one is made of."""
    inputs = (each for place in base.steps(asset) for each in base.recipe(place).inputs)
    return {each.asset for each in inputs if not isinstance(each, Source)}


def _using(base: Baseline, asset: AssetName) -> set[AssetName]:
    """The assets that are made of one."""
    outputs = [f"output:{base.recipe(place).output}" for place in base.steps(asset)]
    users = (place for name in (f"asset:{asset}", *outputs) for place in base.users(name))
    return {base.recipe(place).asset for place in users}
