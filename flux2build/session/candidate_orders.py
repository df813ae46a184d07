"""The candidates of orders, as far as a project knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flux2build.digest import Digest
from flux2build.model import Generate, order_of
from flux2build.planning.candidates import orders
from flux2build.session.project import Project
from flux2build.session.reviewing import pictures

_FURTHER: Final = 16
"""Candidates beyond those of the spec that a reroll may be ordering."""


def numbers(project: Project) -> Mapping[Digest, int]:
    """The numbers of candidates, by their orders.

    Raises:
        Flux2BuildError: the spec or the lock cannot be used.
    """
    blocks = project.lock.blocks.values()
    entered = {each.key: each.number for block in blocks for each in block.candidates}
    return dict(_of_spec(project)) | entered


def _of_spec(project: Project) -> Iterator[tuple[Digest, int]]:
    for picture in pictures(project):
        ready = tuple(digest for digest in picture.inputs if digest is not None)
        if len(ready) < len(picture.inputs):
            continue
        for recipe in orders(picture.recipe, picture.inputs, picture.block, _FURTHER):
            several = picture.recipe.takes or picture.candidates or recipe.candidate > 1
            if several and isinstance(recipe.task, Generate):
                yield order_of(recipe.task, ready).digest, recipe.candidate
