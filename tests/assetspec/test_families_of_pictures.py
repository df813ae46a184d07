"""A list of pictures may name a family, which stands for all of its members."""

from __future__ import annotations

from typing import Final

import pytest

from flux2build.errors import SpecError
from flux2build.images.ops.contract import InputIndex
from flux2build.images.ops.grid import Grid
from flux2build.model import Derive, Recipe
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

SPEC: Final = """
[asset.icon]
prompt = "an icon: {{ name }}"
matrix = { name = ["home", "go & stop"] }

[asset.mark]
source = "mark.png"

[asset.sheet]
source = "board.png"
[[asset.sheet.deliver]]
path = "icons.png"
ops = [{ op = "grid", columns = 4, sources = SOURCES }]
"""


def recipe(site: Site, sources: str) -> Recipe:
    """The recipe of the sheet."""
    site.write("assets.toml", SPEC.replace("SOURCES", sources))
    site.draw("mark.png")
    site.draw("board.png")
    recipes = Project.open(CommonOptions()).spec.recipes
    return next(each for each in recipes if each.output == "icons.png")


@pytest.mark.parametrize(
    ("sources", "cells"),
    [
        ('[{ family = "icon" }]', ["asset:icon[name=home]", "asset:icon[name=go-stop]"]),
        (
            '["mark.png", { family = "icon" }, { asset = "mark" }]',
            ["mark.png", "asset:icon[name=home]", "asset:icon[name=go-stop]", "mark.png"],
        ),
        ('[{ family = "mark" }]', ["mark.png"]),
    ],
)
def test_a_family_stands_for_its_members(empty: Site, sources: str, cells: list[str]) -> None:
    """Members come in the order of the family, between whatever else is listed; files come as files."""
    sheet = recipe(empty, sources)

    assert isinstance(sheet.task, Derive)
    listed = Grid.model_validate(dict(sheet.task.ops[0].params)).sources
    places = [one.input for one in listed if isinstance(one, InputIndex)]
    assert [str(sheet.inputs[place]) for place in places] == cells


def test_a_family_that_does_not_exist(empty: Site) -> None:
    """The nearest name is a hint, as for an asset."""
    with pytest.raises(SpecError) as caught:
        recipe(empty, '[{ family = "icn" }]')

    (problem,) = caught.value.problems
    assert problem.message == "there is no asset `icn`"
    assert problem.hint == "did you mean `icon`?"
    assert str(problem.place) == "assets.toml:13:58"


def test_families_of_pictures_are_bounded(empty: Site) -> None:
    """Many sheets of a family are many pictures, however few lines ask for them."""
    recipe(empty, '[{ family = "icon" }]')
    many = [str(number) for number in range(3000)]
    empty.edit("assets.toml", "[asset.sheet]\n", f"[asset.sheet]\nmatrix = {{ n = {many} }}\n")
    empty.edit("assets.toml", "icons.png", "icons-{{ n }}.png")

    assert "too many pictures and files" in empty.run("plan").err
