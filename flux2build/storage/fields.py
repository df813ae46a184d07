"""A table in flux2build's own folder, whose fields are read when they are needed.

It has two files: the whole table as it was once written, and the later changes. The second file
names the first one that it continues, so that it is ignored beside another one. Both are sealed.
"""

from __future__ import annotations

import marshal
import time
from collections.abc import Iterator, Mapping, MutableMapping
from itertools import compress, islice
from operator import is_, is_not
from pathlib import Path
from typing import Any, Final

from flux2build.storage import sealed

_SMALLER: Final = 4
"""Changes are written separately while they are this many times smaller than the table."""
_FEW: Final = 100
"""Up to this number of items, each one is compared, however many differ."""
_FORMAT: Final = "fields 2"

Edit = tuple[bool, Any]
"""Another value; or, after `True`, the edits of some of its items, by key or place."""


class _Writing:
    """A table as it was once written."""

    def __init__(self, number: int, texts: Mapping[str, bytes], values: dict[str, Any]) -> None:
        self.number, self.values, self.size = number, values, sum(map(len, texts.values()))
        self._texts = {field: text for field, text in texts.items() if field not in values}
        """The fields that were not asked for."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields."""
        return (*self.values, *self._texts)

    def value(self, field: str) -> Any:
        """Return the value of a field."""
        if field in self._texts:
            self.values[field] = marshal.loads(self._texts.pop(field))  # noqa: S302 - sealed
        return self.values[field]


class Fields(MutableMapping[str, Any]):
    """A table; the values of its fields are replaced, never mutated."""

    def __init__(
        self,
        values: Mapping[str, Any],
        edits: Mapping[str, Edit] | None = None,
        written: _Writing | None = None,
    ) -> None:
        self._values, self._edits, self._written = {**values}, edits or {}, written

    def __getitem__(self, field: str) -> Any:
        """Return the value of a field."""
        if field not in self._values:
            if self._written is None:
                raise KeyError(field)
            value, edit = self._written.value(field), self._edits.get(field)
            self._values[field] = value if edit is None else _edited(value, edit)
        return self._values[field]

    def __setitem__(self, field: str, value: Any) -> None:
        """Give a field another value."""
        self._values[field] = value

    def __delitem__(self, field: str) -> None:
        """Refuse to forget a field."""
        raise TypeError(field)

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._values if self._written is None else self._written.fields)

    def __len__(self) -> int:
        """How many fields there are."""
        return sum(1 for _ in self)

    def copy(self) -> Fields:
        """Return a copy of the table, whose fields can be replaced."""
        return Fields(self._values, self._edits, self._written)

    def keep(self, folder: Path, name: str) -> None:
        """Write it under a name; errors of the disk are ignored.

        Raises:
            ValueError: it holds other values than plain data.
        """
        if self._written is not None:
            edits = self._all_edits(self._written)
            changes = marshal.dumps((self._written.number, edits))
            if len(changes) * _SMALLER < self._written.size:
                self._edits = edits
                sealed.write(folder, _changes(name), changes)
                return
        values, number = {field: self[field] for field in self}, time.time_ns()
        texts = {field: marshal.dumps(value) for field, value in values.items()}
        head = marshal.dumps((_FORMAT, number, [*values]))
        sealed.write_parts(folder, name, (head, *texts.values()))
        self._edits, self._written = {}, _Writing(number, texts, values)

    def _all_edits(self, written: _Writing) -> dict[str, Edit]:
        """The differences from the written table."""
        before = written.values
        edits = {
            field: _edit(before.get(field), value)
            for field, value in self._values.items()
            if field in self._edits or field not in before or value is not before[field]
        }
        return {**self._edits, **edits}


def load(folder: Path, name: str) -> Fields | None:
    """Return the table under a name; None if there is no trustworthy one."""
    head, *texts = sealed.read_parts(folder, name) or [b""]
    match marshal.loads(head) if head else None:  # noqa: S302 - sealed
        case format_, number, names if format_ == _FORMAT:
            written = _Writing(number, dict(zip(names, texts, strict=True)), {})
        case _:
            return None
    match sealed.load(folder, _changes(name)):
        case int(continued), dict(edits) if continued == number:
            return Fields({}, edits, written)
        case _:
            return Fields({}, {}, written)


def _changes(name: str) -> str:
    return f"{name}-changes"


def _edit(before: Any, now: Any) -> Edit:
    """The edit that turns one value into another; items that are the same object are equal."""
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
    """The edited copy of a value."""
    of_items, items = edit
    if not of_items:
        return items
    if isinstance(value, dict):
        return {**value, **{key: _edited(value.get(key), each) for key, each in items.items()}}
    edited = [*value]
    for place, each in items.items():
        edited[place : place + 1] = [_edited(None, each)]
    return edited
