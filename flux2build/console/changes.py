"""The changes in a request or a derivation since it was locked, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json, canonical
from flux2build.lockfile import Derived, Generated, LockedInput, Row
from flux2build.model import Derive, Generate
from flux2build.planning.plan import Step

_MARKED: Final = r"(\[-.*?-\]|\{\+.*?\+\})"
_MARKS: Final = {"[-": "red", "{+": "green"}


def changes(step: Step) -> Iterator[tuple[str, str]]:
    """The fields of a request or of a derivation that changed, as name and difference."""
    task, before = step.recipe.task, step.before
    if isinstance(task, Generate) and isinstance(before, Generated):
        yield from _request_changes(task, before)
    elif isinstance(task, Derive) and isinstance(before, Derived):
        yield from _operation_changes(before, task)
        yield from _value_changes(before.encoding, task.encoding)


def row_changes(before: Row | None, after: Row | None) -> Iterator[tuple[str, str]]:
    """The fields in which two locked rows of an output differ, as name and difference."""
    if isinstance(before, Generated) and isinstance(after, Generated):
        yield from _request_changes(after, before)
        if before.take != after.take:
            yield "take", f"{before.take} -> {after.take}"
        yield from _input_changes(before.inputs, after.inputs)
    elif isinstance(before, Derived) and isinstance(after, Derived):
        yield from _operation_changes(before, after)
        yield from _value_changes(before.encoding, after.encoding)


def _input_changes(
    before: Sequence[LockedInput], after: Sequence[LockedInput]
) -> Iterator[tuple[str, str]]:
    """Each image of a request by its position: another one, or the same one with other bytes."""
    for number, (old, new) in enumerate(zip_longest(before, after), 1):
        if old is None or new is None or old.name != new.name:
            names = [each.name if each else None for each in (old, new)]
            yield f"image {number}", " -> ".join(map(value_text, names))
        elif old.sha256 != new.sha256:
            yield f"image {number}", f"{new.name} has other bytes"


def _operation_changes(before: Derived, task: Derive | Derived) -> Iterator[tuple[str, str]]:
    """Changed parameters if the operations are the same ones, else the changed operations."""
    if [op.op for op in before.ops] == [op.op for op in task.ops]:
        for old_op, op in zip(before.ops, task.ops, strict=True):
            for name, change in _value_changes(old_op.params, op.params):
                yield f"{op.op} {name}", change
        return
    old, new = ([operation(op.op, op.params) for op in each.ops] for each in (before, task))
    if len(old) != len(new):
        yield "ops", _in_words(" | ".join(old), " | ".join(new))
    elif changed := [f"{a} -> {b}" for a, b in zip(old, new, strict=True) if a != b]:
        yield "ops", ", ".join(changed)


def _request_changes(task: Generate | Generated, before: Generated) -> Iterator[tuple[str, str]]:
    if task.model != before.model:
        yield "model", f"{before.model} -> {task.model}"
    if task.prompt != before.prompt:
        yield "prompt", _in_words(before.prompt, task.prompt)
    yield from _value_changes(before.params, task.params)


def _in_words(before: str, now: str) -> str:
    from flux2build.console.word_diff import diff, plain

    return plain(diff(before, now), context=6)


def _value_changes(
    before: Mapping[str, Json], now: Mapping[str, Json]
) -> Iterator[tuple[str, str]]:
    for name in sorted({*before, *now}):
        if canonical(before.get(name)) != canonical(now.get(name)):
            yield name, f"{value_text(before.get(name))} -> {value_text(now.get(name))}"


def operation(name: str, params: Mapping[str, Json]) -> str:
    """An operation or an encoding in one line: `resize width=640`."""
    return " ".join([name, *(f"{key}={value_text(params[key])}" for key in sorted(params))])


def value_text(value: Json) -> str:
    """A parameter's value for people; text is shown without quotes."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else canonical(value)


def marked(change: str) -> Text:
    """A word difference with its `[-…-]` red and its `{+…+}` green."""
    parts = re.split(_MARKED, clean(change))
    return Text.assemble(*((part, _MARKS.get(part[:2], "")) for part in parts))
