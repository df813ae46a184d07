"""A picture that a provider's usual model has drawn, and what keeps it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flux2build.assetspec.reader import load
from flux2build.model import Generate
from flux2build.planning.plan import Step
from flux2build.planning.verdict import judge
from flux2build.session import usual_models
from tests.assetspec.specs import SHIPPED, tree
from tests.snapshots import generated, locked, snapshot

KEEPS = '`model = "flux-2-pro"` in `[profile.final]` keeps the picture that was ordered'


@pytest.mark.parametrize(
    ("profile", "model", "expected"),
    [
        ('provider = "bfl"', "flux-2-pro", KEEPS),
        ('provider = "bfl"', "black-forest-labs/flux-2-pro", KEEPS),
        ('provider = "bfl"', "flux-2-flex", None),
        ('provider = "bfl"\nmodel = "flux-2-max"', "flux-2-pro", None),
        ("seed = 7", "flux-2-pro", None),
    ],
)
def test_a_profile_that_had_the_usual_model(profile: str, model: str, expected: str | None) -> None:
    """The plan says which line keeps what was bought when a provider alone chose the model."""
    asset = '[asset.fox]\nprompt = "a fox"\nprovider = "bfl"\nmodel = "flux-2-max"\n'
    text = f"{asset}[profile.final]\n{profile}\n"
    spec = load(tree(text), "assets.toml", "final", SHIPPED)
    (recipe,) = spec.recipes
    assert isinstance(recipe.task, Generate)
    row = generated(replace(recipe, task=replace(recipe.task, model=model)), ())
    seen = replace(snapshot(locked((recipe, row), profile="final")), profile="final")

    step = Step(recipe, judge(recipe, (), seen), row)

    assert usual_models.note(step, spec) == expected
