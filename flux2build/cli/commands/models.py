"""List the models, their limits and their prices."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click

from flux2build.cli import weights_view
from flux2build.cli.command import Listing, command, option
from flux2build.console.console import Console
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import Exit, UsageError, did_you_mean
from flux2build.providers import PROVIDERS
from flux2build.providers.capabilities import FREE, Card, Price
from flux2build.providers.cards import Models
from flux2build.providers.local import PROVIDER
from flux2build.session import hub
from flux2build.session.common_options import CommonOptions
from flux2build.session.local_models import LocalModels
from flux2build.session.settings import read
from flux2build.storage.disk import home


@click.group("models", cls=Listing)
def models() -> None:
    """List the models, their limits and their prices.

    `models` alone lists; `models fetch` fetches open weights, with which
    `provider = "local"` renders on this machine.
    """


@command("list", without={"file", "profile"})
@option("--local", is_flag=True, help="The weights and the devices of this machine instead.")
def list_models(options: CommonOptions, *, local: bool) -> Exit:
    """List the models, their limits and their prices.

    Prices are list prices in USD with the day they were read; the file named
    by `cards` in your own configuration overrides them.
    """
    console = Console.of(options)
    settings = read(options.env_file)
    installed = LocalModels(settings.local, settings.written)
    if local:
        return weights_view.show(console, installed, as_json=options.json)
    catalog = Models(settings.cards, settings.cards_file, installed.of)
    if options.json:
        rows: list[Json] = [
            _as_json(provider, card)
            for provider, cards in catalog.items()
            for card in cards.values()
        ]
        console.document({"models": rows})
        return Exit.DONE
    for provider, cards in catalog.items():
        console.data(Text(provider, "bold"))
        width = max(len(name) for name in cards)
        for name, card in cards.items():
            mark = "*" if name == PROVIDERS[provider].default_model else " "
            console.data(f" {mark} {name:<{width}}  {_limits(card)}  {_price(card)}")
    console.say("* is meant when a spec names the provider only", "dim")
    return Exit.DONE


@command("fetch", without={"file", "profile", "json"})
@click.argument("name")
@option("--to", metavar="FOLDER", help="Where to; default: below flux2build's own folder.")
@option("--yes", is_flag=True, help="Fetch without asking.")
def fetch_model(options: CommonOptions, *, name: str, to: str | None, yes: bool) -> None:
    """Fetch open weights from Hugging Face, after telling size and licence.

    Nothing else fetches weights. What is to be added to your configuration is
    told at the end.
    """
    console = Console.of(options)
    repositories = PROVIDER.repositories
    if name not in repositories:
        hint = did_you_mean(name, repositories)
        raise UsageError(f"there is no model `{name}` to fetch", hint=hint)
    offered = hub.offer(repositories[name])
    folder = (Path(to) if to else home() / "weights" / name).absolute()
    size = weights_view.gibibytes(offered.bytes)
    console.say(f"{offered.repository} ({offered.revision[:12]}), {size}")
    console.say(f"licence: {offered.licence}; {PROVIDER.cards[name].note}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is here to agree to that", hint="`--yes` agrees")
        click.confirm(f"Fetch it to {folder}?", abort=True, err=True)
    hub.fetch(offered, folder)
    console.say("add to your configuration, unless it is there:")
    console.whole(f"[local.models.{name}]", f"path = {json.dumps(str(folder))}")


_SHOWN: Final = ["formats", "references", "multiple", "min_side", "max_side", "max_pixels", "note"]
"""The fields of a card that JSON shows as they are."""


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
        "price": None if price is None else price.model_dump(),
        "prices": {name: each.model_dump() for name, each in card.prices.items()},
    }


models.add_command(list_models)
models.add_command(fetch_model)

COMMAND: Final[click.Command] = models
