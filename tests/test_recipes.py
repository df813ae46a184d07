"""Each recipe of docs/recipes.md works as it stands, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Site

PAGE: Final = Path(__file__).parents[1] / "docs" / "recipes.md"
FILE: Final = re.compile(r"^```\w+\n--- (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES: Final = PAGE.read_text("utf-8").split("\n## ")[1:]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.partition("\n")[0])
def test_recipe(recipe: str, empty: Site) -> None:
    """Its files make pictures and texts, and `check` has nothing to say of them afterwards."""
    for name, text in FILE.findall(recipe):
        empty.write(name, text)

    built = empty.run("build", "-q")
    assert (built.code, built.err) == (0, "")
    checked = empty.run("check", "--strict")
    assert checked.code == 0, checked.out
    assert checked.out.startswith("Up to date")
