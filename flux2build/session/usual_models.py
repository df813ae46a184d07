"""Suggests how to keep a picture that was ordered when a profile's provider chose the model."""

from __future__ import annotations

from flux2build.assetspec.spec import Spec
from flux2build.lockfile import Generated
from flux2build.model import Generate
from flux2build.planning.plan import Step
from flux2build.planning.reason import ReasonCode
from flux2build.planning.verdict import Action
from flux2build.providers import PROVIDERS


def note(step: Step, spec: Spec) -> str | None:
    """The line that keeps the picture of a step; None if its model is not that of the provider.

    A profile with a provider but no model once used the provider's usual model. Now it uses the
    asset's model, which makes another picture.
    """
    task, before = step.recipe.task, step.before
    changed = step.verdict.action is Action.RENDER and step.verdict.due_to(ReasonCode.MODEL_CHANGED)
    if not changed or not isinstance(task, Generate) or not isinstance(before, Generated):
        return None
    usual = PROVIDERS[task.provider].default_model
    profiles = spec.text.data.get("profile")
    table = profiles.get(spec.profile) if isinstance(profiles, dict) else None
    alone = isinstance(table, dict) and "provider" in table and "model" not in table
    if not alone or before.renamed.model != usual:
        return None
    return f'`model = "{usual}"` in `[profile.{spec.profile}]` keeps the picture that was ordered'
