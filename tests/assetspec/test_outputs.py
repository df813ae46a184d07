"""One file to a path."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec.outputs import collisions, format_of
from flux2build.model import AssetName, Derive, Recipe
from flux2build.storage import paths

PATHS = st.sampled_from(
    ["a.png", "A.png", "b.png", "e\u0301.png", "é.png", "a.png/b.png", "d/a.png"]
)


@given(st.lists(PATHS, max_size=6), st.sets(PATHS, max_size=2))
def test_without_collisions_every_output_is_a_file_of_its_own(
    outputs: list[str], taken: set[str]
) -> None:
    """Nothing is reported exactly when no path, folded, is another's, taken, or inside another."""
    recipes = [
        Recipe(AssetName(f"x{n}"), Derive((), {}), (), path) for n, path in enumerate(outputs)
    ]
    folded = [paths.fold(path) for path in outputs]
    busy = {paths.fold(path) for path in taken}
    free = [path for path in folded if path not in busy]
    apart = len(set(folded)) == len(folded) and len(free) == len(folded)
    flat = not {posixpath.dirname(path) for path in free} & set(free)

    found = list(collisions(recipes, {path: f"the source `{path}`" for path in busy}, {}))

    assert (not found) == (apart and flat)


def test_endings() -> None:
    """An ending stands for its format, in any case."""
    assert [format_of(path) for path in ("a.JPG", "a.jpeg", "x/a.webp", "a.gif", "a")] == [
        "jpeg",
        "jpeg",
        "webp",
        None,
        None,
    ]
