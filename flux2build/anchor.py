"""Where a smaller box lies in a larger one: the nine anchors."""

from __future__ import annotations

from typing import Final, Literal, get_args

Anchor = Literal[
    "top-left",
    "top",
    "top-right",
    "left",
    "center",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
]

Size = tuple[int, int]

_SHARES: Final[dict[str, tuple[float, float]]] = {
    name: (index % 3 / 2, index // 3 / 2) for index, name in enumerate(get_args(Anchor))
}


def share(anchor: Anchor) -> tuple[float, float]:
    """How far right and down an anchor is: `(0, 0)` top-left, `(1, 1)` bottom-right."""
    return _SHARES[anchor]


def offset(outer: Size, inner: Size, at: tuple[float, float]) -> tuple[int, int]:
    """The left and top of `inner` in `outer`, with the spare room split as `at` says."""
    return round((outer[0] - inner[0]) * at[0]), round((outer[1] - inner[1]) * at[1])
