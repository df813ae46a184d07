"""Decisions of two people about one picture, combined by a merge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.lockfile.block import Review, ReviewState

_FOR: Final = frozenset({ReviewState.APPROVED, ReviewState.HELD})


def agreed(reviews: Iterable[Review | None], output: Digest | None) -> Review | None:
    """Return the decision about some bytes; `disputed` if decisions contradict each other."""
    about = [each for each in reviews if each is not None and each.sha256 == output]
    if not about:
        return None
    states = {each.state for each in about}
    if len(states) == 1:
        return min(about, key=lambda each: each.at)
    if states <= _FOR:
        return next(each for each in about if each.state is ReviewState.APPROVED)
    note = "; ".join(f"{each.state.value} by {each.by}" for each in sorted(about, key=_order))
    last = max(about, key=lambda each: each.at)
    return replace(last, state=ReviewState.DISPUTED, by="", note=note, extra={})


def _order(review: Review) -> tuple[str, str]:
    return review.state.value, review.by
