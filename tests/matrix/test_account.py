"""The account and the house rules: moderation, credit, keys, limits, and what servers forget."""

from __future__ import annotations

import httpx
import pytest
from PIL import Image

from tests.conftest import Site
from tests.matrix.carriers import CARRIERS, Carrier, Shop


@pytest.fixture(params=CARRIERS, ids=lambda one: one.name)
def shop(
    request: pytest.FixtureRequest,
    server: httpx.Client,
    empty: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> Shop:
    """A project that orders from each carrier in turn."""
    carrier: Carrier = request.param
    shop = Shop(empty, server, carrier, carrier.models[0])
    shop.open(monkeypatch)
    return shop


def _more(shop: Shop, *prompts: str) -> None:
    """Order more pictures."""
    for number, prompt in enumerate(prompts):
        text = shop.site.folder.joinpath("assets.toml").read_text("utf-8")
        shop.site.write("assets.toml", f'{text}[asset.more{number}]\nprompt = "{prompt}"\n')


@pytest.mark.parametrize("word", ["forbidden", "explicit"])
def test_moderated_order_is_not_sent_again_unchanged(shop: Shop, word: str) -> None:
    """A blocked order costs nothing, stays blocked until it changes, and may be forced."""
    shop.site.edit("assets.toml", "a fox", f"a {word} fox")

    first = shop.build()
    again = shop.build()

    assert (first.code, again.code, len(shop.charges), shop.posts) == (3, 3, 0, 1)
    assert "moderated" in first.err
    assert "--force" in again.err
    assert shop.build("--force", "fox").code == 3
    assert shop.posts == 2
    shop.site.edit("assets.toml", word, "friendly")
    assert shop.build().code == 0
    assert len(shop.charges) == 1


def test_empty_account_stops_ordering(shop: Shop) -> None:
    """After the first refusal for want of credit no other order is sent; with credit, all are."""
    _more(shop, "a cat", "a dog")
    shop.scenario(credits=0)

    ran = shop.build("--jobs", "1")

    assert (ran.code, shop.posts) == (4, 1), ran.err
    assert "the account is empty" in ran.err
    shop.scenario(credits=1000)
    assert shop.build().code == 0
    assert len(shop.charges) == 3


def test_wrong_key_stops_ordering(shop: Shop) -> None:
    """A key that the server refuses is named by its variable; nothing more is sent with it."""
    _more(shop, "a cat")
    shop.scenario(keys=["another"])

    ran = shop.build("--jobs", "1")

    assert (ran.code, shop.posts) == (6, 1), ran.err
    assert shop.carrier.variables[1] in ran.err
    shop.scenario(keys=[])
    assert shop.build().code == 0


def test_without_a_key_nothing_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key is noticed before the network is."""
    monkeypatch.delenv(shop.carrier.variables[1])

    ran = shop.build()

    assert (ran.code, shop.requests) == (6, [])
    assert f"`{shop.carrier.variables[1]}` is not set" in ran.err


def test_busy_server_is_waited_for(shop: Shop) -> None:
    """More orders than the server takes at once all arrive, each for one charge."""
    _more(shop, "a cat", "a dog", "a hen", "an owl")
    shop.scenario(limit=1, retry_after="0")

    ran = shop.build("--jobs", "4")

    assert ran.code == 0, ran.err
    assert len(shop.charges) == 5


def test_failure_of_one_never_cancels_the_others(shop: Shop) -> None:
    """Of five orders that meet five ends, what can arrive arrives, and the gravest code counts."""
    _more(shop, "a forbidden cat", "a dog", "a hen", "an owl")
    shop.scenario(
        rules=[
            {"stage": "submit", "fault": "http", "code": 400, "prompt": "dog"},
            {"stage": "submit", "fault": "drop-after-read", "prompt": "hen", "times": "once"},
            {"stage": "download", "fault": "http", "code": 503, "prompt": "owl"},
        ]
    )

    ran = shop.build()

    assert (ran.code, len(shop.charges)) == (5, 3), ran.err
    assert "1 rendered, 4 failed" in ran.err
    shop.scenario()
    shop.site.edit("assets.toml", "forbidden", "friendly")
    again = shop.build()
    assert (again.code, len(shop.charges)) == (5, 5), again.err
    assert "1 collected" in again.err


def test_forgotten_task_is_not_bought_again(shop: Shop) -> None:
    """A task that the server denies is shown with its id; when it is known again, it is collected."""
    shop.scenario(retention=0)

    ran = shop.build()

    assert (ran.code, len(shop.charges)) == (5, 1), ran.err
    assert shop.charges[0]["id"] in ran.err
    shop.scenario(retention=3600)
    assert shop.build().code == 0
    assert (len(shop.charges), shop.posts) == (1, 1)


def test_forgotten_task_can_be_given_up(shop: Shop) -> None:
    """What the server has lost for good is written off, counts as spent, and is ordered anew."""
    shop.scenario(retention=0)
    assert shop.build().code == 5
    assert shop.site.run("orders", "write-off", shop.order["order"]).code == 0
    shop.scenario(retention=3600)

    assert shop.build().code == 0

    assert len(shop.charges) == 2
    assert "for 2 orders" in shop.site.run("cost").out


def test_expired_url_is_asked_for_anew(shop: Shop) -> None:
    """Where URLs expire at once the picture waits at the server, and comes when they last."""
    shop.scenario(expiry=0)

    ran = shop.build()

    assert (ran.code, len(shop.charges)) == (3, 1), ran.err
    shop.scenario(expiry=60)
    assert shop.build().code == 0
    assert shop.posts == 1


def test_file_from_the_provider_is_adopted(shop: Shop) -> None:
    """What a person fetched by hand settles an order in doubt, if it is a picture at all."""
    shop.scenario(rules=[{"stage": "submit", "fault": "drop-after-read"}])
    assert shop.build().code == 5
    order = shop.order["order"]
    nothing = shop.site.run("orders", "adopt", order)
    assert (nothing.code, "nothing was kept aside" in nothing.err) == (2, True)
    text = shop.site.run("orders", "adopt", order, "assets.toml")
    assert (text.code, "assets.toml" in text.err) == (2, True)
    Image.new("RGB", (256, 256), "teal").save(shop.site.folder / "mine.png")

    settled = shop.site.run("orders", "adopt", order, "mine.png")

    assert settled.code == 0, settled.err
    assert shop.build().code == 0
    assert len(shop.charges) == 1
    files = shop.site.files()
    assert files["fox.png"] == files["mine.png"]
