"""Receipts: what was paid for each picture, how well that is known, and that it adds up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import pytest

from flux2build.simulator import Scenario, running
from tests.conftest import Site

SPEC: Final = """\
[project]
name = "acme"
[defaults]
provider = "bfl"
width = 256
height = 256
[asset.fox]
prompt = "a fox"
[asset.owl]
model = "flux-2-max"
prompt = "an owl"
[asset.hen]
provider = "cometapi"
prompt = "a hen"
[asset.bell]
provider = "sketch"
prompt = "a bell"
"""


def _serve(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    for provider, key in (("BFL", "BFL_API_KEY"), ("COMETAPI", "COMETAPI_KEY")):
        monkeypatch.setenv(f"FLUX2BUILD_{provider}_URL", base)
        monkeypatch.setenv(key, "practice")


@pytest.fixture
def bought(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of four pictures: two from bfl, one from a gateway, one free."""
    empty.write("assets.toml", SPEC)
    with running(Scenario(latency=0, fast=True)) as base:
        _serve(monkeypatch, base)
        assert empty.run("build", "--yes").code == 0
        yield empty


def test_receipt_says_how_well_its_cost_is_known(bought: Site) -> None:
    """The last answer's figure is settled; a gateway that tells none leaves the estimate."""
    text = bought.folder.joinpath("assets.lock").read_text("utf-8")

    pairs = re.findall(r'receipt.cost = "([\d.]+)"\nreceipt.cost_source = "(\w+)"', text)
    assert sorted((Decimal(usd), how) for usd, how in pairs) == [
        (Decimal(0), "free"),
        (Decimal("0.03"), "estimated"),
        (Decimal("0.03"), "settled"),
        (Decimal("0.07"), "settled"),
    ]


def test_cost_without_a_last_word_is_the_submitted_one(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last answer names no cost, the answer to the order did."""
    empty.write("assets.toml", SPEC)
    with running(Scenario(latency=0.01, fast=True, final_cost=False)) as base:
        _serve(monkeypatch, base)
        assert empty.run("build", "--yes", "fox").code == 0

    assert "(submitted)" in empty.run("cost").out


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("asset", {"fox": "0.03", "hen": "0.03", "owl": "0.07"}),
        ("model", {"flux-2-max": "0.07", "flux-2-pro": "0.06"}),
        ("provider", {"bfl": "0.10", "cometapi": "0.03"}),
    ],
)
def test_receipts_add_up(bought: Site, by: str, expected: dict[str, str]) -> None:
    """Sums by asset, model and provider are exact; what was drawn for nothing is not among them."""
    sums = json.loads(bought.run("cost", "--by", by, "--json").out)["sums"]

    assert {one[by]: Decimal(one["spent"]) for one in sums} == {
        name: Decimal(usd) for name, usd in expected.items()
    }
