"""The account and the house rules: moderation, credit, keys, limits, and what servers forget."""

from __future__ import annotations

import httpx
import pytest
from PIL import Image

from tests.conftest import Site
from tests.matrix.carriers import CARRIERS, Carrier, Setup


@pytest.fixture(params=CARRIERS, ids=lambda one: one.name)
def setup(
    request: pytest.FixtureRequest,
    server: httpx.Client,
    empty: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> Setup:
    """A project that orders from each carrier in turn."""
    carrier: Carrier = request.param
    setup = Setup(empty, server, carrier, carrier.models[0])
    setup.open(monkeypatch)
    return setup


def _more(setup: Setup, *prompts: str) -> None:
    """Order more pictures."""
    for number, prompt in enumerate(prompts):
        text = setup.site.folder.joinpath("assets.toml").read_text("utf-8")
        setup.site.write("assets.toml", f'{text}[asset.more{number}]\nprompt = "{prompt}"\n')


@pytest.mark.parametrize("word", ["forbidden", "explicit"])
def test_moderated_order_is_not_sent_again_unchanged(setup: Setup, word: str) -> None:
    """A blocked order costs nothing, stays blocked until it changes, and may be forced."""
    setup.site.edit("assets.toml", "a fox", f"a {word} fox")

    first = setup.build()
    again = setup.build()

    assert (first.code, again.code, len(setup.charges), setup.posts) == (3, 3, 0, 1)
    assert "moderated" in first.err
    assert "--force" in again.err
    assert setup.build("--force", "fox").code == 3
    assert setup.posts == 2
    setup.site.edit("assets.toml", word, "friendly")
    assert setup.build().code == 0
    assert len(setup.charges) == 1


def test_empty_account_stops_ordering(setup: Setup) -> None:
    """After the first refusal for want of credit no other order is sent; with credit, all are."""
    _more(setup, "a cat", "a dog")
    setup.scenario(credits=0)

    ran = setup.build("--jobs", "1")

    assert (ran.code, setup.posts) == (4, 1), ran.err
    assert "the account is empty" in ran.err
    setup.scenario(credits=1000)
    assert setup.build().code == 0
    assert len(setup.charges) == 3


def test_wrong_key_stops_ordering(setup: Setup) -> None:
    """A key that the server refuses is named by its variable; nothing more is sent with it."""
    _more(setup, "a cat")
    setup.scenario(keys=["another"])

    ran = setup.build("--jobs", "1")

    assert (ran.code, setup.posts) == (6, 1), ran.err
    assert setup.carrier.variables[1] in ran.err
    setup.scenario(keys=[])
    assert setup.build().code == 0


def test_without_a_key_nothing_is_sent(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key is noticed before the network is."""
    monkeypatch.delenv(setup.carrier.variables[1])

    ran = setup.build()

    assert (ran.code, setup.requests) == (6, [])
    assert f"`{setup.carrier.variables[1]}` is not set" in ran.err


def test_busy_server_is_waited_for(setup: Setup) -> None:
    """More orders than the server takes at once all arrive, each for one charge."""
    _more(setup, "a cat", "a dog", "a hen", "an owl")
    setup.scenario(limit=1, retry_after="0")

    ran = setup.build("--jobs", "4")

    assert ran.code == 0, ran.err
    assert len(setup.charges) == 5


def test_failure_of_one_never_cancels_the_others(setup: Setup) -> None:
    """A failed order does not stop the others, and the gravest outcome decides the exit code."""
    _more(setup, "a forbidden cat", "a dog", "a hen", "an owl")
    setup.scenario(
        rules=[
            {"stage": "submit", "fault": "http", "code": 400, "prompt": "dog"},
            {"stage": "submit", "fault": "drop-after-read", "prompt": "hen", "times": "once"},
            {"stage": "download", "fault": "http", "code": 503, "prompt": "owl"},
        ]
    )

    ran = setup.build()

    assert (ran.code, len(setup.charges)) == (5, 3), ran.err
    assert "1 rendered, 4 failed" in ran.err
    setup.scenario()
    setup.site.edit("assets.toml", "forbidden", "friendly")
    again = setup.build()
    assert (again.code, len(setup.charges)) == (5, 5), again.err
    assert "1 collected" in again.err


def test_forgotten_task_is_not_bought_again(setup: Setup) -> None:
    """A task that the server denies is shown with its id; when it is known again, it is collected."""
    setup.scenario(retention=0)

    ran = setup.build()

    assert (ran.code, len(setup.charges)) == (5, 1), ran.err
    assert setup.charges[0]["id"] in ran.err
    setup.scenario(retention=3600)
    assert setup.build().code == 0
    assert (len(setup.charges), setup.posts) == (1, 1)


def test_forgotten_task_can_be_given_up(setup: Setup) -> None:
    """What the server has lost for good is written off, counts as spent, and is ordered anew."""
    setup.scenario(retention=0)
    assert setup.build().code == 5
    assert setup.site.run("orders", "write-off", setup.order["order"]).code == 0
    setup.scenario(retention=3600)

    assert setup.build().code == 0

    assert len(setup.charges) == 2
    assert "for 2 orders" in setup.site.run("cost").out


def test_expired_url_is_asked_for_anew(setup: Setup) -> None:
    """Where URLs expire at once the picture waits at the server, and comes when they last."""
    setup.scenario(expiry=0)

    ran = setup.build()

    assert (ran.code, len(setup.charges)) == (3, 1), ran.err
    setup.scenario(expiry=60)
    assert setup.build().code == 0
    assert setup.posts == 1


def test_file_from_the_provider_is_adopted(setup: Setup) -> None:
    """What a person fetched by hand settles an order in doubt, if it is a picture at all."""
    setup.scenario(rules=[{"stage": "submit", "fault": "drop-after-read"}])
    assert setup.build().code == 5
    order = setup.order["order"]
    nothing = setup.site.run("orders", "adopt", order)
    assert (nothing.code, "nothing was kept aside" in nothing.err) == (2, True)
    text = setup.site.run("orders", "adopt", order, "assets.toml")
    assert (text.code, "assets.toml" in text.err) == (2, True)
    Image.new("RGB", (256, 256), "teal").save(setup.site.folder / "mine.png")

    settled = setup.site.run("orders", "adopt", order, "mine.png")

    assert settled.code == 0, settled.err
    assert setup.build().code == 0
    assert len(setup.charges) == 1
    files = setup.site.files()
    assert files["fox.png"] == files["mine.png"]
