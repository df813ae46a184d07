"""Places of a smaller box in a larger one, and aspect ratios."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, get_args

from flux2build.tables.marks import After

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
_RATIO: Final = r"([0-9]+(?:\.[0-9]+)?):([0-9]+(?:\.[0-9]+)?)"


def share(anchor: Anchor) -> tuple[float, float]:
    """How far right and down an anchor is: `(0, 0)` top-left, `(1, 1)` bottom-right."""
    return _SHARES[anchor]


def offset(outer: Size, inner: Size, at: tuple[float, float]) -> tuple[int, int]:
    """The left and top of `inner` in `outer`; `at` is the share of the spare room before it."""
    return round((outer[0] - inner[0]) * at[0]), round((outer[1] - inner[1]) * at[1])


def shape(ratio: str) -> float:
    """Width divided by height of a ratio such as `16:9`.

    Raises:
        ValueError: it is not two positive numbers with a colon between them.
    """
    match = re.fullmatch(_RATIO, ratio)
    if not match or not float(match[1]) or not float(match[2]):
        raise ValueError(f'`{ratio}` is not a ratio; write `"16:9"`')
    return float(match[1]) / float(match[2])


def _checked(ratio: str) -> str:
    shape(ratio)
    return ratio


Ratio = Annotated[str, After(_checked)]
"""A shape as people write it: `16:9`, `1.91:1`."""
