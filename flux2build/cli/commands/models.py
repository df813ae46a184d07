"""List the models, their limits and their prices."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import click
from rich.text import Text

from flux2build.cli.command import command
from flux2build.console.console import Console
from flux2build.digest import Json
from flux2build.providers.capabilities import FREE, Card, Price
from flux2build.providers.cards import Models
from flux2build.providers.contract import PROVIDERS
from flux2build.session.common_options import CommonOptions
from flux2build.session.settings import read


@command("models", without={"file", "profile"})
def models(options: CommonOptions) -> None:
    """List the models, their limits and their prices.

    Prices are list prices in USD with the day they were read; the file named
    by `cards` in your own configuration overrides them.
    """
    console = Console.of(options)
    settings = read(options.env_file)
    catalog = Models(settings.cards, settings.cards_file)
    if options.json:
        rows: list[Json] = [
            _as_json(provider, card)
            for provider, cards in catalog.items()
            for card in cards.values()
        ]
        console.document({"models": rows})
        return
    for provider, cards in catalog.items():
        console.data(Text(provider, "bold"))
        width = max(len(name) for name in cards)
        for name, card in cards.items():
            mark = "*" if name == PROVIDERS[provider].default_model else " "
            console.data(f" {mark} {name:<{width}}  {_limits(card)}  {_price(card)}")
    console.say("* is meant when a spec names the provider only", "dim")


_SHOWN: Final = ["formats", "references", "multiple", "min_side", "max_side", "max_pixels", "note"]
"""The fields of a card that JSON shows as they are."""
_AMOUNTS: Final = {"first", "further", "reference"}


def _limits(card: Card) -> str:
    size = f"up to {card.max_pixels / 2**20:.3g} MP" if "width" in card.params else "size by name"
    return f"{card.references:>2} references, {size:<12}"


def _price(card: Card) -> str:
    """The list price in one line, with the day it was read."""
    if card.prices:
        by_name = (f"{name} ${price.first}{_day(price)}" for name, price in card.prices.items())
        return f"by resolution: {', '.join(by_name)}"
    price = card.price
    if price is None:
        return "no price known; `cards` in your configuration can give it one"
    if price == FREE:
        return "free"
    parts = [f"${price.first} first MP"]
    parts += [f"${price.further} each further"] if price.further else []
    most = "" if price.reference_sure else "at most "
    parts += [f"{most}${price.reference} a MP of references"] if price.reference else []
    return f"{', '.join(parts)}{_day(price)}"


def _day(price: Price) -> str:
    return f" ({price.dated})" if price.dated else ""


def _as_json(provider: str, card: Card) -> Json:
    price = card.price
    return {
        "provider": provider,
        "model": card.model,
        "params": sorted(card.params),
        **{name: getattr(card, name) for name in _SHOWN},
        "price": None if price is None else _price_json(price),
        "prices": {name: _price_json(each) for name, each in card.prices.items()},
    }


def _price_json(price: Price) -> Json:
    return {name: str(each) if name in _AMOUNTS else each for name, each in asdict(price).items()}


COMMAND: Final[click.Command] = models
