"""Finds the fields of an operation that name inputs, which its model marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from flux2build.images.ops.contract import InputMark, Op
from flux2build.model import Key, Operation
from flux2build.tables.table import Table

Replace = Callable[[InputMark, Any, Key], Any]
"""A function from a marked field's mark, value and place to its new value."""


def pictures(operation: Operation, op: type[Op]) -> Iterator[int]:
    """The indices of the inputs that an operation of a recipe shows."""
    indices: list[int] = []

    def note(mark: InputMark, value: Any, _: Key) -> Any:
        if mark.picture and isinstance(value, Mapping):
            indices.append(value["input"])
        return value

    replaced(op, operation.params, note)
    yield from indices


def replaced(
    model: type[Table], value: Mapping[str, Any], replace: Replace, key: Key = ()
) -> dict[str, Any]:
    """Dumped parameters with other values in their marked fields.

    Fields come in the order of the model, not in the written order.
    """
    result = dict(value)
    for name, annotation in _marked(model):
        if name in value:
            result[name] = _inside(annotation, (), value[name], replace, (*key, name))
    return result


@cache
def _marked(model: type[Table]) -> list[tuple[str, Any]]:
    """The keys of a model that are marked, or hold marked values; most models have none."""
    keys = model.model_fields.values()
    return [(key.name, key.annotation) for key in keys if _holds_mark(key.annotation)]


def _holds_mark(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return bool(_marked(annotation))
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return any(isinstance(part, InputMark) for part in parts) or _holds_mark(parts[0])
    return any(map(_holds_mark, parts))


def _inside(
    annotation: Any, metadata: Iterable[Any], value: Any, replace: Replace, key: Key
) -> Any:
    """A value inside a field: marked itself, or a list or a table that holds marked ones."""
    mark = next((mark for mark in metadata if isinstance(mark, InputMark)), None)
    if mark is not None:
        return replace(mark, value, key)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _inside(parts[0], parts[1:], value, replace, key)
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return replaced(annotation, value, replace, key) if isinstance(value, Mapping) else value
    if origin in {list, tuple}:
        if not isinstance(value, list):
            return value
        return [_inside(parts[0], (), item, replace, (*key, at)) for at, item in enumerate(value)]
    branches = (_inside(branch, (), value, replace, key) for branch in parts)
    return next((changed for changed in branches if changed != value), value)
