"""Sketches are drawn on the colour that `key` makes transparent; nothing else is ordered otherwise."""

from __future__ import annotations

import pytest

from flux2build.assetspec.reader import load
from flux2build.digest import Json
from tests.assetspec.specs import SHIPPED, orders, tree

KEY = '{ op = "key" }'
SLICE = '{ op = "slice", columns = 2 }'


def ground(ops: str, asset: str = "a", provider: str = "sketch") -> dict[str, Json]:
    """What the order of an asset says of its ground, where `a` is delivered through operations."""
    text = f"""
        [defaults]
        provider = "{provider}"
        [asset.other]
        prompt = "a bear"
        [asset.a]
        prompt = "a fox"
        [[asset.a.deliver]]
        path = "a-{{{{ cell | default(0) }}}}.png"
        ops = [{ops}]
        """
    spec = load(tree(text), "assets.toml", None, SHIPPED)
    sent = orders(spec)[asset].params
    return {name: value for name, value in sent.items() if name in {"ground", "framed"}}


@pytest.mark.parametrize(
    ("ops", "asset", "wanted"),
    [
        (KEY, "a", {"ground": "#00ff00"}),
        ('{ op = "key", color = "blue" }', "a", {"ground": "#0000ff"}),
        (f"{SLICE}, {KEY}", "a", {"ground": "#00ff00", "framed": True}),
        (f'{{ op = "grid", sources = [{{ asset = "other" }}], columns = 2 }}, {KEY}', "other", {"ground": "#00ff00"}),
        (f'{{ op = "grid", sources = [{{ asset = "other" }}], columns = 2, board = [2, 1] }}, {KEY}', "other", {"ground": "#00ff00", "framed": True}),
        (f'{{ op = "overlay", source = {{ asset = "other" }} }}, {KEY}', "other", {}),
        (f'{KEY}, {{ op = "grid", sources = [{{ asset = "other" }}], columns = 2 }}', "other", {}),
        (SLICE, "a", {}),
        ("", "a", {}),
    ],
)  # fmt: skip
def test_what_becomes_transparent_is_the_ground(
    ops: str, asset: str, wanted: dict[str, Json]
) -> None:
    """All pictures that a keyed one consists of have the ground; what is laid over it has none."""
    assert wanted == ground(ops, asset)


def test_what_is_bought_is_not_told() -> None:
    """A prompt alone says what a paid picture's ground is, so that nothing is bought again."""
    assert not ground(KEY, provider="bfl")
