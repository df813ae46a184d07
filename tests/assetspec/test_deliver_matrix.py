"""A deliverable's own matrix makes files, and never pictures."""

from __future__ import annotations

import math
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.assetspec.specs import derived, headlines, orders, read

SPEC: Final = """
[asset.ad]
prompt = "a night train"
matrix = { theme = ["day", "night"] }

[[asset.ad.deliver]]
matrix = { size = ["300x250", "728x90"], locale = ["de", "ar"] }
path = "{{ theme }}/{{ size }}-{{ locale }}.png"
ops = [
    { op = "crop", ratio = "{{ size | replace('x', ':') }}" },
    { op = "resize", width = "{{ size.split('x')[0] }}" },
    { op = "text", text = "{{ locale }} {{ theme }}" },
]
"""
VALUES: Final = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)


def test_one_picture_and_many_files() -> None:
    """Two themes are rendered; two sizes in two locales of each are derived."""
    found = read(SPEC)
    assert set(orders(found)) == {"ad[theme=day]", "ad[theme=night]"}
    assert len(derived(found)) == 8
    recipe, task = derived(found)["night/728x90-ar.png"]
    assert recipe.asset == "ad[theme=night]"
    assert [dict(op.params) for op in task.ops] == [
        {"ratio": "728:90", "anchor": "center"},
        {"width": 728},
        {"text": "ar night", "size": 10},
    ]


@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), VALUES))
def test_files_are_the_product_of_all_axes(axes: dict[str, list[str]]) -> None:
    """Whatever the axes, one order leads to one file for each combination, under its own name."""
    matrix = ", ".join(f"{axis} = {values}" for axis, values in axes.items())
    found = read(
        f'[asset.a]\nprompt = "x"\ndeliver = [{{ matrix = {{ {matrix} }}, formats = ["webp"] }}]'
    )
    assert len(orders(found)) == 1
    assert len(derived(found)) == math.prod(map(len, axes.values()))


def test_another_asset_is_met_at_the_same_point() -> None:
    """An overlay that has the file's locale as its axis is the member of that locale."""
    found = read(
        """
        [asset.badge]
        source = "badge-{{ locale }}.png"
        matrix = { locale = ["de", "ar"] }
        [asset.ad]
        prompt = "a night train"
        [[asset.ad.deliver]]
        matrix = { locale = ["de", "ar"] }
        ops = [{ op = "overlay", source = { asset = "badge" } }]
        """,
        {"badge-de.png": "", "badge-ar.png": ""},
    )
    recipe, _ = derived(found)["ad-ar.png"]
    assert [str(one) for one in recipe.inputs] == ["asset:ad", "badge-ar.png"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('size = ["300x250"', 'theme = ["300x250"', "6:12: `theme` is an axis of the asset already"),
        ('size = ["300x250"', 'width = ["300x250"', "`width` has a meaning of its own"),
        ('["de", "ar"]', "[]", "axis `locale` has no values"),
        ('["de", "ar"]', '["de", "DE"]', "value `DE` is the same as `de`"),
        ('["de", "ar"]', '[".."]', "value `..` starts with"),
        ("-{{ locale }}", "", "two outputs at `day/300x250.png`"),
        ("{{ size.split('x')[0] }}", "wide", "must be"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, expected: str) -> None:
    """They are those of an asset's matrix, at their own place."""
    assert old in SPEC
    assert expected in "\n".join(headlines(SPEC.replace(old, new)))
