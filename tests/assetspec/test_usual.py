"""What `[op.NAME]` says holds for every use of an operation that says nothing else."""

from __future__ import annotations

from typing import Final

import pytest

from tests.assetspec.specs import derived, headlines, read

SPEC: Final = """
[op.text]
font = "brand.ttf"
size = 20

[asset.a]
prompt = "x"
deliver = [
    { path = "1.png", ops = [{ op = "text", text = "one" }] },
    { path = "2.png", ops = [{ op = "text", text = "two", size = 30 }] },
    { path = "3.png", ops = [{ op = "text", text = "{{ asset.name }}", font = "other.ttf" }] },
]
"""
FILES: Final = {"brand.ttf": "", "other.ttf": ""}


def test_a_use_says_otherwise_or_nothing() -> None:
    """The font and the size are everywhere, but where a use has its own."""
    found = derived(read(SPEC, FILES))
    assert {
        path: (task.ops[0].params["size"], str(recipe.inputs[1]))
        for path, (recipe, task) in found.items()
    } == {"1.png": (20, "brand.ttf"), "2.png": (30, "brand.ttf"), "3.png": (20, "other.ttf")}


def test_what_is_usual_is_not_part_of_a_key_of_its_own() -> None:
    """Written at each use instead, it is the same recipe."""
    usual = read(SPEC, FILES)
    each = SPEC.replace('[op.text]\nfont = "brand.ttf"\nsize = 20\n', "")
    each = each.replace('text = "one"', 'text = "one", size = 20, font = "brand.ttf"')
    each = each.replace('text = "two"', 'text = "two", font = "brand.ttf"')
    each = each.replace('font = "other.ttf"', 'size = 20, font = "other.ttf"')
    assert derived(read(each, FILES)).keys() == derived(usual).keys()
    for path, (recipe, task) in derived(read(each, FILES)).items():
        assert (recipe.inputs, task) == (derived(usual)[path][0].inputs, derived(usual)[path][1])


def test_widths_are_no_use_of_an_operation() -> None:
    """What is usual of `resize` is not so of the files in several widths."""
    found = read("""
        [op.resize]
        height = 7
        [asset.a]
        prompt = "x"
        deliver = [{ widths = [32] }]
        """)
    (task,) = (task for _, task in derived(found).values())
    assert task.ops[0].params == {"width": 32}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[op.text]", "[op.txt]", "1:5: unknown operation `txt`"),
        ("size = 20", "sise = 20", "3:1: unknown key `sise`"),
        ("size = 20", 'size = "big"', "3:8: must be a whole number, not a text"),
        ("brand.ttf", "brnd.ttf", "2:8: `brnd.ttf` does not exist"),
        ('font = "brand.ttf"', 'font = "{{ brnd }}.ttf"', "2:12: `brnd` is not defined"),
        ("[op.text]", "[op]\nx = 1\n[op.text]", "2:5: must be a table"),
    ],
)  # fmt: skip
def test_mistakes_stand_where_they_are_written(old: str, new: str, expected: str) -> None:
    """The fault of a usual parameter is reported once, where it is written."""
    wrong = headlines(SPEC.replace(old, new, 1), FILES)
    assert [line for line in wrong if expected in line], wrong
    assert len(wrong) == 1
