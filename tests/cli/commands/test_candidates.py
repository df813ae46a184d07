"""`candidates`: how many are ordered, what they cost, and how they are shown."""

from __future__ import annotations

import json

import httpx
import pytest
from PIL import Image

from tests.conftest import Site
from tests.simulated import charges, scenario


def test_a_cap_counts_all_candidates(sheet: Site, server: httpx.Client) -> None:
    """A cap below the price of all candidates orders none of them."""
    assert sheet.run("build", "--max-cost", "0.11").code == 4
    assert charges(server) == 0


def test_comps_show_all_candidates_and_the_first_stands_in(sheet: Site) -> None:
    """A free provider draws every candidate; what is made of them does not wait."""
    assert sheet.run("build", "-p", "draft").code == 0
    assert sheet.run("check", "-p", "draft").code == 0
    rows = json.loads(sheet.run("candidates", "-p", "draft", "--json").out)["candidates"]

    assert [(row["candidate"], row["state"], row["cost"]) for row in rows] == [
        (1, "ships", "0"), (2, "candidate", "0"), (3, "candidate", "0"), (4, "candidate", "0"),
    ]  # fmt: skip
    assert len({row["sha256"] for row in rows}) == 4


def test_a_failed_candidate_leaves_its_siblings_and_is_ordered_again(
    sheet: Site, server: httpx.Client
) -> None:
    """What was paid for is kept, and only the candidate that failed is ordered again."""
    scenario(server, {"stage": "submit", "fault": "http", "code": 422, "nth": 2, "times": "once"})
    assert sheet.run("build", "sheet", "--yes").code == 5
    before = charges(server)
    scenario(server)
    assert sheet.run("build", "sheet", "--yes").code == 5

    assert (before, charges(server)) == (3, 4)


def test_a_lost_lock_is_rebuilt_from_the_ledger(sheet: Site, server: httpx.Client) -> None:
    """Candidates whose receipts the lock lost are adopted from the ledger, free."""
    sheet.run("build", "sheet", "--yes")
    sheet.folder.joinpath("assets.lock").unlink()

    assert sheet.run("build", "sheet", "--max-cost", "0").code == 5
    assert len(json.loads(sheet.run("candidates", "--json").out)["candidates"]) == 4
    assert charges(server) == 4


def test_sheet_and_page_show_every_candidate(sheet: Site) -> None:
    """The sheet is a picture with a tile for each, the page a file that needs no other."""
    sheet.run("build", "-p", "draft")
    assert sheet.run("candidates", "-p", "draft", "-o", "sheet.png").code == 0
    assert sheet.run("candidates", "-p", "draft", "-o", "page.html").code == 0
    page = sheet.folder.joinpath("page.html").read_text("utf-8")

    with Image.open(sheet.folder / "sheet.png") as picture:
        assert picture.width > 4 * 320
    assert page.count('<img src="data:image/webp;base64,') == 4
    assert "http" not in page.replace("http-equiv", "")
    refused = sheet.run("candidates", "-o", "sheet.pdf")
    assert refused.code == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("candidates = 0", "must be at least 1, not 0"),
        ("candidates = 17", "must be at most 16, not 17"),
        ("candidates = 2\nseeds = [1, 2]", "`candidates` and `seeds` exclude each other"),
        ("candidates = 2\nseed = 4", "sends the same 2 times: `seed` is fixed"),
        ("seeds = [1, 1]", "the same seed gives the same picture"),
        ("seeds = []", "must not be empty"),
        ("seeds = [4294967296]", "goes from 0 to 4294967295"),
        ("seed = 1\nseeds = [1, 2]", "`seed` and `seeds` exclude each other"),
        ('seed = "7"', "must be a whole number, not a text"),
        ('take = "{{ 1 - 1 }}"', "`take` comes to 0"),
        ("seed = \"{{ 'x' }}\"", "`seed` comes to `x`, which is not a whole number"),
    ],
)
def test_what_cannot_be_ordered_is_an_error_at_its_line(
    sheet: Site, line: str, message: str
) -> None:
    """Numbers out of bounds, and candidates that would all be one picture, are refused."""
    sheet.edit("assets.toml", "candidates = 4", line)
    refused = sheet.run("plan")

    assert refused.code == 2
    assert message in refused.err
    assert "assets.toml:" in refused.err


def test_take_and_seed_may_be_templates_of_axes(sheet: Site) -> None:
    """Members differ in what templates of the take and the seed come to."""
    sheet.edit(
        "assets.toml", 'prompt = "scene {{ n }}"', 'prompt = "scene"\nseed = "{{ n | int * 10 }}"'
    )
    orders = [json.loads(sheet.run("show", f"scene[n={n}]", "--json").out) for n in (1, 2)]

    assert '"seed": 10' in json.dumps(orders[0])
    assert '"seed": 20' in json.dumps(orders[1])


def test_whose_turn_it_is_is_told_where_there_are_none(sheet: Site) -> None:
    """A build orders what the spec asks for, and the spec asks for what it does not say yet."""
    assert "`flux2build build sheet` orders them" in sheet.run("candidates", "sheet").err
    for word in ("build", "approve"):
        assert sheet.run(word, "sheet", "-p", "draft").code == 0
    sheet.edit("assets.toml", 'prompt = "', 'prompt = "bright ')
    told = sheet.run("candidates", "sheet", "-p", "draft").err
    assert "--reopen sheet" in told
    sheet.edit("assets.toml", "candidates = 4\n", "")
    assert "`candidates = 4` in an asset" in sheet.run("candidates", "sheet").err


def test_nothing_is_drawn_of_no_candidates(sheet: Site) -> None:
    """An empty sheet or page is not written, and the message says so."""
    for name in ("sheet.png", "page.html"):
        ran = sheet.run("candidates", "-o", name)
        assert (ran.code, f"{name} was not written" in ran.err) == (0, True)
        assert not sheet.folder.joinpath(name).exists()


def test_a_palette_is_needed_to_sort_by_it(sheet: Site) -> None:
    """Without one the order would be none; how to write one is said."""
    sheet.run("build", "-p", "draft")
    refused = sheet.run("candidates", "-p", "draft", "--sort", "palette")
    assert (refused.code, "`palette = { colours = " in refused.err) == (2, True)
    with sheet.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write('[checks]\npalette = { colours = ["#0A84FF"] }\n')
    rows = json.loads(sheet.run("candidates", "-p", "draft", "--sort", "palette", "--json").out)
    distances = [row["palette_distance"] for row in rows["candidates"]]
    assert distances == sorted(distances)


def test_candidates_are_told_apart_wherever_they_are_named(
    sheet: Site, server: httpx.Client
) -> None:
    """`explain` counts them with their price, and orders say the number of each."""
    explained = sheet.run("explain", "sheet").out
    assert "4 candidates\n" in explained
    assert "$0.12" in explained
    scenario(server, {"stage": "submit", "fault": "garbage", "nth": 2, "times": "once"})
    sheet.run("build", "sheet", "--yes", "-j", "1")
    scenario(server)
    [order] = json.loads(sheet.run("orders", "--json").out)["orders"]
    assert f"sheet, candidate {order['candidate']}  " in sheet.run("orders").out
    shown = sheet.run("orders", "show", order["order"])
    assert f"sheet, candidate {order['candidate']}\n" in shown.out
    numbers = json.loads(sheet.run("orders", "list", "--everything", "--json").out)["orders"]
    assert sorted(each["candidate"] for each in numbers) == [1, 2, 3, 4]
    sheet.edit("assets.toml", "[asset.sheet]", "[asset.sheet")
    assert sheet.run("orders").out.count("sheet  ") == 1
