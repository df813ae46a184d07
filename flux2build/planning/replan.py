"""Updates a plan after a few files have changed, and judges only steps that may differ."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol

from flux2build.digest import Digest
from flux2build.model import AssetName, Generate, Recipe
from flux2build.planning.plan import Plan, Planner, Pricer, Step
from flux2build.planning.snapshot import Snapshot


class Settled(Protocol):
    """A plan that had nothing to do; its steps are numbered in build order."""

    @property
    def count(self) -> int:
        """The number of steps."""

    @property
    def pictures(self) -> Mapping[str, Digest]:
        """The digest of every existing output, by its name as an input."""

    def recipe(self, place: int) -> Recipe:
        """Return the recipe of a step."""

    def maker(self, name: str) -> int | None:
        """Return the step whose output has this name as an input."""

    def steps(self, asset: AssetName) -> Sequence[int]:
        """Return the steps of an asset."""

    def users(self, name: str) -> Sequence[int]:
        """Return the steps that have an input of this name."""


def replanned(
    settled: Settled,
    changed: Iterable[str],
    others: Iterable[int],
    snapshot: Snapshot,
    price: Pricer,
) -> Plan:
    """Return the plan after files and the recipes of `others` have changed.

    It has only those steps that had to be judged.

    A verdict to keep a file depends only on the recipe, the locked row, the file, and the bytes of
    the inputs. So a step without changed files, and without inputs that may come out different, is
    kept. If one step of an asset is judged, all of them are: assets are shown in the order of their
    first steps, and the published files of an asset depend on all of its steps.
    """
    planner = Planner(snapshot, price, settled.pictures)
    places = [*others, *_concerned(settled, changed)]
    heapify(places)
    steps, several = dict[int, Step](), dict[int, list[Step]]()
    while places:
        if (place := heappop(places)) in steps:
            continue
        *several[place], steps[place] = planner.steps(settled.recipe(place))
        step = steps[place]
        for name in names(step.recipe):
            if step.verdict.bytes != settled.pictures.get(name):
                for user in settled.users(name):
                    heappush(places, user)
    assets = {step.recipe.asset for step in steps.values()}
    for place in {at for asset in assets for at in settled.steps(asset)} - steps.keys():
        steps[place] = planner.step(settled.recipe(place))
    judged = (each for at in sorted(steps) for each in (*several.get(at, ()), steps[at]))
    return Plan(snapshot.profile, tuple(judged), kept=settled.count - len(steps))


def planned_alone(
    settled: Settled, assets: Iterable[AssetName], snapshot: Snapshot, price: Pricer
) -> Plan:
    """Return the plan of some assets, judged by themselves; it has all of their steps."""
    planner = Planner(snapshot, price, settled.pictures)
    places = sorted(place for asset in assets for place in settled.steps(asset))
    steps = (step for place in places for step in planner.steps(settled.recipe(place)))
    return Plan(snapshot.profile, tuple(steps))


def judged_again(before: Plan, due: Container[AssetName], planner: Planner) -> Plan:
    """Return a plan after a build; steps that were not due are kept as before."""
    steps = list[Step]()
    for step in before.steps:
        if step.recipe.asset not in due:
            planner.keep(step)
            steps.append(step)
        elif (again := planner.step(step.recipe)).drift or not again.recipe.candidate:
            steps.append(again)
    return Plan(before.profile, tuple(steps))


def _concerned(settled: Settled, changed: Iterable[str]) -> Iterator[int]:
    """The steps that make or use files, some of them more than once."""
    for path in changed:
        yield from settled.users(path)
        if (place := settled.maker(f"output:{path}")) is not None:
            yield place


def names(recipe: Recipe) -> Iterator[str]:
    """The names of a recipe's output as an input."""
    yield f"output:{recipe.output}"
    if isinstance(recipe.task, Generate):
        yield f"asset:{recipe.asset}"
