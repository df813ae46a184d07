"""What is taken without pydantic is what pydantic takes, and it becomes the same."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from pydantic import ValidationError

from flux2build.assetspec import tables
from flux2build.checks import CHECKS
from flux2build.images.documents import DOCUMENTS
from flux2build.images.formats import FORMATS
from flux2build.images.ops import OPS
from flux2build.providers.capabilities import Card, Price
from flux2build.session.local_models import LocalTable
from flux2build.simulator.scenario import Rule, Scenario
from flux2build.tables import explained
from flux2build.tables.fit import Unfit
from flux2build.tables.table import Table, TableError

PARTS: Final = [
    *(True, 0, 1, 2, -1, 7, 70_000, 2**60, 0.5, 1.0, -0.5, 30.5, float("nan"), float("inf")),
    *(Decimal("0.5"), Decimal(3), Decimal(-1), Decimal("nan"), None, dt.date(2026, 1, 1)),
    *("", "a", "1", "24", "5%", "5 %", "{{ x }}", "16:9", "0:9", "#fff", "tomato", "#ff", "en-GB"),
    *("png", "jpeg", "center", "top-left", "error", "off", "required", "4:4:4", "fit", "a\n"),
    *("horizontal", "multiply", "box", "start", "balanced", "submit", "http", "floor", "always"),
    *("auto", "float16", "fallback", "approved", "standalone"),
]
VALUES: Final[list[Any]] = [
    *PARTS,
    *([], {}, ["a"], ["a", "b"], [1, 2], [0.1, 0.2], [0.2, 0.1], [0, 0, 1, 1], [1, "a"], [[1]]),
    *([{}], {"a": 1}, {"a": "b"}, {"a": [1, "b", True]}, {"a": [0.5, 1]}, {"a": {}}, ("a",)),
    *([{"asset": "a"}], {"asset": "a"}, {"family": "a"}, {"input": 1}, [{"input": 1}, "a"]),
    *({"file": "a", "key": "b"}, {"file": "a", "key": []}, {"file": "a", "key": ["b"], "x": 1}),
    *({"prompt": "a"}, {"prompt": 1}, {"a": {"prompt": "a"}}, {"color": "red"}, {"color": "no"}),
    *([{"path": "a"}], [{"widths": [64]}], [{"widths": []}], {"first": Decimal("0.1")}),
    *([{"file": "a"}], [{"file": "a", "scale": 3}], {"path": "a"}, {"png": 5}, frozenset("a")),
]


def every_table() -> Iterator[type[Table]]:
    """The tables that people write, and those that recipes hold."""
    yield from (
        each for each in vars(tables).values() if isinstance(each, type) and issubclass(each, Table)
    )
    yield from OPS.values()
    yield from (document.options for document in DOCUMENTS.values())
    yield from (check.options for check in CHECKS.values())
    yield from (each.encoder for each in FORMATS.values() if each.encoder)
    yield from (Card, Price, LocalTable, Rule, Scenario)


TABLES: Final = {f"{each.__module__}.{each.__name__}": each for each in every_table()}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_it_takes_what_pydantic_takes(table: type[Table]) -> None:
    """Each value of each key becomes the same with pydantic and without it, or is left to it."""
    needed = {name: sound(table, name) for name in table.model_fields if required(table, name)}

    for name, value in itertools.product(table.model_fields, VALUES):
        written = {**needed, name: value}
        taken, right = plain(table, written), judged(table, written)
        assert taken == right or (taken is None and rare(value)), (name, value)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_stranger_is_taken(table: type[Table]) -> None:
    """A key that is not declared, a text, a list: pydantic decides about them."""
    strangers: list[Any] = [{"colour_of_the_sea": 1}, {1: 2}, "a", [], None, 1]
    for value in strangers:
        assert plain(table, value) is None


def rare(value: object) -> bool:
    """Whether a value may be left to pydantic although it is right: no spec holds it."""
    return isinstance(value, Decimal) or value == 2**60


def required(table: type[Table], name: str) -> bool:
    """Whether a key must be there."""
    return table.model_fields[name].default is ...


def sound(table: type[Table], name: str) -> object:
    """A value of a key that its type allows."""

    class Alone(Table):
        key: Any

    Alone.model_fields["key"].__dict__["annotation"] = table.model_fields[name].annotation
    return next(each for each in VALUES if judged(Alone, {"key": each}))


def plain(table: type[Table], value: object) -> tuple[Any, ...] | None:
    """What a value becomes without pydantic; None if it is left to it."""
    try:
        return shown(table.model_reader(value))
    except Unfit:
        return None


def judged(table: type[Table], value: object) -> tuple[Any, ...] | None:
    """What pydantic makes of a value; None if it refuses it."""
    try:
        return shown(explained.judged(table, value, strict=True))
    except ValidationError:
        return None


def shown(table: Table) -> tuple[Any, ...]:
    """A table's values with their types, and which of them are written."""
    return repr(table), sorted(table.model_fields_set)


def test_one_error_for_all_of_it() -> None:
    """What pydantic refuses is a `TableError` with what it says of each key."""
    with pytest.raises(TableError) as error:
        Price.model_validate({"first": -1, "further": "much"})

    assert [entry["loc"] for entry in error.value.errors()] == [("first",), ("further",)]
