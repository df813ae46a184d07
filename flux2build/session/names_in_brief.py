"""The assets that plain names select, found without reading the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flux2build.model import AssetName, Source
from flux2build.planning.selection import glob
from flux2build.session.baseline import Baseline
from flux2build.session.common_options import Choice

_PLAIN: Final = re.compile(r"[A-Za-z0-9_*-]+")
"""A glob that neither names a file nor a method, nor what is made from what."""


def is_plain(choice: Choice) -> bool:
    """Whether a choice is one of plain names, or of everything."""
    words = " ".join(choice.selection).split()
    only = choice == Choice(selection=choice.selection)
    return only and all(map(_PLAIN.fullmatch, words)) and bool(words) == bool(choice.selection)


def closure(base: Baseline, choice: Choice) -> frozenset[AssetName] | None:
    """The assets that plain names select, with all that they are made of.

    None if one of them may select anything else, such as a file.
    """
    chosen = set[AssetName]()
    for word in " ".join(choice.selection).split():
        named = set(_named(base, word))
        if not named:
            return None
        chosen |= named
    todo = [*chosen]
    while todo:
        needed = set(_needed(base, todo.pop())) - chosen
        chosen |= needed
        todo += needed
    return frozenset(chosen)


def _named(base: Baseline, word: str) -> Iterator[AssetName]:
    """The assets of which a glob matches the name, or the family."""
    pattern = glob(word)
    for asset in base.assets:
        family, bracket, _ = asset.partition("[")
        if pattern.fullmatch(asset):
            yield asset
        elif bracket and pattern.fullmatch(family):
            keys = (base.recipe(place).key for place in base.steps(asset)[:1])
            if ("asset", family) in (key[:2] for key in keys):  # it is no path of a document
                yield asset


def _needed(base: Baseline, asset: AssetName) -> Iterator[AssetName]:
    for place in base.steps(asset):
        for each in base.recipe(place).inputs:
            if not isinstance(each, Source):
                yield each.asset
