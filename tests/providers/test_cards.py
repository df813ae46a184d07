"""Model cards: the shipped ones are sound, the user's own are merged over them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flux2build.errors import UsageError
from flux2build.providers import PROVIDERS, cards
from flux2build.providers.capabilities import Card
from flux2build.providers.cards import Models, merged, parse, read, shipped

ALL = [
    pytest.param(card, id=f"{provider}/{model}")
    for provider, models in shipped().items()
    for model, card in models.items()
]

SCRIPT = """
import sys
from flux2build.providers.cards import Models
assert "bfl" in Models() and len(Models()) == len(list(Models()))
assert list(Models()["sketch"]) == ["sketch"]
print(*(name for name in sys.modules if name.startswith("flux2build.providers.")))
"""


def _message(error: pytest.ExceptionInfo[UsageError]) -> str:
    return str(error.value)


def test_models_that_are_promised_are_there() -> None:
    """Every model that the documentation names has a card."""
    assert set(shipped()["bfl"]) == {
        "flux-2-pro",
        "flux-2-pro-preview",
        "flux-2-max",
        "flux-2-flex",
        "flux-2-klein-4b",
        "flux-2-klein-9b",
        "flux-2-klein-9b-preview",
        "flux-3-image",
        "flux-3-image-klein",
    }
    assert set(shipped()["cometapi"]) == {"flux-2-pro", "flux-2-max", "flux-2-flex", "flux-2-dev"}
    assert set(shipped()["cometapi-replicate"]) == {"flux-2-pro", "flux-2-flex", "flux-2-dev"}
    assert set(shipped()["replicate"]) == {
        "flux-2-pro",
        "flux-2-max",
        "flux-2-flex",
        "flux-2-dev",
        "flux-2-klein-4b",
        "flux-2-klein-9b",
        "flux-2-klein-9b-base",
        "flux-3-image",
    }


def test_cards_lie_beside_their_provider() -> None:
    """The file of a provider's cards has its name, and holds its models only."""
    files = {
        path.stem.replace("_", "-"): path for path in Path(cards.__file__).parent.glob("*.toml")
    }

    assert files.keys() == shipped().keys() <= PROVIDERS.keys()
    for provider, file in files.items():
        assert parse(file.read_text("utf-8"), file.name).keys() == {provider}
        assert PROVIDERS[provider].cards == shipped()[provider]


@pytest.mark.parametrize("card", ALL)
def test_card_speaks_of_its_own_parameters_only(card: Card) -> None:
    """Ranges, choices and defaults name parameters that are sent; nothing is both sent and ignored."""
    assert set(card.ranges) | set(card.choices) | set(card.defaults) <= card.params
    assert not card.params & card.ignores


@pytest.mark.parametrize("card", ALL)
def test_defaults_are_within_the_limits(card: Card) -> None:
    """What a card sends by default is something that it allows."""
    for name, value in card.defaults.items():
        assert name not in card.choices or value in card.choices[name]
        if name in {"width", "height"}:
            assert isinstance(value, int)
            assert value % card.multiple == 0
            assert card.min_side <= value <= card.max_side


@pytest.mark.parametrize("card", ALL)
def test_prices_say_when_and_where_they_were_read(card: Card) -> None:
    """A shipped price carries a date and a source, or the card has none at all."""
    for price in (*card.prices.values(), *([card.price] if card.price else [])):
        assert date.fromisoformat(price.dated) < date(2027, 1, 1)
        assert price.source


def test_prompts_are_not_rewritten_unless_asked() -> None:
    """The defaults turn prompt rewriting off wherever a model can rewrite."""
    bfl = shipped()["bfl"]
    for card in bfl.values():
        assert card.defaults.get("disable_pup", True) is True
        assert card.defaults.get("prompt_upsampling", False) is False
    assert bfl["flux-2-pro"].defaults["disable_pup"] is True
    assert bfl["flux-2-flex"].defaults["prompt_upsampling"] is False


def test_like_inherits_and_own_keys_win() -> None:
    """A card that is like another one differs only in what it says itself."""
    pro, klein = shipped()["bfl"]["flux-2-pro"], shipped()["bfl"]["flux-2-klein-9b"]

    assert klein.max_pixels == pro.max_pixels
    assert klein.references == 4
    assert klein.price is not None
    assert klein.price.first == Decimal("0.015")


def test_user_changes_one_figure() -> None:
    """One line of the user's configuration changes one figure and nothing else."""
    over = '[bfl.flux-2-pro.price]\nfirst = 0.04\nsource = "our contract"'

    card = merged(over)["bfl"]["flux-2-pro"]

    assert card.price is not None
    assert (card.price.first, card.price.further) == (Decimal("0.04"), Decimal("0.015"))
    assert card.params == shipped()["bfl"]["flux-2-pro"].params


def test_what_is_said_of_one_model_is_about_no_other() -> None:
    """A price of the user's own does not reach the shipped cards that are like the changed one."""
    over = "[bfl.flux-2-pro.price]\nfirst = 9"

    cards = merged(over)

    changed = {
        (provider, model)
        for provider, models in cards.items()
        for model, card in models.items()
        if card != shipped()[provider][model]
    }
    assert changed == {("bfl", "flux-2-pro")}


def test_user_adds_a_model() -> None:
    """A model that is not shipped yet needs one table."""
    over = '[bfl."flux-2-ultra"]\nlike = "bfl/flux-2-pro"\nprice = { first = 1 }'

    card = merged(over)["bfl"]["flux-2-ultra"]

    assert card.model == "flux-2-ultra"
    assert card.price is not None
    assert card.price.first == 1


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("[bfl", "the header `[bfl` has no closing `]`"),
        ("[bfl.flux-2-pro]\nrefernces = 3", "did you mean `references`?"),
        ("[bfl.flux-2-pro]\nreferences = -3", "expected a whole number, 0 or more, got -3"),
        ("[bfl.flux-2-pro]\nprice = { first = -1 }", "expected an amount in USD, got -1"),
        ("[bfl.flux-2-pro]\nprice = { first = nan }", "expected an amount in USD"),
        ("[bfl.x]\nparams = []\nprice = { further = 1 }", "a price needs `first`"),
        ("[bfl.flux-2-pro]\nprice = 3", "expected a table, got 3"),
        ("[bfl]\nflux-2-pro = 3", "expected a table, got 3"),
        ("bfl = 3", "cards of `bfl`: expected a table, got 3"),
        ("[bfl.x]\nlike = 'bfl/y'", "there is no card `bfl/y`"),
        ("[bfl.x]\nlike = 'bfl/x'", "`like` goes in a circle: bfl/x -> bfl/x"),
        ("[bfl.x]\nparams = 'seed'", "expected a list, got 'seed'"),
        ("[bfl.x]\nparams = [1]", "expected a text, got 1"),
        ("[bfl.flux-2-pro]\nprice = { first = true }", "expected an amount in USD"),
        ("[bfl.x]\nparams = []\nranges = { seed = [1, 2] }", "unknown key"),
        ("[blf.flux-2-pro.price]\nfirst = 1", "there is no provider `blf`"),
        ("[bfl.flux-2-prp.price]\nfirst = 1", "provider `bfl` has no model `flux-2-prp`"),
        ("[sketch.sketch.price]\nfirst = 1", "`sketch` draws for nothing"),
        ("[bfl.x]\nparams = ['seed']\nranges = { seed = [2, 1] }", "expected [least, most]"),
        ("[bfl.x]\nparams = ['seed']\nranges = { seed = [] }", "expected [least, most], got []"),
        ("[bfl.x]\nparams = ['seed']\nranges = { seed = [1, 2, 3] }", "expected [least, most]"),
        ("[bfl.x]\nparams = ['seed']\nranges = { seed = ['1', 2] }", "expected [least, most]"),
        ("[bfl.x]\nparams = ['seed']\ndefaults = { steps = 2 }", "unknown key `steps`"),
        ("[bfl.x]\nparams = ['seed']\ndefaults = { seed = inf }", "expected a finite number"),
        ("[bfl.x]\nparams = ['format']\ndefaults = { format = -1 }", "a text as `defaults.format`"),
        (
            "[bfl.flux-2-pro]\nprice = { first = 1, reference_sure = 1 }",
            "expected true or false",
        ),
    ],
)
def test_mistakes_name_the_card_and_the_key(over: str, expected: str) -> None:
    """A wrong table is refused with the card's name and what was expected."""
    with pytest.raises(UsageError) as error:
        merged(over, "config.toml")

    (problem,) = error.value.problems
    assert expected in f"{problem.message}: {problem.hint}"
    assert problem.place is not None
    assert problem.place.file == "config.toml"
    assert problem.place.line > 0
    assert problem.place.column > 0


@pytest.mark.parametrize(
    ("over", "pointed"),
    [
        ("# mine\n[bfl.flux-2-pro]\nrefernces = 3", "refernces"),
        ("[bfl.flux-2-pro.price]\nfirst = -1", "-1"),
        ('["replicate"."black-forest-labs/flux-2-pro"]\nreferences = -3', "-3"),
        ("[bfl.x]\nlike = 'bfl/y'", "'bfl/y'"),
        ("[bfl.flux-2-pro]\n\nprice = { first = 1, frist = 2 }", "frist"),
        ("[bfl.x]\nparams = ['seed']\n[bfl.x.ranges]\nseed = [2, 1]", "[2, 1]"),
    ],
)
def test_a_mistake_in_a_card_is_pointed_at(over: str, pointed: str) -> None:
    """The place is that of the word to mend, however a model is spelled."""
    with pytest.raises(UsageError) as error:
        merged(over)

    (problem,) = error.value.problems
    assert problem.place is not None
    assert problem.excerpt is not None
    start = problem.place.column - 1
    assert problem.excerpt[start : start + problem.width] == pointed


def test_several_mistakes_are_reported_together() -> None:
    """Two wrong cards are two problems of one error."""
    with pytest.raises(UsageError) as error:
        read(parse("[a.b]\nx = 1\n[a.c]\ny = 1", "cards.toml"))

    assert len(error.value.problems) == 2


def test_figures_are_read_exactly() -> None:
    """A price of a tenth of a cent is that, not the nearest binary fraction."""
    assert parse("x = 0.001", "f")["x"] == Decimal("0.001")


@pytest.mark.parametrize("key", ["ranges", "choices", "defaults", "price", "prices", "params"])
@pytest.mark.parametrize(
    "value",
    [
        "1",
        "-inf",
        "nan",
        "true",
        '"x"',
        "[]",
        "{ width = inf }",
        "1979-05-27",
        "9" * 5000,
        "[" * 9000,
    ],
)
def test_odd_tables(key: str, value: str) -> None:
    """Whatever a person writes into a card is read or refused by a typed error."""
    with suppress(UsageError):
        merged(f'[bfl."flux-2-pro"]\n{key} = {value}\n')


def test_only_the_provider_that_is_asked_for_is_imported() -> None:
    """A spec that renders with one provider pays for no other one."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    members = {f"flux2build.providers.{name}" for name in PROVIDERS}

    assert members & set(ran.stdout.split()) == {"flux2build.providers.sketch"}


def test_own_cards_are_merged_over_shipped_ones() -> None:
    """The user's price replaces the shipped one; other providers keep theirs."""
    models = Models("[bfl.flux-2-pro.price]\nfirst = 0.04")
    price = models["bfl"]["flux-2-pro"].price

    assert price is not None
    assert price.first == Decimal("0.04")
    assert models["sketch"] == PROVIDERS["sketch"].cards


def test_a_card_does_not_make_a_provider() -> None:
    """Only providers of flux2build have models, and a card of another one is refused."""
    with pytest.raises(UsageError, match="there is no provider `nonsense`"):
        Models('[nonsense.model]\nparams = ["width"]')["bfl"]


def test_users_own_cards_may_use_the_carriers_spelling() -> None:
    """Tables with a carrier's spelling of a model are of the same model, and so is `like`."""
    own = """
    [replicate."black-forest-labs/flux-2-pro"]
    price = { first = 0.02 }
    [replicate.flux-2-pro]
    max_side = 1440
    [replicate."acme/flux-2-pro"]
    like = "replicate/black-forest-labs/flux-2-pro"
    """
    cards = merged(own)["replicate"]
    pro, acme = cards["flux-2-pro"], cards["acme/flux-2-pro"]

    assert pro.price
    assert (pro.price.first, pro.max_side) == (Decimal("0.02"), 1440)
    assert (acme.price, acme.max_side) == (pro.price, pro.max_side)
    assert "black-forest-labs/flux-2-pro" not in cards
