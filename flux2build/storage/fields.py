"""A table that is kept in flux2build's own folder, of which each field is read when it is asked for.

It lies in two files: all of it as it was once written, and what is different by now. The second says
which writing it continues, so that it counts for nothing beside another one. Both are sealed.
"""

from __future__ import annotations

import marshal
import time
from collections.abc import Iterator, Mapping, MutableMapping
from itertools import accumulate, compress, islice, pairwise
from operator import is_, is_not
from pathlib import Path
from typing import Any, Final

from flux2build.storage import sealed

_SMALLER: Final = 4
"""What is different is written by itself while it is so many times smaller than all of it."""

_FEW: Final = 100
"""Up to so many items, each is compared by itself, however many differ."""
_FORMAT: Final = b"fields1\n"
_HEAD: Final = len(_FORMAT) + 8
"""Bytes of the format, and of the number that says how long the head is."""

Edit = tuple[bool, Any]
"""Another value; or, after a true, the edits of some of its items, by key or place."""


class Fields(MutableMapping[str, Any]):
    """A table; what its fields hold is replaced by other values, and never changed itself."""

    def __init__(
        self,
        fields: Mapping[str, Any],
        written: Mapping[str, bytes | memoryview] | None = None,
        edits: Mapping[str, Edit] | None = None,
        number: int = 0,
    ) -> None:
        self._known, self._written, self._edits = {**fields}, written or {}, edits or {}
        self._number = number
        """Which writing it is, of which the edits are."""
        self._before: dict[str, Any] = {}
        """The values, as they were written, of the fields that were asked for."""

    def __getitem__(self, field: str) -> Any:
        """Return the value of a field."""
        if field not in self._known:
            if field not in self._before:
                self._before[field] = marshal.loads(self._written[field])  # noqa: S302 - sealed
            value, edit = self._before[field], self._edits.get(field)
            self._known[field] = value if edit is None else _edited(value, edit)
        return self._known[field]

    def __setitem__(self, field: str, value: Any) -> None:
        """Give a field another value."""
        self._known[field] = value

    def __delitem__(self, field: str) -> None:
        """Refuse to forget a field."""
        raise TypeError(field)

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._written or self._known)

    def __len__(self) -> int:
        """How many fields there are."""
        return len(self._written or self._known)

    def copy(self) -> Fields:
        """Return the same table, of which each field may be given another value."""
        again = Fields(self._known, self._written, self._edits, self._number)
        again._before = self._before
        return again

    def keep(self, folder: Path, name: str) -> None:
        """Keep it under a name; a disk that cannot be written to is left alone.

        Raises:
            ValueError: it holds something beside plain data.
        """
        edits = self._all_edits()
        changes = marshal.dumps((self._number, edits))
        if len(changes) * _SMALLER < sum(map(len, self._written.values())):
            self._edits = edits
            sealed.write(folder, _changes(name), changes)
            return
        written = {field: marshal.dumps(self[field]) for field in self}
        self._written, self._before, self._edits = written, {**self._known}, {}
        self._number = time.time_ns()
        sealed.write(folder, name, _packed(self._number, written))

    def _all_edits(self) -> dict[str, Edit]:
        """What is different from what was written."""
        known = {
            field: _edit(self._before.get(field), value)
            for field, value in self._known.items()
            if field in self._edits or field not in self._before or value is not self._before[field]
        }
        return {**self._edits, **known}


def load(folder: Path, name: str) -> Fields | None:
    """Return the table that was kept under a name; None if there is none that can be trusted."""
    body = sealed.read(folder, name)
    if body is None or bytes(body[: len(_FORMAT)]) != _FORMAT:
        return None
    number, written = _unpacked(body)
    match sealed.load(folder, _changes(name)):
        case int(continued), dict(edits) if continued == number:
            return Fields({}, written, edits, number)
        case _:
            return Fields({}, written, {}, number)


def _packed(number: int, written: Mapping[str, bytes]) -> bytes:
    """The fields in one text, behind the place at which each ends."""
    ends = [*accumulate(map(len, written.values()))]
    head = marshal.dumps((number, dict(zip(written, ends, strict=True))))
    return b"".join((_FORMAT, len(head).to_bytes(8, "big"), head, *written.values()))


def _unpacked(body: memoryview) -> tuple[int, dict[str, memoryview]]:
    start = _HEAD + int.from_bytes(body[len(_FORMAT) : _HEAD], "big")
    number, ends = marshal.loads(body[_HEAD:start])  # noqa: S302 - sealed
    text, bounds = body[start:], pairwise((0, *ends.values()))
    return number, {field: text[at:end] for field, (at, end) in zip(ends, bounds, strict=True)}


def _changes(name: str) -> str:
    return f"{name}-changes"


def _edit(before: Any, now: Any) -> Edit:
    """What makes one value of another; items that are the same objects are equal."""
    places: list[Any] = []
    if type(before) is type(now) is dict and len(before) <= len(now):
        if not all(map(is_, before, now)):
            return False, now  # another order
        others = compress(before, map(is_not, before.values(), now.values()))
        places = [*others, *islice(now, len(before), None)]
    elif type(before) is type(now) is list and len(before) <= len(now):
        others = compress(range(len(before)), map(is_not, before, now))
        places = [*others, *range(len(before), len(now))]
    else:
        return False, now
    if _FEW < 2 * len(places) > len(now):
        return False, now
    inside = before if isinstance(before, dict) else {}
    return True, {at: _edit(inside.get(at), now[at]) for at in places}


def _edited(value: Any, edit: Edit) -> Any:
    """The value that an edit makes of another one, which is left as it is."""
    of_items, items = edit
    if not of_items:
        return items
    if isinstance(value, dict):
        return {**value, **{key: _edited(value.get(key), each) for key, each in items.items()}}
    edited = [*value]
    for place, each in items.items():
        edited[place : place + 1] = [_edited(None, each)]
    return edited
