"""The steps that a build has to look at."""

from __future__ import annotations

from collections.abc import Sequence

from flux2build.model import AssetName, Generate
from flux2build.planning.plan import Step


def due_steps(steps: Sequence[Step]) -> dict[AssetName, list[Step]]:
    """Return the steps of each asset with a file that may change; other assets stay as they are.

    A verdict to keep a file depends only on its own inputs, of all that a build changes.
    """
    due, uncertain = dict[AssetName, list[Step]](), set[str]()
    for step in steps:
        recipe = step.recipe
        if step.verdict.reasons or not uncertain.isdisjoint(map(str, recipe.inputs)):
            due[recipe.asset] = []
            uncertain.add(f"output:{recipe.output}")
            if isinstance(recipe.task, Generate):
                uncertain.add(f"asset:{recipe.asset}")
    for step in steps:
        if step.recipe.asset in due:
            due[step.recipe.asset].append(step)
    return due
