"""Compares pictures with their orders."""

from __future__ import annotations

from collections.abc import Mapping

from flux2build.digest import Json
from flux2build.errors import DecisionError
from flux2build.images.decode import probe


def verify_picture(asset: str, ordered: Mapping[str, Json], data: bytes) -> None:
    """Decode a picture in full and compare it with the parameters of its order.

    Raises:
        DecisionError: it is whole, but of another size or format than ordered.
        PictureError: it is not a whole picture.
    """
    if wrong := misfits(ordered, data, asset):
        raise _not_what_was_ordered(asset, *wrong)


def misfits(ordered: Mapping[str, Json], data: bytes, name: str) -> tuple[tuple[str, str], ...]:
    """The differences between a picture and its order in size and format, by name.

    Raises:
        PictureError: it is not a whole picture.
    """
    picture = probe(data, name)
    actual = {"width": picture.width, "height": picture.height, "format": picture.format}
    return tuple(
        (name, f"{value}, ordered {ordered[name]}")
        for name, value in actual.items()
        if ordered.get(name) not in (None, value)
    )


def verify_seed(asset: str, ordered: Mapping[str, Json], seed: int | None) -> None:
    """Compare the seed that the server names, if any, with the seed of the order.

    Raises:
        DecisionError: the seeds differ.
    """
    if ordered.get("seed") is not None and seed not in (None, ordered["seed"]):
        raise _not_what_was_ordered(asset, ("seed", f"{seed}, ordered {ordered['seed']}"))


def _not_what_was_ordered(asset: str, *rows: tuple[str, str]) -> DecisionError:
    return DecisionError(f"the picture of `{asset}` is not what was ordered", rows=rows)
