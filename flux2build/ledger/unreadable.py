"""The problems about the lines of a journal that this flux2build cannot read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flux2build.errors import Place, Problem
from flux2build.ledger.lines import ranges

RECOVER: Final = (
    "bring it back from a backup; if there is none, `flux2build orders recover` shows what can be "
    "rebuilt"
)


def problems(
    path: str, damage: Sequence[tuple[int, str]], newer: Sequence[int]
) -> tuple[Problem, ...]:
    """A problem for the damaged lines of a journal, and one for those of a newer flux2build."""
    faults = []
    if damage:
        first, why = damage[0]
        faults.append(
            Problem(
                f"the journal of orders is damaged: {why}; nothing is bought until it is settled",
                Place(path, first),
                rows=(("lines", ranges(number for number, _ in damage)),),
                hint=RECOVER,
            )
        )
    if newer:
        faults.append(
            Problem(
                "the journal of orders has entries of a newer flux2build, which this one "
                "cannot read; nothing is bought with it",
                Place(path, newer[0]),
                rows=(("lines", ranges(newer)),),
                hint="build with the newest flux2build",
            )
        )
    return tuple(faults)
