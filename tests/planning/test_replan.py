"""A plan that is judged where files have changed is the plan that is judged everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.model import AssetName, Recipe
from flux2build.planning.graph import Graph
from flux2build.planning.plan import Plan, plan
from flux2build.planning.replan import names, replanned
from flux2build.planning.verdict import Action
from tests.laws.test_build_laws import Wanted, built, fresh, specs

BYTES = st.sampled_from([b"brand", b"other", b"", None])
"""What a file may hold afterwards; None if it is removed."""


class SettledPlan:
    """A plan that had nothing to do, in memory."""

    def __init__(self, plan: Plan) -> None:
        self._recipes = [step.recipe for step in plan.steps]
        self.count = len(self._recipes)
        self.pictures: dict[str, Digest] = {}
        self._makers: dict[str, int] = {}
        self._steps: dict[AssetName, list[int]] = {}
        self._users: dict[str, list[int]] = {}
        for place, step in enumerate(plan.steps):
            self._makers |= dict.fromkeys(names(step.recipe), place)
            self._steps.setdefault(step.recipe.asset, []).append(place)
            if step.verdict.bytes is not None:
                self.pictures |= dict.fromkeys(names(step.recipe), step.verdict.bytes)
            for source in step.recipe.inputs:
                self._users.setdefault(str(source), []).append(place)

    def recipe(self, place: int) -> Recipe:
        """Return the recipe of a step."""
        return self._recipes[place]

    def maker(self, name: str) -> int | None:
        """Return the step whose output inputs call so."""
        return self._makers.get(name)

    def steps(self, asset: AssetName) -> Sequence[int]:
        """Return the steps of an asset."""
        return self._steps[asset]

    def users(self, name: str) -> Sequence[int]:
        """Return the steps that have an input of this name."""
        return self._users.get(name, ())


@given(specs(), st.dictionaries(st.integers(0, 60), BYTES, max_size=4))
def test_what_is_not_judged_is_kept(wanted: Wanted, edits: dict[int, bytes | None]) -> None:
    """Whatever becomes of sources and outputs, both plans agree on every step and in every sum."""
    world = fresh()
    built(wanted, world)
    order, before = Graph(wanted.recipes()).ordered, replace(world.look(), metas=wanted.metas())
    settled = SettledPlan(plan(order, before, price))
    paths = ["brand.png", *sorted(world.files)]
    for at, data in edits.items():
        path = paths[at % len(paths)]
        files = world.sources if path in world.sources else world.files
        files.pop(path, None)
        if data is not None:
            files[path] = data
    now = replace(world.look(), metas=wanted.metas())
    changed = [path for path in paths if before.files.get(path) != now.files.get(path)]

    short, whole = replanned(settled, changed, (), now, price), plan(order, now, price)

    judged = {step.recipe.output for step in short.steps}
    assert short.steps == tuple(s for s in whole.steps if s.recipe.output in judged)
    others = [step for step in whole.steps if step.recipe.output not in judged]
    assert all(s.verdict.action is Action.KEEP and not s.verdict.reasons for s in others)
    assert (short.counts, short.low, short.high) == (whole.counts, whole.low, whole.high)
    order_of = [s.recipe.asset for s in whole.steps], [s.recipe.asset for s in short.steps]
    assert [a for a in dict.fromkeys(order_of[0]) if a in order_of[1]] == [
        *dict.fromkeys(order_of[1])
    ]
    assert (short.todo, short.files) == (whole.todo, whole.files)


def price(_: object) -> tuple[Decimal, Decimal]:
    """Everything costs one."""
    return Decimal(1), Decimal(1)
