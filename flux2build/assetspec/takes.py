"""The takes of a request, of which a person picks one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.errors import brief
from flux2build.model import Generate, Key
from flux2build.providers.capabilities import FREE, Card

_DIGITS: Final = r"[0-9]{1,18}"


class Candidates(Struct, frozen=True):
    """The takes of a request to order, of which a person picks one."""

    count: int = 1
    seeds: tuple[int, ...] = ()
    """The seed of each; empty if the provider draws them."""

    def of(self, task: Generate) -> tuple[Generate, ...]:
        """The orders of all candidates of a request, at least one."""
        if self.count == 1 and not self.seeds:
            return (task,)
        if self.seeds:
            return tuple(task.varied(task.take, seed) for seed in self.seeds)
        takes = range(task.take, task.take + self.count)
        return tuple(task.varied(take, None) for take in takes)


def read(settings: MergedSettings, card: Card) -> Candidates:
    """How many candidates the settings ask for; `FaultyError` if they would be one picture."""
    count, seeds = settings.get("candidates"), settings.get("seeds")
    if count is not None and seeds is not None:
        message = "`candidates` and `seeds` exclude each other"
        raise FaultyError(Fault(settings.key("seeds"), message, hint="keep one of them"))
    if seeds is not None and settings.rank("seed") == settings.rank("seeds"):
        message = "`seed` and `seeds` exclude each other"
        raise FaultyError(Fault(settings.key("seed"), message, hint="keep one of them"))
    if seeds is not None:
        return Candidates(len(seeds), _seeds(settings, seeds, card))
    seeded = "seed" in card.params and settings.peek("seed") is not None
    if count is not None and count > 1 and seeded and card.price != FREE:
        message = f"`candidates = {count}` sends the same {count} times: `seed` is fixed"
        hint = "write `seeds = [1, 2, …]` instead, or take `seed` away"
        raise FaultyError(Fault(settings.key("candidates"), message, hint=hint, name=True))
    return Candidates(count or 1)


def _seeds(settings: MergedSettings, seeds: Sequence[int], card: Card) -> tuple[int, ...]:
    """The seeds of candidates, if all are valid and distinct."""
    key = settings.key("seeds")
    if "seed" not in card.params:
        message = f"model `{card.model}` has no `seed`"
        raise FaultyError(Fault(key, message, hint="say how many in `candidates`", name=True))
    low, high = card.ranges.get("seed", (0, float("inf")))
    for at, seed in enumerate(seeds):
        if not low <= seed <= high:
            message = f"`seed` of `{card.model}` goes from {low:.12g} to {high:.12g}"
            raise FaultyError(Fault((*key, at), message))
        if seed in seeds[:at]:
            message = f"{seed} is there already; the same seed gives the same picture"
            raise FaultyError(Fault((*key, at), message))
    return tuple(seeds)


def number(text: str, name: str, key: Key, card: Card) -> int:
    """The number from a template of `seed` or `take`; `FaultyError` if it is not a number."""
    digits = text.strip()
    if not re.fullmatch(_DIGITS, digits):
        message = f"`{name}` comes to `{brief(digits, 40)}`, which is not a whole number"
        raise FaultyError(Fault(key, message, template=True))
    low, high = card.ranges.get(name, (int(name == "take"), float("inf")))
    if not low <= int(digits) <= high:
        message = f"`{name}` comes to {digits}, and goes from {low:.12g} to {high:.12g}"
        raise FaultyError(Fault(key, message, template=True))
    return int(digits)
