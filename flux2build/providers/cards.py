"""Model cards as data: limits, ranges and dated prices, from TOML.

A card is a table `[provider."model"]`; those of a provider lie beside its module,
in `bfl.toml` for `bfl.py`. `like = "provider/model"` starts from another card.
The user's own tables are merged over the shipped ones, key by key, so that a new
price is one line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pkgutil import get_data
from types import MappingProxyType
from typing import Any, Final, TypeVar

import tomli

from flux2build.errors import Place, Problem, UsageError, did_you_mean
from flux2build.providers.capabilities import Card, Price
from flux2build.providers.contract import PROVIDERS

Cards = Mapping[str, Mapping[str, Card]]
"""Cards by provider and model."""

Tables = Mapping[str, Any]

_T = TypeVar("_T")


@cache
def shipped() -> Cards:
    """The cards that come with flux2build."""
    return read(_shipped())


def merged(own: str, file: str = "cards.toml") -> Cards:
    """The shipped cards with the user's `own` merged over them; `file` names it in messages.

    Raises:
        UsageError: the user's text is not TOML, or names a key that a card does not have.
    """
    return read(_shipped(), parse(own, file), file=file)


def _shipped() -> Tables:
    """The tables of the files beside the providers' modules."""
    tables: dict[str, Any] = {}
    for provider in PROVIDERS:
        file = f"{provider.replace('-', '_')}.toml"
        with suppress(FileNotFoundError):  # an embedded provider's cards are code
            tables |= parse((get_data(PROVIDERS.package, file) or b"").decode(), file)
    return tables


def parse(text: str, file: str) -> Tables:
    """The tables of a TOML text, exact decimals in them."""
    try:
        return tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        place = Place(file, error.lineno, error.colno)
        raise UsageError(Problem(f"the cards are not TOML: {error.msg}", place)) from None
    except (RecursionError, ValueError) as error:
        fault = "a number has too many digits" if isinstance(error, ValueError) else "nested deeply"
        raise UsageError(Problem(f"the cards are not TOML: {fault}", Place(file))) from None


def read(*layers: Tables, file: str = "cards.toml") -> Cards:
    """The cards of some layers of tables, later ones merged over earlier ones.

    Raises:
        UsageError: with one problem for each card that cannot be read.
    """
    tables: Tables = {}
    for layer in layers:
        tables = _over(tables, layer)
    problems: list[Problem] = []
    cards: dict[str, dict[str, Card]] = {}
    for provider, models in tables.items():
        cards[provider] = {}
        if not isinstance(models, Mapping):
            problem = f"cards of `{provider}`: {_expected('a table', models)}"
            problems.append(Problem(problem, Place(file)))
            continue
        for model in models:
            try:
                cards[provider][model] = _card(tables, provider, model)
            except ValueError as error:
                problem = f"card `{provider}/{model}`: {error}"
                problems.append(Problem(problem, Place(file)))
    if problems:
        raise UsageError(*problems)
    return MappingProxyType({name: MappingProxyType(models) for name, models in cards.items()})


def _over(under: Tables, over: Tables) -> Tables:
    """`over` merged over `under`; tables in both are merged key by key."""
    table = dict(under)
    for key, value in over.items():
        below = table.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        table[key] = _over(below, value) if both else value  # type: ignore[arg-type]  # both are tables
    return table


def _card(tables: Tables, provider: str, model: str) -> Card:
    table = _likened(tables, provider, model, ())
    values = {key: _FIELDS[key](value) for key, value in table.items() if _known(key, _FIELDS)}
    for key in _BY_PARAMETER:
        for name in values.get(key, {}):
            _known(name, dict.fromkeys(values.get("params", ())))
    return Card(**{"params": frozenset(), **values, "model": model})


def _likened(tables: Tables, provider: str, model: str, path: tuple[str, ...]) -> dict[str, Any]:
    """A card's table, merged over the card that it is `like`."""
    name = f"{provider}/{model}"
    if name in path:
        raise ValueError(f"`like` goes in a circle: {' -> '.join((*path, name))}")
    own = dict(_table(_table(tables.get(provider, {})).get(model)))
    like = own.pop("like", None)
    if like is None:
        return own
    base, _, other = str(like).partition("/")
    if other not in _table(tables.get(base, {})):
        raise ValueError(f"there is no card `{like}` to start from")
    inherited = _likened(tables, base, other, (*path, name))
    return dict(_over(_kept(inherited, own.get("params")), own))


def _kept(table: dict[str, Any], params: Any) -> dict[str, Any]:
    """What a card inherits: nothing about parameters that it does not take itself."""
    if params is None:
        return table
    return {
        key: {name: item for name, item in value.items() if name in params}
        if key in _BY_PARAMETER and isinstance(value, Mapping)
        else value
        for key, value in table.items()
    }


def _known(key: str, known: Mapping[str, object]) -> bool:
    if key not in known:
        raise ValueError(f"unknown key `{key}`; {did_you_mean(key, known) or 'see the docs'}")
    return True


def _expected(what: str, value: object) -> ValueError:
    return ValueError(f"expected {what}, got {value!r}")


def _table(value: object) -> Tables:
    if not isinstance(value, Mapping):
        raise _expected("a table", value)
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _expected("a list", value)
    return value


def _words(value: object) -> tuple[str, ...]:
    if not all(isinstance(item, str) for item in _list(value)):
        raise _expected("a list of words", value)
    return tuple(_list(value))


def _text(value: object) -> str:
    return str(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _expected("a whole number", value)
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


def _money(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _expected("an amount in USD", value)
    amount = Decimal(value)
    if not amount.is_finite() or amount < 0:
        raise _expected("an amount in USD", value)
    return amount


def _plain(value: object) -> object:
    """A TOML value as parameters carry it: floats, not decimals."""
    if not isinstance(value, Decimal):
        return value
    if not math.isfinite(number := float(value)):
        raise _expected("a number", value)
    return number


def _range(value: object) -> tuple[float, float]:
    bounds = [_plain(bound) for bound in _list(value)]
    match bounds:
        case [int() | float() as least, int() | float() as most] if least <= most:
            return float(least), float(most)
        case _:
            raise _expected("[least, most]", value)


def _price(value: object) -> Price:
    table = _table(value)
    figures = {key: _PRICE[key](item) for key, item in table.items() if _known(key, _PRICE)}
    if "first" not in figures:
        raise ValueError("a price needs `first`, USD for the first megapixel")
    return Price(**figures)


def _each(read_one: Callable[[object], _T]) -> Callable[[object], Mapping[str, _T]]:
    return lambda value: {key: read_one(item) for key, item in _table(value).items()}


_BY_PARAMETER: Final = ("ranges", "choices", "defaults")
"""Tables whose keys are parameters."""

_PRICE: Final[Mapping[str, Callable[[object], Any]]] = {
    "first": _money,
    "further": _money,
    "reference": _money,
    "reference_sure": _flag,
    "dated": _text,
    "source": _text,
}

_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {
    "params": lambda value: frozenset(_words(value)),
    "ignores": lambda value: frozenset(_words(value)),
    "references": _count,
    "reference_side": _count,
    "reference_pixels": _count,
    "formats": _words,
    "multiple": _count,
    "min_side": _count,
    "max_side": _count,
    "max_pixels": _count,
    "input_megapixels": lambda value: _count(value) or None,
    "ranges": _each(_range),
    "choices": _each(_words),
    "defaults": _each(_plain),
    "price": _price,
    "prices": _each(_price),
    "note": _text,
}
