"""`flux2build models`: what there is to buy, for how much, and since when that is known."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flux2build.providers.cards import shipped
from tests.conftest import Site
from tests.purchasing.weights.made_up import weights


def _listed(site: Site) -> dict[str, dict[str, Any]]:
    models = json.loads(site.run("models", "--json").out)["models"]
    return {f"{one['provider']}/{one['model']}": one for one in models}


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line of the list below its provider, by provider and model."""
    provider = ""
    for line in text.splitlines():
        if line.startswith(" "):
            yield f"{provider}/{line[3:].split()[0]}", line
        else:
            provider = line


def test_every_card_is_listed_with_its_dated_price(empty: Site) -> None:
    """Each model of each provider is there; a price has its day, and one that is not known says so."""
    lines, listed = dict(_lines(empty.run("models").out)), _listed(empty)

    for provider, cards in shipped().items():
        for name, card in cards.items():
            line = lines[f"{provider}/{name}"]
            prices = [*card.prices.values(), *([card.price] if card.price else [])]
            assert all(f"${price.first}" in line and price.dated in line for price in prices)
            assert prices or "no price known" in line
            assert listed[f"{provider}/{name}"]["references"] == card.references
    assert set(lines) == set(listed)
    assert listed["sketch/sketch"]["price"]["first"] == "0"


def test_user_overrides_a_price(empty: Site) -> None:
    """A line in the user's own configuration changes the list and what a plan asks for."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    config.write_text('cards = "mine.toml"\n', encoding="utf-8")
    over = '[bfl.flux-2-pro.price]\nfirst = 0.021\ndated = "2026-11-24"\nsource = "our contract"\n'
    config.with_name("mine.toml").write_text(over, encoding="utf-8")
    empty.write(
        "assets.toml",
        '[project]\nname = "a"\n[defaults]\nprovider = "bfl"\n[asset.fox]\nprompt = "a fox"\n',
    )

    assert "$0.021 first MP, $0.015 each further" in empty.run("models").out
    assert _listed(empty)["bfl/flux-2-pro"]["price"]["source"] == "our contract"
    assert "Price: $0.021." in empty.run("plan").out


def test_price_for_a_model_without_one(empty: Site) -> None:
    """Without a price nothing is built, and the message leads to the mend; with one it is."""
    empty.write(
        "assets.toml",
        '[project]\nname = "a"\n[defaults]\nprovider = "bfl"\nmodel = "flux-3-image-klein"\n'
        'resolution = "768sq"\n[asset.fox]\nprompt = "a fox"\n',
    )
    refused = empty.run("build", "--yes")
    assert refused.code == 4
    assert "no price is known for `fox`" in refused.err
    assert "unknown price" in empty.run("plan").out

    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    config.write_text('cards = "mine.toml"\n', encoding="utf-8")
    over = "[bfl.flux-3-image-klein.prices]\n768sq = { first = 0.012 }\n"
    config.with_name("mine.toml").write_text(over, encoding="utf-8")

    assert "Price: $0.012." in empty.run("plan").out


def test_a_mistake_in_the_users_cards(empty: Site) -> None:
    """The error names the user's own file and the line."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    config.write_text('cards = "mine.toml"\n', encoding="utf-8")
    own = config.with_name("mine.toml")
    own.write_text("# mine\n[bfl", encoding="utf-8")

    ran = empty.run("models")

    assert ran.code == 2
    assert f"{own}:2" in ran.err


def test_weights_of_this_machine(empty: Site) -> None:
    """Each model of the configuration has its digest and its licence; what is wrong is told."""
    folder = weights(empty.folder.parent / "klein")
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    entries = {"flux-2-klein-4b": folder, "foxes": folder.with_name("nowhere")}
    config.write_text(
        "".join(f'[local.models.{name}]\npath = "{path}"\n' for name, path in entries.items()),
        encoding="utf-8",
    )

    ran = empty.run("models", "--local", "--json")

    klein, foxes = json.loads(ran.out)["models"]
    assert ran.code == 6
    assert klein["pipeline"] == "Flux2KleinPipeline"
    assert klein["digest"].startswith("sha256:")
    assert "Apache-2.0" in klein["note"]
    assert "does not exist" in foxes["problem"]
    lines = empty.run("models", "--local").out
    assert f"\n  {folder}\n  {klein['digest']}\n" in lines
    assert "foxes: the weights in" in lines


def test_fetching_what_is_no_model(empty: Site) -> None:
    """Those that can be fetched are named."""
    ran = empty.run("models", "fetch", "flux-2-klein-4")

    assert (ran.code, "did you mean `flux-2-klein-4b`?" in ran.err) == (2, True)
