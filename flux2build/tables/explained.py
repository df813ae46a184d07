"""The pydantic model of a table: it decides about doubtful values, and words the errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic import Field as PydanticField

from flux2build.tables import marks
from flux2build.tables.declaration import Declared

T = TypeVar("T", bound=Declared)

_TEXT, _TABLE, _LIST, _NUMBER = "a text", "a table", "a list", "a number"
_CONFIG: Final = ConfigDict(extra="forbid", frozen=True, strict=True)
_TABLES: Final[dict[type[BaseModel], type[Declared]]] = {}
"""The table that each model was made of."""


def judged(table: type[T], value: object, *, strict: bool) -> T:
    """The table that a value is.

    Raises:
        ValidationError: it breaks a rule.
    """
    result: T = _ours(model_of(table).model_validate(_written(value), strict=strict))
    return result


@cache
def model_of(table: type[Declared]) -> type[BaseModel]:
    """The pydantic model of a table."""

    def keep_rules(model: BaseModel) -> BaseModel:
        for rule in table.model_rules:
            rule(_ours(model))
        return model

    keys: dict[str, Any] = {
        name: (_translated(key.annotation), _field(key.field))
        for name, key in table.model_fields.items()
    }
    rules: dict[str, Any] = {"keep_rules": model_validator(mode="after")(keep_rules)}
    model: type[BaseModel] = create_model(
        table.__name__,
        __config__=_CONFIG,
        __doc__=table.__doc__,
        __module__=table.__module__,
        __validators__=rules if table.model_rules else {},
        **keys,
    )
    _TABLES[model] = table
    return model


def _field(field: marks.Field) -> Any:
    default = field.default
    if isinstance(default, Declared):
        default = model_of(type(default)).model_construct(**_written(default))
    return PydanticField(default, **_about(field))


def _about(field: marks.Field) -> dict[str, Any]:
    """Bounds and description; an empty description is left out, as it would hide the type's."""
    description = field.description() if callable(field.description) else field.description
    return {**field.bounds, **({"description": description} if description else {})}


def _written(value: Any) -> Any:
    """A value with its tables as plain dictionaries."""
    if isinstance(value, Declared):
        return {name: _written(vars(value)[name]) for name in value.model_fields_set}
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    return type(value)(map(_written, value)) if isinstance(value, list | tuple) else value


def _ours(value: Any) -> Any:
    """A value with tables in place of their pydantic models."""
    if isinstance(value, BaseModel):
        written = {name: _ours(getattr(value, name)) for name in value.model_fields_set}
        return _TABLES[type(value)].model_construct(**written)
    if isinstance(value, dict):
        return {key: _ours(item) for key, item in value.items()}
    return type(value)(map(_ours, value)) if isinstance(value, list | tuple) else value


def _translated(annotation: Any) -> Any:
    """The type for pydantic."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:])
    if origin in {Union, UnionType}:
        return Union[tuple(map(_translated, parts))]  # noqa: UP007 - they are computed
    if origin is not None and origin is not Literal:
        return origin[tuple(map(_translated, parts))]
    is_table = isinstance(annotation, type) and issubclass(annotation, Declared)
    return model_of(annotation) if is_table else annotation


def _annotated(base: Any, beside: Sequence[Any]) -> Any:
    one_of = next((mark for mark in beside if isinstance(mark, marks.OneOf)), None)
    among = next((mark for mark in beside if isinstance(mark, marks.Among)), None)
    kind = _tagged(base) if one_of else _translated(base)
    kind = Literal[tuple(among.choices())] if among else kind
    for mark in beside:
        if not isinstance(mark, marks.Among):
            kind = Annotated[kind, _mark(mark)]
    return kind


def _mark(mark: Any) -> Any:
    """The mark for pydantic, which ignores marks that it does not know."""
    make = _MARKS.get(type(mark))
    return make(mark) if make else mark


def _expected(what: str) -> WrapValidator:
    def read(value: object, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(f"expected {what}") from None

    return WrapValidator(read)


def _discriminator(kinds: str) -> Discriminator:
    if not kinds:
        return Discriminator(lambda value: _TEXT if isinstance(value, str) else _NUMBER)
    return Discriminator(_kind, custom_error_type="kind", custom_error_message=f"must be {kinds}")


_MARKS: Final[Mapping[type, Callable[[Any], Any]]] = {
    marks.Field: lambda mark: PydanticField(**_about(mark)),
    marks.After: lambda mark: AfterValidator(mark.function),
    marks.Before: lambda mark: BeforeValidator(mark.function),
    marks.Schema: lambda mark: WithJsonSchema(dict(mark.schema)),
    marks.Expected: lambda mark: _expected(mark.what),
    marks.OneOf: lambda mark: _discriminator(mark.kinds),
}


def _kind(value: object) -> str | None:
    """The name of a value's branch in a union, with a space, so that it is not taken for a key."""
    if isinstance(value, str):
        return _TEXT
    if isinstance(value, list):
        return _LIST
    return _TABLE if isinstance(value, dict | BaseModel) else None


def _tagged(union: Any) -> Any:
    """A union, each branch with the name of its kind."""
    branches = [Annotated[_translated(each), Tag(_kind_of(each))] for each in get_args(union)]
    return Union[tuple(branches)]  # noqa: UP007 - they are computed


def _kind_of(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind_of(get_args(annotation)[0])
    if annotation is str or origin is Literal:
        return _TEXT
    if annotation in {int, float}:
        return _NUMBER
    return _LIST if origin is list else _TABLE
