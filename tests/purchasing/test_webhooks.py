"""The URL of a callback names its order to whoever has the secret, and says nothing to others."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.ledger import Intended, expected
from flux2build.model import Order
from flux2build.providers.cards import shipped
from flux2build.purchasing.webhooks import UNKNOWN, Called, Webhooks
from tests.snapshots import d

HOOKS: Final = Webhooks("https://hooks.example.com/f2b", "s" * 32)
ORDER: Final = Order("flux-2-pro", "a fox", {"width": 1024, "format": "png"}, (d("desk"),), take=2)
INTENDED: Final = Intended(
    order=ORDER.digest,
    attempt="a" * 32,
    at="2026-11-27T03:00:00+00:00",
    provider="bfl",
    model=ORDER.model,
    asset="secret plan",
    reserve=Decimal("0.045"),
    payload=d("payload"),
    project="/home/me/shop",
    account="abcdef123456",
    expected=expected(ORDER.params),
)


def path_of(url: str) -> str:
    """What the URL of a callback has behind the public one."""
    return url.removeprefix(f"{HOOKS.url}/")


def test_the_order_is_read_from_its_url() -> None:
    """Where nothing else is known of it, all is there but the prompt and the names of things."""
    callback = HOOKS.callback(ORDER, INTENDED)

    known = HOOKS.called(path_of(callback.url))

    anonymous = replace(INTENDED, asset=UNKNOWN, project="")
    assert known == Called(anonymous, callback, ORDER.params, ORDER.inputs, ORDER.take)
    assert path_of(callback.url).startswith("bfl/")
    assert HOOKS.secret not in callback.url + callback.secret + repr(HOOKS)


@pytest.mark.parametrize("provider", ["bfl", "replicate"])
def test_the_longest_url_is_short_enough(provider: str) -> None:
    """BFL takes 2083 characters: they hold any order behind the longest public URL."""
    cards = shipped()[provider].values()
    params = {name: "1234567890" for card in cards for name in card.params}
    order = Order("flux-2-klein-9b-preview", "a fox", params, tuple(d(str(n)) for n in range(10)))
    hooks = replace(HOOKS, url="https://" + "x" * 492)

    callback = hooks.callback(order, replace(INTENDED, expected=expected(params)))

    assert len(callback.url) <= 2083


def test_another_secret_or_order_gives_another_callback() -> None:
    """Knowing the callback of one order does not help to forge that of another."""
    own, others = HOOKS.callback(ORDER, INTENDED), replace(HOOKS, secret="t" * 32)
    callbacks = [
        own,
        HOOKS.callback(ORDER, replace(INTENDED, attempt="b" * 32)),
        others.callback(ORDER, INTENDED),
    ]

    assert len({each.secret for each in callbacks}) == len({each.url for each in callbacks}) == 3
    assert others.called(path_of(own.url)) is None


@given(at=st.integers(0), character=st.characters(codec="utf-8"))
def test_a_changed_url_names_no_order(at: int, character: str) -> None:
    """Whatever is changed in it, it is not known any more."""
    path = path_of(HOOKS.callback(ORDER, INTENDED).url)
    at %= len(path)
    changed = path[:at] + character + path[at + 1 :]

    assert HOOKS.called(changed) is None or changed == path


@given(st.text())
def test_any_text_is_read(path: str) -> None:
    """An invented path is not an order, and not an error."""
    assert HOOKS.called(path) is None
