"""The base class of tables: their declaration, and the reading of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, dataclass_transform

from flux2build.tables import marks
from flux2build.tables.declaration import Declared, Lazy
from flux2build.tables.fit import Unfit, reader

if TYPE_CHECKING:
    from pydantic import ValidationError

Rule = TypeVar("Rule", bound=Callable[[Any], None])
T = TypeVar("T", bound=Declared)


def Field(  # noqa: N802 - it stands where pydantic's stands
    default: Any = ..., *, description: str | Callable[[], str] | None = None, **bounds: Any
) -> Any:
    """The default, description and bounds of a key, as pydantic's function of this name."""
    return marks.Field(default, description, bounds)


def rule(method: Rule) -> Rule:
    """Marks a method that checks a whole table; it raises ValueError if keys contradict each other."""
    method.__dict__["rule"] = True
    return method


class TableError(ValueError):
    """A table breaks rules."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__()
        self.count, self.errors = error.error_count(), error.errors
        self._error = error

    def __str__(self) -> str:
        return str(self._error)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class Table(Declared):
    """A table whose keys and types are exactly these: unknown keys are errors, nothing is converted.

    Its methods have the names, and do the same, as those of a pydantic model.
    """

    model_reader: ClassVar[Callable[[object], Any]] = Lazy(reader)  # type: ignore[assignment] # a descriptor
    """Makes a table of plain values that certainly keep the rules; otherwise raises `Unfit`."""

    def __init__(self, **values: Any) -> None:
        table = self.model_validate(values)
        vars(self).update(vars(table))
        object.__setattr__(self, "model_fields_set", table.model_fields_set)

    @classmethod
    def model_validate(cls, value: object, *, strict: bool = True) -> Self:
        """The table that a value is; unless `strict`, a text may stand for a number.

        Raises:
            TableError: it breaks a rule.
        """
        try:
            table: Self = cls.model_reader(value)
        except Unfit:
            return _judged(cls, value, strict=strict)
        return table

    @classmethod
    def model_json_schema(cls, **settings: Any) -> dict[str, Any]:
        """Its JSON Schema."""
        from flux2build.tables.explained import model_of

        return model_of(cls).model_json_schema(**settings)


def _judged(table: type[T], value: object, *, strict: bool) -> T:
    from pydantic import ValidationError

    from flux2build.tables.explained import judged

    try:
        return judged(table, value, strict=strict)
    except ValidationError as error:
        raise TableError(error) from None
