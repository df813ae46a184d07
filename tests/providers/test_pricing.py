"""Prices: the worked examples of the published formula, and its laws."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.digest import Json
from flux2build.providers.capabilities import FREE, Card, Price
from flux2build.providers.cards import shipped
from flux2build.providers.pricing import (
    MEGAPIXEL,
    Cliff,
    Quote,
    cliff,
    megapixels,
    money,
    price_range,
    quote,
)

BFL = shipped()["bfl"]
SIDES = st.integers(4, 128).map(lambda n: n * 16)


def _credits(model: str, width: int, height: int, *references: tuple[int, int] | None) -> Quote:
    found = quote(BFL[model], {"width": width, "height": height}, references)
    assert found is not None
    return Quote(found.low * 100, found.high * 100)


@pytest.mark.parametrize(
    ("model", "width", "height", "expected"),
    [
        ("flux-2-pro", 512, 512, "3"),
        ("flux-2-pro", 1024, 1024, "3"),
        ("flux-2-pro", 1040, 1024, "4.5"),
        ("flux-2-pro", 1920, 1080, "4.5"),
        ("flux-2-pro", 1920, 1088, "4.5"),
        ("flux-2-pro", 2048, 1536, "6"),
        ("flux-2-pro", 2048, 2048, "7.5"),
        ("flux-2-max", 1024, 1024, "7"),
        ("flux-2-max", 2048, 2048, "16"),
        ("flux-2-flex", 1024, 1024, "5"),
        ("flux-2-flex", 2048, 2048, "20"),
        ("flux-2-klein-4b", 2048, 1024, "1.5"),
        ("flux-2-klein-9b", 2048, 2048, "2.1"),
    ],
)
def test_worked_examples_without_references(
    model: str, width: int, height: int, expected: str
) -> None:
    """An order without references costs exactly what the published examples say."""
    assert Quote(Decimal(expected), Decimal(expected)) == _credits(model, width, height)


def test_worked_example_of_an_edit() -> None:
    """One megapixel in and one out costs 4.5 credits on pro."""
    assert Quote(Decimal("4.5"), Decimal("4.5")) == _credits("flux-2-pro", 1024, 1024, (1024, 1024))


def test_decimals_are_exact() -> None:
    """Tenths of a credit add up without a trace of binary fractions."""
    assert _credits("flux-2-klein-4b", 2048, 1024, (64, 64)).high == Decimal("1.6")


@pytest.mark.parametrize(
    ("model", "listed", "elsewhere"),
    [
        ("flux-2-pro", "4.5", "4.5"),
        ("flux-2-klein-4b", "1.4", "1.5"),
        ("flux-2-klein-9b", "1.5", "1.7"),
        ("flux-2-max", "7", "10"),
        ("flux-2-flex", "5", "10"),
    ],
)
def test_disputed_price_of_an_edit_is_a_range(model: str, listed: str, elsewhere: str) -> None:
    """Where the price list and the makers' own guide disagree on references, both are in the range."""
    found = _credits(model, 1024, 1024, (1024, 1024))

    assert Quote(Decimal(listed), Decimal(elsewhere)) == found


@pytest.mark.parametrize("count", range(9))
def test_each_reference_of_a_megapixel_is_one_more_unit(count: int) -> None:
    """Eight references on pro are eight further megapixels, as other clients show them."""
    found = _credits("flux-2-pro", 1024, 1024, *[(1024, 1024)] * count)

    assert found == Quote(*[Decimal(3) + Decimal("1.5") * count] * 2)


@pytest.mark.parametrize(
    ("provider", "model", "size", "expected"),
    [
        ("cometapi", "flux-2-pro", (1920, 1088), "0.045"),
        ("cometapi", "flux-2-max", (1024, 1024), "0.07"),
        ("cometapi", "flux-2-flex", (2048, 2048), "0.20"),
        ("replicate", "flux-2-pro", (1024, 1024), "0.03"),
        ("replicate", "flux-2-pro", (2048, 2048), "0.075"),
        ("replicate", "flux-2-max", (1024, 1024), "0.07"),
        ("replicate", "flux-2-flex", (1024, 1024), "0.06"),
    ],
)
def test_worked_examples_at_other_carriers(
    provider: str, model: str, size: tuple[int, int], expected: str
) -> None:
    """A gateway is estimated at its makers' list; Replicate charges a run and each megapixel."""
    found = quote(shipped()[provider][model], {"width": size[0], "height": size[1]})

    assert found == Quote(Decimal(expected), Decimal(expected))


def test_reference_of_unknown_size_is_bounded_by_what_the_model_takes() -> None:
    """A reference that is not made yet costs between one and four megapixels."""
    assert Quote(Decimal("4.5"), Decimal(9)) == _credits("flux-2-pro", 1024, 1024, None)


def test_input_cap_bounds_references_of_unknown_size() -> None:
    """Eight unknown references on pro come to at most nine megapixels, each rounded up."""
    found = _credits("flux-2-pro", 1024, 1024, *[None] * 8)

    assert Quote(Decimal(15), Decimal(3) + Decimal("1.5") * 16) == found


def test_size_left_to_the_server_is_bounded_by_the_model() -> None:
    """Without a size the order costs between one megapixel and the model's most."""
    expected = Quote(Decimal("0.03"), Decimal("0.075"))

    assert expected == quote(BFL["flux-2-pro"], {})


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ("1k", Quote(Decimal("0.048"), Decimal("0.048"))),
        ("4k", Quote(Decimal("0.607"), Decimal("0.607"))),
        ("8k", None),
        (None, None),
    ],
)
def test_flux_3_is_priced_by_class_and_fails_closed(
    resolution: str | None, expected: Quote | None
) -> None:
    """A class without a published price has no quote."""
    assert expected == quote(BFL["flux-3-image"], {"resolution": resolution})


@pytest.mark.parametrize(
    ("model", "params", "most"),
    [
        ("flux-2-pro", {"aspect_ratio": "16:9", "resolution": "0.5 MP"}, "0.03"),
        ("flux-2-pro", {"aspect_ratio": "16:9", "resolution": "2 MP"}, "0.045"),
        ("flux-2-pro", {"aspect_ratio": "1:1", "resolution": "match_input_image"}, "0.075"),
        ("flux-2-klein-4b", {"aspect_ratio": "1:1", "resolution": "4"}, "0.017"),
        ("flux-2-dev", {"aspect_ratio": "1:1"}, "0.024"),
    ],
)
def test_a_class_of_megapixels_is_a_bound(
    model: str, params: Mapping[str, Json], most: str
) -> None:
    """A resolution in megapixels is billed as so many at most, whatever shape they have."""
    found = quote(shipped()["replicate"][model], params)

    assert found is not None
    assert found.high == Decimal(most)


def test_free_cards_cost_nothing() -> None:
    """A free model quotes zero, whatever is asked."""
    card = Card(model="sketch", params=frozenset(), price=FREE)

    assert quote(card, {"width": 4096, "height": 4096}, [None, (9, 9)]) == Quote(
        Decimal(0), Decimal(0)
    )


def test_model_without_a_price_has_no_quote() -> None:
    """An unknown price is not zero."""
    assert quote(Card(model="x", params=frozenset()), {"width": 64, "height": 64}) is None


@given(SIDES, SIDES, st.lists(st.none() | st.tuples(SIDES, SIDES), max_size=8))
def test_bounds_are_in_order_and_knowing_more_never_widens_them(
    width: int, height: int, references: list[tuple[int, int] | None]
) -> None:
    """The lower bound is not above the upper one, and a known size stays between them."""
    loose = _credits("flux-2-pro", width, height, *[None] * len(references))
    tight = _credits("flux-2-pro", width, height, *references)

    assert tight.low <= tight.high
    assert loose.low <= tight.low


@given(SIDES, SIDES)
def test_megapixels_round_up(width: int, height: int) -> None:
    """Billed megapixels cover the picture and exceed it by less than one."""
    billed = megapixels(width, height)

    assert billed * MEGAPIXEL >= width * height
    assert billed == 1 or (billed - 1) * MEGAPIXEL < width * height


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1040, 1024), (1024, 1024)),
        ((1024, 1040), (1024, 1024)),
        ((1040, 1040), (1024, 1024)),
        ((1920, 1120), (1872, 1120)),
    ],
)
def test_cliff_names_the_size_that_saves_a_megapixel(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Just above a megapixel, the hint is the largest size just below it."""
    found = cliff(BFL["flux-2-pro"], {"width": size[0], "height": size[1]})

    assert Cliff(*expected, saving=Decimal("0.015")) == found


@pytest.mark.parametrize("size", [(1024, 1024), (512, 512), (1920, 1088), (1216, 1024)])
def test_no_cliff_where_nothing_is_near(size: tuple[int, int]) -> None:
    """A size that fills its megapixel, or is far above the last, has no cheaper neighbour."""
    assert cliff(BFL["flux-2-pro"], {"width": size[0], "height": size[1]}) is None


def test_no_cliff_where_megapixels_are_not_sold() -> None:
    """A model that charges nothing for further megapixels has no cliff."""
    card = Card(model="x", params=frozenset(), price=Price(first=Decimal(1)))

    assert cliff(card, {"width": 1040, "height": 1024}) is None


@given(SIDES, SIDES)
def test_cliff_is_really_cheaper_and_possible(width: int, height: int) -> None:
    """Whatever is suggested is smaller, allowed by the card, and one megapixel cheaper."""
    card = BFL["flux-2-pro"]
    found = cliff(card, {"width": width, "height": height})
    if found is None:
        return
    before = quote(card, {"width": width, "height": height})
    after = quote(card, {"width": found.width, "height": found.height})

    assert before is not None
    assert after is not None
    assert before.low - after.low == found.saving
    assert found.width % card.multiple == found.height % card.multiple == 0


def test_cliff_reads_as_a_sentence() -> None:
    """The hint names the size and the saving."""
    assert str(Cliff(1024, 1024, Decimal("0.0150"))) == "1024×1024 costs $0.015 less"  # noqa: RUF001  # as shown


def test_no_cliff_below_the_smallest_side() -> None:
    """A size that the card forbids is not suggested."""
    card = Card(
        model="x",
        params=frozenset(),
        multiple=16,
        min_side=1040,
        price=Price(first=Decimal(1), further=Decimal(1)),
    )

    assert cliff(card, {"width": 1040, "height": 1040}) is None


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("0.03", "$0.03"),
        ("0.045", "$0.045"),
        ("0.0450", "$0.045"),
        ("5", "$5.00"),
        ("1234.5", "$1234.50"),
        ("0.0004", "$0.0004"),
        ("1E+2", "$100.00"),
    ],
)
def test_money(amount: str, shown: str) -> None:
    """Cents, tenths of a cent where they matter, and never nothing for something."""
    assert money(Decimal(amount)) == shown


@given(st.decimals(0, 10_000, places=6))
def test_money_is_close(amount: Decimal) -> None:
    """What is shown is what it costs, to a tenth of a cent; only nothing is shown as nothing."""
    shown = Decimal(money(amount).removeprefix("$"))

    assert abs(shown - amount) <= Decimal("0.0005")
    assert (shown == 0) == (amount == 0)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        ("0", "0", "free"),
        ("0.03", "0.03", "$0.03"),
        ("0", "0.03", "$0.00 to $0.03"),
        ("0.03", None, "unknown price"),
    ],
)
def test_price_ranges(low: str, high: str | None, shown: str) -> None:
    """A certain price is one figure; an uncertain one is a range."""
    assert price_range(Decimal(low), None if high is None else Decimal(high)) == shown
