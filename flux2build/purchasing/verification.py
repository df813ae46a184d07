"""Compares what arrived with what was ordered."""

from __future__ import annotations

from collections.abc import Mapping

from flux2build.digest import Json
from flux2build.errors import DecisionError, Problem
from flux2build.images.decode import probe
from flux2build.model import Order, Recipe


def verify_picture(order: Order, recipe: Recipe, data: bytes) -> None:
    """Decode a picture in full and compare it with what was ordered.

    Raises:
        DecisionError: it is whole, but of another size or format than ordered.
        PictureError: it is not a whole picture.
    """
    if wrong := misfits(order.params, data, recipe.output):
        raise _not_what_was_ordered(recipe, *wrong)


def misfits(params: Mapping[str, Json], data: bytes, name: str) -> tuple[tuple[str, str], ...]:
    """What of a picture's size and format is not what was ordered, by name.

    Raises:
        PictureError: it is not a whole picture.
    """
    picture = probe(data, name)
    actual = {"width": picture.width, "height": picture.height, "format": picture.format}
    return tuple(
        (name, f"{value}, ordered {params[name]}")
        for name, value in actual.items()
        if params.get(name) not in (None, value)
    )


def verify_seed(order: Order, recipe: Recipe, seed: int | None) -> None:
    """Compare the seed that the server names, if it names one, with the one that was ordered.

    Raises:
        DecisionError: it rendered with another one.
    """
    ordered = order.params.get("seed")
    if ordered is not None and seed not in (None, ordered):
        raise _not_what_was_ordered(recipe, ("seed", f"{seed}, ordered {ordered}"))


def _not_what_was_ordered(recipe: Recipe, *rows: tuple[str, str]) -> DecisionError:
    return DecisionError(
        Problem(f"the picture of `{recipe.asset}` is not what was ordered", rows=rows)
    )
