"""sketch, the provider: the order decides everything."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from flux2build.assetspec.params import PARAMS
from flux2build.digest import Json, of_bytes
from flux2build.model import Order
from flux2build.providers.capabilities import FREE
from flux2build.providers.contract import Embedded, Reference
from flux2build.providers.sketch import PROVIDER


def order(**params: Json) -> Order:
    """An order of a fox with these parameters."""
    return Order("sketch", "a fox in a #0A84FF scarf", params, ())


def test_it_is_embedded_and_free() -> None:
    """The provider needs no key and costs nothing, and takes what any model takes."""
    card = PROVIDER.cards[PROVIDER.default_model]

    assert isinstance(PROVIDER, Embedded)
    assert "sketch" == PROVIDER.name == card.model
    assert card.price == FREE
    assert {"width", "height", "format", "seed"} == card.params
    assert card.shapes
    assert card.params | card.ignores | {"aspect_ratio", "resolution"} == set(PARAMS)
    assert card.ignores.isdisjoint(card.params | {"aspect_ratio", "resolution"})
    assert card.formats == ("png", "jpeg", "webp")
    assert (card.min_side, card.max_side, card.references) == (16, 8192, 10)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_it_draws_what_is_ordered(form: str) -> None:
    """The picture has the order's size and format."""
    image = Image.open(BytesIO(PROVIDER.draw(order(width=160, height=96, format=form), ())))

    assert ((160, 96), form.upper()) == (image.size, image.format)


def test_an_order_without_a_shape_is_a_square_png() -> None:
    """A parameter that is not ordered has the default of the family."""
    image = Image.open(BytesIO(PROVIDER.draw(order(), ())))

    assert (image.size, image.format) == ((1024, 1024), "PNG")


def test_the_seed_decides() -> None:
    """The same order gives the same bytes; a seed, a take or an input gives others."""
    shape: dict[str, Json] = {"width": 128, "height": 128}
    plain = order(**shape)
    orders = [
        plain,
        order(**shape, seed=1),
        order(**shape, seed=2),
        Order("sketch", plain.prompt, shape, (), take=2),
        Order("sketch", plain.prompt, shape, (of_bytes(b"reference"),)),
    ]

    assert PROVIDER.draw(plain, ()) == PROVIDER.draw(order(**shape), ())
    assert len(orders) == len({PROVIDER.draw(each, ()) for each in orders})


def test_references_are_in_the_picture() -> None:
    """A reference is shown, even one that cannot be decoded."""
    shape = order(width=320, height=320)
    broken = Reference("refs/broken.png", b"not a picture", "image/png")

    assert PROVIDER.draw(shape, ()) != PROVIDER.draw(shape, [broken])
