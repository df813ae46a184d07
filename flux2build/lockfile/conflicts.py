"""Git's conflict markers in the text of a lock."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field

_SIGNS: Final = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_MARKER: Final = r"(<{7}|\|{7}|={7}|>{7})(?: .*)?"
_ANY_MARKER: Final = rf"(?m)^{_MARKER}$"


class Side(Struct):
    """One side of a merge: its lines, and their numbers in the conflicted file."""

    lines: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole file in this side's version."""
        return "\n".join(self.lines)


def conflict_line(text: str) -> int | None:
    """The number of the line with the first conflict marker, or None."""
    if not any(text.startswith(sign) or f"\n{sign}" in text for sign in _SIGNS):
        return None
    marker = re.search(_ANY_MARKER, text.replace("\r\n", "\n"))
    return text.count("\n", 0, marker.start()) + 1 if marker else None


def split(text: str) -> tuple[Side, Side]:
    """Split a text with conflict markers into ours and theirs; the base is left out.

    Raises:
        ValueError: the markers are not paired; its argument is the line number.
    """
    ours, theirs, base = Side(), Side(), Side()
    parts = {"": (ours, theirs), "<": (ours,), "|": (base,), "=": (theirs,)}
    follows = {"": "<", "<": "|=", "|": "=", "=": ">"}
    part, number = "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if re.fullmatch(_MARKER, line):
            if line[0] not in follows[part]:
                raise ValueError(number)
            part = "" if line[0] == ">" else line[0]
            continue
        for side in parts[part]:
            side.lines.append(line)
            side.numbers.append(number)
    if part:
        raise ValueError(number)
    return ours, theirs
