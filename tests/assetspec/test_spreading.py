"""One operation may make several files: `slice` without a `cell` gives every frame of a board."""

from __future__ import annotations

from flux2build.assetspec.reader import load
from flux2build.errors import SpecError
from flux2build.model import Derive, Recipe
from tests.assetspec.specs import SHIPPED, tree

BOARD = """
[asset.walk]
prompt = "six poses of a knight in a row"
width = 768
height = 128

[[asset.walk.deliver]]
"""


def files(deliver: str) -> list[Recipe]:
    """What is derived from the board, by what a `deliver` says."""
    spec = load(tree(BOARD + deliver), "assets.toml", None, SHIPPED)
    return [recipe for recipe in spec.recipes if isinstance(recipe.task, Derive)]


def complaints(deliver: str) -> list[str]:
    """What is wrong with a `deliver`."""
    try:
        files(deliver)
    except SpecError as error:
        return [f"{p.place}: {p.message}; {p.hint}" for p in error.problems]
    return []


def test_every_cell_is_a_file_of_its_own() -> None:
    """Six cells are six files, named by cell; each has the key it would have by itself."""
    every = files('ops = [{ op = "slice", columns = 6 }]')
    assert [recipe.output for recipe in every] == [f"walk-{n}.png" for n in range(6)]
    alone = files('path = "x.png"\nops = [{ op = "slice", columns = 6, cell = 4 }]')
    assert [recipe.task for recipe in alone] == [every[4].task]


def test_cells_multiply_with_widths_and_formats() -> None:
    """Two cells in two widths and two formats are eight files, named by all three."""
    made = files(
        'path = "{{ cell }}/{{ width }}.{{ format }}"\nwidths = [32, 64]\n'
        'formats = ["png", "webp"]\nops = [{ op = "slice", columns = 2 }]'
    )
    assert {recipe.output for recipe in made} == {
        f"{cell}/{width}.{form}"
        for cell in (0, 1)
        for width in (32, 64)
        for form in ("png", "webp")
    }
    plain = files('widths = [32]\nops = [{ op = "slice", columns = 2 }]')
    assert [recipe.output for recipe in plain] == ["walk-0-32.png", "walk-1-32.png"]


def test_a_path_can_name_its_cells() -> None:
    """A template turns the number of a cell into a word."""
    made = files(
        """path = "knight-{{ ['idle', 'run'][cell] }}.png"
        ops = [{ op = "slice", columns = 2 }, { op = "key" }]"""
    )
    assert [recipe.output for recipe in made] == ["knight-idle.png", "knight-run.png"]


def test_paths_that_forget_the_cell_are_reported() -> None:
    """Two cells at one path are an error that says what is missing in the path."""
    found = complaints('path = "frame.png"\nops = [{ op = "slice", columns = 2 }]')
    assert len(found) == 1
    assert "two outputs at `frame.png`; let the path say `{{ cell }}`" in found[0]


def test_only_one_operation_spreads() -> None:
    """Slicing every slice has no names for its files."""
    found = complaints('ops = [{ op = "slice", columns = 2 }, { op = "slice", columns = 2 }]')
    assert found == ["assets.toml:7:39: only one operation can make several files; None"]
