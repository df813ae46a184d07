"""Model cards as data: limits, ranges and dated prices, from TOML.

A card is a table `[provider.model]`; those of a provider lie beside its module,
in `bfl.toml` for `bfl.py`. `like = "provider/model"` starts from another card.
The user's own tables are merged over the shipped ones, key by key, so that a new
price is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, Final

from msgspec import Struct

from flux2build.errors import Problem, SpecError, UsageError, did_you_mean
from flux2build.model import Key, model_name
from flux2build.providers import PROVIDERS
from flux2build.providers.capabilities import Card, Price
from flux2build.storage import toml_text
from flux2build.storage.toml_file import TomlFile
from flux2build.tables.table import TableError

Cards = Mapping[str, Mapping[str, Card]]
"""Cards by provider and model."""

Tables = Mapping[str, Any]

_BY_PARAMETER: Final = ("ranges", "choices", "defaults")
"""Tables whose keys are parameters."""
_KEYS: Final = set(Card.model_fields) - {"model", "shapes", "grounds", "source_type"}
_PRICE: Final = set(Price.model_fields)
_EXPECTED: Final = {
    "model_type": "a table",
    "dict_type": "a table",
    "frozen_set_type": "a list",
    "string_type": "a text",
    "tuple_type": "a list",
}
"""What a value should be, by the type of pydantic's error."""


class Models(Cards):
    """The models of all providers, with the user's own cards merged over the shipped ones.

    A provider is imported when its cards are asked for.
    """

    def __init__(
        self,
        own: str = "",
        file: str = "cards.toml",
        installed: Callable[[str], Mapping[str, Card] | None] = lambda _provider: None,
    ) -> None:
        """The models with the user's `own` cards, in TOML; messages name it by its `file`.

        `installed` lists the models of a provider on this machine; None if it does not know that
        provider.
        """
        self._own, self._file, self._installed = own, file, installed

    @cached_property
    def _merged(self) -> Cards:
        return merged(self._own, self._file) if self._own else {}

    def __getitem__(self, provider: str) -> Mapping[str, Card]:
        """The cards of one provider.

        Raises:
            KeyError: there is no such provider.
            UsageError: the user's own cards cannot be read.
        """
        if (installed := self._installed(provider)) is not None:
            return installed
        return self._merged.get(provider, PROVIDERS[provider].cards)

    def __contains__(self, provider: object) -> bool:
        """Whether there is such a provider, without importing it."""
        return provider in PROVIDERS

    def __iter__(self) -> Iterator[str]:
        """The names of the providers, sorted."""
        return iter(PROVIDERS)

    def __len__(self) -> int:
        """How many providers there are."""
        return len(PROVIDERS)


@cache
def shipped() -> Cards:
    """The cards that come with flux2build."""
    return read(_shipped())


def merged(own: str, file: str = "cards.toml") -> Cards:
    """The shipped cards with the user's `own` merged over them; `file` names it in messages.

    A change to one card leaves the others alone: shipped cards are `like` the shipped ones.

    Raises:
        UsageError: the user's text is not TOML, or names a provider, model or key that is not there.
    """
    written = TomlFile(file, own)
    shipped_tables, tables = _shipped(), parse(own, file)
    if problems := list(_strangers(tables, shipped_tables, written)):
        raise UsageError(*problems)
    return read(_over(_complete(shipped_tables), _renamed(tables)), _Places(written, tables))


def _complete(tables: Tables) -> Tables:
    """The same cards, each merged over the card that it is `like`."""
    return {
        provider: {model: _likened(tables, provider, model, ()) for model in models}
        for provider, models in tables.items()
    }


class _Places(Struct, frozen=True):
    """The places of a file's cards; a model may be spelled as its carrier spells it."""

    file: TomlFile
    tables: Tables

    def located(self, problem: Problem, key: Key, *, name: bool) -> Problem:
        """A problem at a key below `(provider, model)`."""
        provider, model, *rest = map(str, key)
        models = self.tables.get(provider, {})
        cards = models if isinstance(models, Mapping) else {}
        spelled = next((each for each in cards if model_name(each) == model), model)
        return self.file.located(problem, (provider, spelled, *rest), name=name)


def _strangers(tables: Tables, shipped: Tables, file: TomlFile) -> Iterator[Problem]:
    """Tables about unknown providers, or about unknown models that they do not define."""
    for provider, models in tables.items():
        if provider in PROVIDERS and provider not in shipped:
            message = f"`{provider}` draws for nothing, and its card cannot be changed"
            problem = Problem(message, hint=f"take `[{provider}…]` away")
            yield file.located(problem, (provider,), name=True)
        elif provider not in shipped:
            problem = Problem(
                f"there is no provider `{provider}`", hint=did_you_mean(provider, shipped)
            )
            yield file.located(problem, (provider,), name=True)
        for model, card in models.items() if isinstance(models, Mapping) else ():
            new = provider in shipped and model_name(model) not in shipped[provider]
            if new and isinstance(card, Mapping) and not card.keys() & {"like", "params"}:
                message = f"provider `{provider}` has no model `{model}`"
                hint = did_you_mean(model, shipped[provider]) or ""
                hint += f'{" " if hint else ""}a new one needs `like = "{provider}/…"`'
                yield file.located(Problem(message, hint=hint), (provider, model), name=True)


def _shipped() -> Tables:
    """The tables of the files beside the providers' modules."""
    from pkgutil import get_data

    tables: dict[str, Any] = {}
    for provider in PROVIDERS:
        file = f"{provider.replace('-', '_')}.toml"
        with suppress(FileNotFoundError):  # an embedded provider's cards are code
            tables |= parse((get_data(PROVIDERS.package, file) or b"").decode(), file)
    return tables


def _renamed(tables: Tables) -> Tables:
    """The tables with each model under its one name, however its carrier spells it."""
    renamed: dict[str, Any] = {}
    for provider, models in tables.items():
        renamed[provider] = models
        if isinstance(models, Mapping):
            renamed[provider] = {}
            for model, table in models.items():
                renamed = dict(_over(renamed, {provider: {model_name(model): table}}))
    return renamed


def parse(text: str, file: str) -> Tables:
    """The tables of a TOML text, exact decimals in them."""
    try:
        return toml_text.parsed(text, file, Decimal)
    except SpecError as error:
        raise UsageError(*error.problems) from None


def read(tables: Tables, places: _Places | None = None) -> Cards:
    """The cards in some tables.

    Raises:
        UsageError: with one problem for each card that cannot be read.
    """
    places = places or _Places(TomlFile("cards.toml", ""), tables)
    problems: list[Problem] = []
    cards: dict[str, dict[str, Card]] = {}
    for provider, models in tables.items():
        cards[provider] = {}
        if not isinstance(models, Mapping):
            problem = Problem(f"cards of `{provider}`: {_expected('a table', models)}")
            problems.append(places.file.located(problem, (provider,)))
            continue
        for model in models:
            try:
                cards[provider][model] = _card(tables, provider, model)
            except ValueError as error:
                fault = _fault(error)
                problem = Problem(f"card `{provider}/{model}`: {fault}", hint=fault.hint)
                key = (provider, model, *fault.key)
                problems.append(places.located(problem, key, name=fault.name))
    if problems:
        raise UsageError(*problems)
    return cards


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
    _check(table, _KEYS, ())
    card = Card.model_validate({"params": [], **table, "model": model})
    for key in _BY_PARAMETER:
        _check(getattr(card, key), card.params, (key,))
    if not isinstance(form := card.defaults.get("format", ""), str):
        raise _expected("a text as `defaults.format`", form, ("defaults", "format"))
    return card


def _likened(tables: Tables, provider: str, model: str, path: tuple[str, ...]) -> dict[str, Any]:
    """A card's table, merged over the card that it is `like`."""
    name = f"{provider}/{model}"
    if name in path:
        circle = " -> ".join((*path, name))
        raise _CardFaultError(f"`like` goes in a circle: {circle}", ("like",))
    own = dict(_table(_table(tables.get(provider, {})).get(model)))
    like = own.pop("like", None)
    if like is None:
        return own
    base, _, spelling = str(like).partition("/")
    other = model_name(spelling)
    if other not in _table(tables.get(base, {})):
        models = [f"{base}/{model}" for model in tables.get(base, {})]
        hint = did_you_mean(str(like), models)
        raise _CardFaultError(f"there is no card `{like}` to start from", ("like",), hint)
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


class _CardFaultError(ValueError):
    """A problem with a card, at one of its keys."""

    def __init__(
        self, message: str, key: Key = (), hint: str | None = None, *, name: bool = False
    ) -> None:
        super().__init__(message)
        self.key, self.hint, self.name = key, hint, name


def _check(keys: Iterable[str], allowed: Iterable[str], under: Key) -> None:
    for key in keys:
        if key not in allowed:
            raise _unknown((*under, key), allowed)


def _unknown(key: Key, allowed: Iterable[str]) -> _CardFaultError:
    name = str(key[-1])
    hint = did_you_mean(name, allowed) or "docs/configuration.md has an example"
    return _CardFaultError(f"unknown key `{name}`", key, hint, name=True)


def _table(value: object) -> Tables:
    if not isinstance(value, Mapping):
        raise _expected("a table", value)
    return value


def _expected(what: str, value: object, key: Key = ()) -> _CardFaultError:
    return _CardFaultError(f"expected {what}, got {value!r}", key)


def _fault(error: ValueError) -> _CardFaultError:
    """The problem with a card, in one sentence."""
    if isinstance(error, _CardFaultError):
        return error
    if not isinstance(error, TableError):
        return _CardFaultError(str(error))
    first = error.errors(include_url=False)[0]
    kind, key, value = first["type"], first["loc"], first["input"]
    if kind == "missing":
        return _CardFaultError(f"a price needs `{key[-1]}`, USD for the first megapixel", key)
    if kind == "extra_forbidden":
        return _unknown(key, _PRICE)
    path = ".".join(map(str, key))
    if kind in _EXPECTED:
        return _CardFaultError(f"`{path}`: {_expected(_EXPECTED[kind], value)}", key)
    why = first["msg"].removeprefix("Value error, ")
    return _CardFaultError(f"`{path}`: {why}, got {value!r}", key)
