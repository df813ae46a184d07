"""No two members of a family ask for the same picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.digest import Json, canonical
from flux2build.model import Asset, AssetName, Derive, Generate, Recipe

_CODE: Final = "same-request"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """Members of a family with equal requests, whose derived files are equal, too.

    Where derived files differ, for example by the text on them, members share a picture on purpose.
    """
    alike: dict[tuple[object, ...], list[Recipe]] = {}
    for recipe in facts.spec.recipes:
        task, asset = recipe.task, facts.spec.assets.get(recipe.asset)
        if isinstance(task, Generate) and asset is not None and asset.axes:
            request: tuple[object, ...] = (
                asset.family,
                task.model,
                task.prompt,
                task.take,
                recipe.inputs,
            )
            alike.setdefault(request, []).append(recipe)
    groups: dict[tuple[object, ...], list[Recipe]] = {}
    derived = _derived(facts) if len(alike) < sum(map(len, alike.values())) else {}
    for request, recipes in alike.items():
        for recipe in recipes if len(recipes) > 1 else ():
            files = tuple(derived.get(recipe.asset, ()))
            params = canonical({**recipe.task.params}) if isinstance(recipe.task, Generate) else ""
            groups.setdefault((*request, params, files), []).append(recipe)
    for recipes in groups.values():
        if len(recipes) > 1:
            assets = [facts.spec.assets[recipe.asset] for recipe in recipes]
            yield facts.about(recipes[1], _CODE, _message(assets), hint=_hint(assets))


def _derived(facts: Facts) -> dict[AssetName, list[str]]:
    """The operations on the pictures of each asset."""
    derived: dict[AssetName, list[str]] = {}
    for recipe in facts.spec.recipes:
        if isinstance(recipe.task, Derive):
            steps: list[Json] = [[op.op, {**op.params}] for op in recipe.task.ops]
            derived.setdefault(recipe.asset, []).append(canonical(steps))
    return derived


def _message(assets: Sequence[Asset]) -> str:
    first, second, *others = (f"`{asset.name}`" for asset in assets)
    more = f" and {len(others)} more" if others else ""
    joined = f"{first}, {second}{more}" if others else f"{first} and {second}"
    return f"{joined} ask for one and the same picture"


def _hint(assets: Sequence[Asset]) -> str:
    """A hint that says how to tell apart members that differ in an axis."""
    axes = [axis for axis in assets[0].axes if len({asset.axes[axis] for asset in assets}) > 1]
    axis = axes[0]
    counted = all(asset.axes[axis].isdigit() and int(asset.axes[axis]) for asset in assets)
    apart = f'`take = "{{{{ {axis} }}}}"`' if counted else f"a prompt that names `{{{{ {axis} }}}}`"
    return f"{apart} tells them apart; `candidates = {len(assets)}` orders as many to pick from"


CHECK: Final[Check] = Check(
    {_CODE: "members of a family ask for the same picture"},
    findings,
    Warnings,
    subject=Subject.SPEC,
)
