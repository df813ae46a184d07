"""What has changed since the lock was written: field by field, prompts word by word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from flux2build.console.changes import changes
from flux2build.model import Derive, Operation, Recipe
from flux2build.planning.plan import Step, plan
from tests.snapshots import deliverable, derived, generated, locked, master, snapshot

FOX = master("fox", "a red fox", width=64, seed=7)
FOX_ROW = generated(FOX)
CUT = deliverable("fox", "img/fox.webp")
LOCK = locked((FOX, FOX_ROW), (CUT, derived(CUT, [FOX_ROW.output.sha256])))


def free(_: Recipe) -> tuple[Decimal, Decimal]:
    """A price of nothing."""
    return (Decimal(0), Decimal(0))


def changed(recipe: Recipe = FOX, **fields: Any) -> Recipe:
    """A recipe with some fields of its task changed."""
    return replace(recipe, task=replace(recipe.task, **fields))


def step(recipe: Recipe) -> Step:
    """The step of a plan for a recipe that was changed after it was locked."""
    recipes = [recipe] if recipe.kind == FOX.kind else [FOX, recipe]
    return plan(recipes, snapshot(LOCK), free).steps[-1]


def test_changes_of_a_request() -> None:
    """Every field that changed, the prompt word by word."""
    task = changed(model="m2", prompt="a blue fox", params={"width": 80, "steps": 9, "name": "x"})

    assert list(changes(step(task))) == [
        ("model", "m -> m2"),
        ("prompt", "a [-red-]{+blue+} fox"),
        ("name", "none -> x"),
        ("seed", "7 -> none"),
        ("steps", "none -> 9"),
        ("width", "64 -> 80"),
    ]


def test_changes_of_a_derivation() -> None:
    """Operations that changed, and the encoding, field by field."""
    task = CUT.task
    assert isinstance(task, Derive)
    other = changed(CUT, ops=(Operation("crop", 1, {"size": 9}),), encoding={"format": "avif"})
    more = changed(CUT, ops=(*task.ops, Operation("blur", 1, {})))

    assert list(changes(step(other))) == [("crop size", "32 -> 9"), ("format", "webp -> avif")]
    assert list(changes(step(more))) == [("ops", "crop size=32{+ | blur+}")]


def test_nothing_changed() -> None:
    """What is new, or kept, has no changed fields."""
    new = plan([FOX, CUT], snapshot(), free)
    kept = plan([FOX, CUT], snapshot(LOCK), free)

    assert [list(changes(step)) for step in (*new.steps, *kept.steps)] == [[]] * 4
