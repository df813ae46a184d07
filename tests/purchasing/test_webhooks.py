"""The URL of a callback names its order to whoever has the secret, and says nothing to others."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.ledger import Intended
from flux2build.purchasing.webhooks import UNKNOWN, Webhooks
from tests.snapshots import d

HOOKS: Final = Webhooks("https://hooks.example.com/f2b", "s" * 32)
ORDERED: Final = Intended(
    order=d("order"),
    attempt="a" * 32,
    at="2026-11-27T03:00:00+00:00",
    provider="bfl",
    model="flux-2-pro",
    asset="secret plan",
    reserve=Decimal("0.045"),
    payload=d("payload"),
    project="/home/me/shop",
    account="abc",
    expected={"width": 1024, "height": 1024, "format": "png"},
)


def path_of(url: str) -> str:
    """What the URL of a callback has behind the public one."""
    return url.removeprefix(f"{HOOKS.url}/")


def test_the_order_is_read_from_its_url() -> None:
    """Where nothing else is known of it, all is there but the names that stay at home."""
    callback = HOOKS.callback(ORDERED)

    known = HOOKS.attempt(path_of(callback.url))

    assert known == (replace(ORDERED, asset=UNKNOWN, project=""), callback)
    assert urlsplit(callback.url).path.startswith("/f2b/bfl/")
    assert len(callback.url) < 2083 - 500


def test_nothing_private_is_in_it() -> None:
    """Neither the secret nor a path of this machine reaches the provider."""
    callback = HOOKS.callback(ORDERED)
    known = HOOKS.attempt(path_of(callback.url))

    assert known is not None
    assert "shop" not in str(known)
    assert HOOKS.secret not in callback.url + callback.secret + repr(HOOKS)


def test_another_secret_or_order_gives_another_callback() -> None:
    """Who knows the callback of one order can forge none of another."""
    others = [
        HOOKS.callback(replace(ORDERED, attempt="other")),
        replace(HOOKS, secret="t" * 32).callback(ORDERED),
    ]

    secrets = {HOOKS.callback(ORDERED).secret, *(each.secret for each in others)}
    assert len(secrets) == 3
    assert HOOKS.attempt(path_of(others[1].url)) is None


@given(at=st.integers(0), byte=st.characters(codec="utf-8"))
def test_a_changed_url_names_no_order(at: int, byte: str) -> None:
    """Whatever is changed in it, it is not known any more."""
    path = path_of(HOOKS.callback(ORDERED).url)
    at %= len(path)
    changed = path[:at] + byte + path[at + 1 :]

    assert HOOKS.attempt(changed) is None or changed == path


@given(st.text())
def test_any_text_is_read(path: str) -> None:
    """A path that somebody made up is no order, and no error."""
    assert HOOKS.attempt(path) is None
