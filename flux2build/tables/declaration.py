"""The declaration of a table and its contents: keys, rules and values."""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable, Container, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

from msgspec import Struct

from flux2build.tables import marks


class Key(Struct, frozen=True, dict=True):
    """One key of a table: its declaration, and the module whose names it uses."""

    name: str
    written: str
    module: str
    field: marks.Field

    @property
    def default(self) -> Any:
        """Its value when it is not written; `...` if it is required."""
        return self.field.default

    @cached_property
    def annotation(self) -> Any:
        """Its type, with the marks beside it."""
        holder = SimpleNamespace(__annotations__={self.name: self.written})
        names = vars(sys.modules[self.module])
        return get_type_hints(holder, names, include_extras=True)[self.name]


class Lazy:
    """An attribute of a class that is computed when it is first asked for."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute, self._name = compute, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}_of_this"

    def __get__(self, instance: object, owner: type) -> Any:
        if self._name not in owner.__dict__:
            setattr(owner, self._name, self._compute(owner))
        return owner.__dict__[self._name]


def _keys(table: type) -> Mapping[str, Key]:
    keys: dict[str, Key] = {}
    for each in reversed(table.__mro__):
        for name, written in vars(each).get("__annotations__", {}).items():
            if not str(written).startswith(("ClassVar", "Final")):
                default = each.__dict__.get(name, ...)
                field = default if isinstance(default, marks.Field) else marks.Field(default)
                keys[name] = Key(name, str(written), each.__module__, field)
    return keys


def _rules(table: type) -> list[Callable[[Any], None]]:
    methods = {
        name: value for each in reversed(table.__mro__) for name, value in vars(each).items()
    }
    return [method for method in methods.values() if getattr(method, "rule", False)]


def _defaults(table: type[Declared]) -> dict[str, Any]:
    keys = table.model_fields.values()
    return {key.name: key.field.default for key in keys if key.field.default is not ...}


class Declared(metaclass=ABCMeta):  # noqa: B024, PLW1641 - operations are abstract; it may hold lists
    """The base of tables: it reads the declaration from the class."""

    __slots__ = ("__dict__", "model_fields_set")
    model_fields: ClassVar[Mapping[str, Key]] = Lazy(_keys)  # type: ignore[assignment] # a descriptor
    """Its keys, by name."""
    model_rules: ClassVar[list[Callable[[Any], None]]] = Lazy(_rules)  # type: ignore[assignment] # likewise
    """The functions that check a whole table."""
    model_defaults: ClassVar[dict[str, Any]] = Lazy(_defaults)  # type: ignore[assignment] # likewise
    """The values of keys that are not written."""
    if TYPE_CHECKING:
        model_fields_set: ClassVar[AbstractSet[str]]
        """The keys that are written; of each table, although no constructor takes them."""

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """A table of values that are known to keep the rules."""
        table = cls.__new__(cls)
        vars(table).update(cls.model_defaults)
        vars(table).update(values)
        object.__setattr__(table, "model_fields_set", values.keys())
        return table

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """The same with other values, which are known to keep the rules."""
        written = {name: vars(self)[name] for name in self.model_fields_set}
        return self.model_construct(**{**written, **update})

    def model_dump(
        self, *, include: Container[str] | None = None, exclude_none: bool = False
    ) -> dict[str, Any]:
        """Its values as JSON holds them, in the order of its declaration."""
        return {
            name: _plain(value, exclude_none=exclude_none)
            for name in self.model_fields
            if (include is None or name in include)
            and ((value := vars(self)[name]) is not None or not exclude_none)
        }

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={vars(self)[name]!r}" for name in self.model_fields)
        return f"{type(self).__name__}({values})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: `{name}` stays as it is")

    def __reduce__(self) -> tuple[Any, ...]:
        written = {name: vars(self)[name] for name in self.model_fields_set}
        return _restored, (type(self), written)


def _restored(table: type[Declared], values: dict[str, Any]) -> Declared:
    return table.model_construct(**values)


def _plain(value: Any, *, exclude_none: bool) -> Any:
    if isinstance(value, Declared):
        return value.model_dump(exclude_none=exclude_none)
    if isinstance(value, dict):
        return {key: _plain(item, exclude_none=exclude_none) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, exclude_none=exclude_none) for item in value]
    return str(value) if isinstance(value, Decimal) else value
