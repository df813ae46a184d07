"""An entry of `refs` may stand for several references, or for none."""

from __future__ import annotations

from typing import Final

import pytest

from tests.assetspec.specs import headlines, read

FILES: Final[dict[str, str | bytes]] = {
    "p.csv": "sku,shots,side\nA,a.png| b.png|,\nB,,c.png\n",
    "a.png": b"",
    "b.png": b"",
    "c.png": b"",
}
SPEC: Final = """
[asset.shot]
rows = { file = "p.csv", key = "sku", split = { shots = "|" } }
prompt = "a cup"
refs = REFS
"""


def inputs(refs: str) -> list[list[str]]:
    """The references of each member."""
    recipes = read(SPEC.replace("REFS", refs), FILES).recipes
    return [[str(each) for each in recipe.inputs] for recipe in recipes]


@pytest.mark.parametrize(
    ("refs", "found"),
    [
        ('["{{ row.shots | default([]) }}"]', [["a.png", "b.png"], []]),
        ('"{{ row.shots | default([]) }}"', [["a.png", "b.png"], []]),
        ('"c.png"', [["c.png"], ["c.png"]]),
        ("['c.png', '{{ row.shots | default([]) }}']", [["c.png", "a.png", "b.png"], ["c.png"]]),
        ("['{{ row.side | default(\"\") }}', 'a.png']", [["a.png"], ["c.png", "a.png"]]),
        ("['{% if row.sku == \"A\" %}a.png{% endif %}']", [["a.png"], []]),
        ("['{{ row.sku | lower }}.png']", [["a.png"], ["b.png"]]),
        ("['{{ \"a.png\" }}']", [["a.png"], ["a.png"]]),
    ],
)
def test_the_number_of_references_follows_the_row(refs: str, found: list[list[str]]) -> None:
    """A list stands for its items without blanks; a value that is not a template stands for itself."""
    assert inputs(refs) == found


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        ('["{{ row.shots }}"]', "column `shots` is blank in p.csv line 3"),
        ('["{{ row.shot }}"]', "p.csv has no column `shot`"),
        ('[""]', "the path is empty"),
        ("[\"{{ ['a.png', 'd.png'] }}\"]", "`d.png`"),
    ],
)
def test_nothing_is_left_out_by_mistake(refs: str, said: str) -> None:
    """A blank cell, a column that is not there and a file that is missing are mistakes."""
    assert any(said in line for line in headlines(SPEC.replace("REFS", refs), FILES))
