"""The fields of an operation that name inputs, which its model marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flux2build.images.ops.contract import InputMark, Op
from flux2build.model import Key, Operation

Replace = Callable[[InputMark, Any, Key], Any]
"""A marked field's mark, value and place, to the value that it gets."""


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
    model: type[BaseModel], value: Mapping[str, Any], replace: Replace, key: Key = ()
) -> dict[str, Any]:
    """Dumped parameters with other values in their marked fields.

    Fields come in the order of the model, whatever order they are written in.
    """
    result = dict(value)
    for name, field in _marked(model):
        if name in value:
            at = (*key, name)
            result[name] = _inside(field.annotation, field.metadata, value[name], replace, at)
    return result


@cache
def _marked(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """The fields of a model that are marked, or hold marked values; most models have none."""
    fields = ((field.alias or name, field) for name, field in model.model_fields.items())
    return [each for each in fields if _holds_mark(each[1].annotation, each[1].metadata)]


def _holds_mark(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    if any(isinstance(mark, InputMark) for mark in metadata):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(_marked(annotation))
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _holds_mark(parts[0], parts[1:])
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
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return replaced(annotation, value, replace, key) if isinstance(value, Mapping) else value
    if origin in {list, tuple}:
        if not isinstance(value, list):
            return value
        return [_inside(parts[0], (), item, replace, (*key, at)) for at, item in enumerate(value)]
    branches = (_inside(branch, (), value, replace, key) for branch in parts)
    return next((changed for changed in branches if changed != value), value)
