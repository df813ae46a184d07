"""The part of JSON Schema that the providers' documents use, with FastAPI's complaints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

Location = tuple[str | int, ...]
Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a body, in the words of FastAPI."""

    where: Location
    kind: str
    message: str

    def fastapi(self) -> dict[str, Any]:
        """As an item of `detail` in a 422."""
        return {"type": self.kind, "loc": ["body", *self.where], "msg": self.message}


@cache
def document(name: str) -> dict[str, Any]:
    """A shipped document: `bfl` or `replicate`."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def complaints(
    value: Any, shape: Shape, schemas: Mapping[str, Shape], where: Location = ()
) -> Iterator[Complaint]:
    """Everything that is wrong with a value; unknown fields only where the schema forbids them."""
    if "$ref" in shape:
        shape = schemas[shape["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in shape:
        yield from _of_the_best(value, shape["anyOf"], schemas, where)
        return
    kind = shape.get("type")
    if kind is not None and not _TYPES[kind](value):
        yield Complaint(where, f"{kind}_type", f"Input should be a valid {kind}")
        return
    yield from _bounds(value, shape, where)
    if isinstance(value, dict):
        yield from _fields(value, shape, schemas, where)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from complaints(item, shape.get("items", {}), schemas, (*where, index))


def unknown_fields(value: Mapping[str, Any], shape: Shape) -> list[str]:
    """Fields that the schema does not have."""
    return sorted(set(value) - set(shape.get("properties", {})))


def defaults(shape: Shape) -> dict[str, Any]:
    """The values that a server assumes for fields that are not sent."""
    fields = shape.get("properties", {})
    return {name: field["default"] for name, field in fields.items() if "default" in field}


def _of_the_best(
    value: Any, options: list[Shape], schemas: Mapping[str, Shape], where: Location
) -> Iterator[Complaint]:
    """Nothing if one option fits, else the complaints of the first that is about values."""
    by_option = [list(complaints(value, option, schemas, where)) for option in options]
    if all(by_option):
        yield from next(
            (each for each in by_option if not each[0].kind.endswith("_type")), by_option[0]
        )


def _bounds(value: Any, shape: Shape, where: Location) -> Iterator[Complaint]:
    if "enum" in shape and value not in shape["enum"]:
        listed = " or ".join(f"'{option}'" for option in shape["enum"])
        yield Complaint(where, "enum", f"Input should be {listed}")
    for word, (kind, measure, wrong, message) in _BOUNDS.items():
        if word not in shape:
            continue
        size = measure(value)
        if size is not None and wrong(size, shape[word]):
            yield Complaint(where, kind, message.format(shape[word]))
    if shape.get("format") == "uri" and isinstance(value, str) and not _is_uri(value):
        yield Complaint(where, "url_parsing", "Input should be a valid URL")


def _fields(
    value: dict[str, Any], shape: Shape, schemas: Mapping[str, Shape], where: Location
) -> Iterator[Complaint]:
    for name in shape.get("required", ()):
        if name not in value:
            yield Complaint((*where, name), "missing", "Field required")
    if shape.get("additionalProperties") is False:
        for name in unknown_fields(value, shape):
            yield Complaint((*where, name), "extra_forbidden", "Extra inputs are not permitted")
    for name, field in shape.get("properties", {}).items():
        if name in value:
            yield from complaints(value[name], field, schemas, (*where, name))


def _is_uri(text: str) -> bool:
    return text.startswith(("http://", "https://", "data:"))


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _length(value: Any) -> float | None:
    return len(value) if isinstance(value, (str, list)) else None


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: _number(value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

Bound = tuple[str, Callable[[Any], float | None], Callable[[float, float], bool], str]
_BOUNDS: Final[Mapping[str, Bound]] = {
    "minimum": (
        "greater_than_equal",
        _number,
        lambda size, bound: size < bound,
        "Input should be greater than or equal to {}",
    ),
    "maximum": (
        "less_than_equal",
        _number,
        lambda size, bound: size > bound,
        "Input should be less than or equal to {}",
    ),
    "minLength": (
        "string_too_short",
        _length,
        lambda size, bound: size < bound,
        "String should have at least {} characters",
    ),
    "maxLength": (
        "string_too_long",
        _length,
        lambda size, bound: size > bound,
        "String should have at most {} characters",
    ),
    "minItems": (
        "too_short",
        _length,
        lambda size, bound: size < bound,
        "List should have at least {} items",
    ),
    "maxItems": (
        "too_long",
        _length,
        lambda size, bound: size > bound,
        "List should have at most {} items",
    ),
}
