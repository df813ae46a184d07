"""Takes plain values that certainly keep the rules of a table, without pydantic.

Doubtful values are `Unfit`, and left to pydantic. For the values that it accepts, pydantic would
return the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from flux2build.tables import marks
from flux2build.tables.declaration import Declared, Key

Read = Callable[[Any], Any]
"""Reads a value; raises `Unfit`."""


class Unfit(Exception):  # noqa: N818 - pydantic decides whether it is an error
    """A value may break a rule."""


_UNFIT: Final = Unfit()


class _Readers(dict[str, Read]):
    """The readers of a table's keys; each is made when its key first occurs."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        super().__init__()
        self._keys = keys

    def __missing__(self, name: str) -> Read:
        if name not in self._keys:
            raise _UNFIT
        key = self._keys[name]
        read = self[name] = _within(reader(key.annotation), key.field.bounds)
        return read


def reader(annotation: Any) -> Read:
    """The reader for the values of a type."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        read = reader(parts[0])
        for mark in parts[1:]:
            read = _marked(read, mark)
        return read
    if origin in {Union, UnionType}:
        return _any_of(parts)
    if origin is Literal:
        return _among(frozenset(parts))
    if origin in _CONTAINERS:
        return _CONTAINERS[origin](*(part if part is ... else reader(part) for part in parts))
    assert issubclass(annotation, Declared), annotation
    return _table(annotation)


def _table(table: type[Declared]) -> Read:
    keys = table.model_fields
    readers, construct, rules = _Readers(keys), table.model_construct, table.model_rules
    needed = {name for name, key in keys.items() if key.default is ...}

    def read(value: Any) -> Any:
        if type(value) is table:
            return value
        if type(value) is not dict or not needed <= value.keys():
            raise _UNFIT
        result = construct(**{name: readers[name](item) for name, item in value.items()})
        for rule in rules:
            _kept(rule, result)
        return result

    return read


def _kept(function: Read, value: Any) -> Any:
    try:
        return function(value)
    except (ValueError, AssertionError):
        raise _UNFIT from None


def _exactly(kind: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise _UNFIT

    return read


def _float(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int and abs(value) < 1 << 53:
        return float(value)
    raise _UNFIT


def _decimal(value: Any) -> Decimal:
    if type(value) is Decimal and value.is_finite():
        return value
    raise _UNFIT


def _anything(value: Any) -> Any:
    return value


_PLAIN: Final[Mapping[Any, Read]] = {
    Any: _anything,
    object: _anything,
    str: _exactly(str),
    bool: _exactly(bool),
    int: _exactly(int),
    float: _float,
    Decimal: _decimal,
    NoneType: _exactly(NoneType),
}


def _any_of(branches: tuple[Any, ...]) -> Read:
    readers = [reader(branch) for branch in branches]

    def read(value: Any) -> Any:
        for each in readers:
            try:
                return each(value)
            except Unfit:
                continue
        raise _UNFIT

    return read


def _among(choices: frozenset[str]) -> Read:
    def read(value: Any) -> Any:
        if type(value) is str and value in choices:
            return value
        raise _UNFIT

    return read


def _list(each: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise _UNFIT
        return [each(item) for item in value]

    return read


def _frozenset(each: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not frozenset:
            raise _UNFIT
        return frozenset(map(each, value))

    return read


def _tuple(*parts: Any) -> Read:
    """Reads a tuple with one type for each item, or with `...` any number of items of one type."""

    def read(value: Any) -> Any:
        if type(value) is not tuple:
            raise _UNFIT
        readers = (parts[0],) * len(value) if parts[1:] == (...,) else parts
        if len(readers) != len(value):
            raise _UNFIT
        return tuple(each(item) for each, item in zip(readers, value, strict=True))

    return read


def _dict(key: Read, each: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _UNFIT
        return {key(name): each(item) for name, item in value.items()}

    return read


_CONTAINERS: Final[Mapping[Any, Callable[..., Read]]] = {
    list: _list,
    tuple: _tuple,
    frozenset: _frozenset,
    dict: _dict,
    Mapping: _dict,
}


def _marked(read: Read, mark: Any) -> Read:
    match mark:
        case marks.Field():
            return _within(read, mark.bounds)
        case marks.After():
            return lambda value: _kept(mark.function, read(value))
        case marks.Before():
            return lambda value: read(_kept(mark.function, value))
        case marks.Among():
            return _among(frozenset(mark.choices()))
        case _:
            return read


_HOLDS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "ge": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "le": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
    "pattern": lambda value, bound: re.search(bound.replace("$", r"\Z"), value) is not None,
}


def _within(read: Read, bounds: Mapping[str, Any]) -> Read:
    """The reader with bounds; None is not checked against them."""
    if not bounds:
        return read
    tests = [(_HOLDS[name], bound) for name, bound in bounds.items()]

    def within(value: Any) -> Any:
        result = read(value)
        if result is None or all(holds(result, bound) for holds, bound in tests):
            return result
        raise _UNFIT

    return within
