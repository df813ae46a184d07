"""`reroll`: further candidates, which are never paid twice."""

from __future__ import annotations

import json

import httpx
import pytest

from flux2build.session.home import user_journal
from tests.conftest import Site
from tests.simulated import charges


@pytest.mark.parametrize("entry", ["intended", "ticketed", "delivered"])
def test_a_reroll_that_was_cut_off_is_not_paid_again(
    sheet: Site, server: httpx.Client, entry: str
) -> None:
    """Whatever the ledger last heard of a further candidate, it is bought at most once."""
    sheet.run("build", "sheet", "--yes")
    sheet.run("reroll", "sheet", "--yes")
    journal = user_journal().path
    lines = journal.read_bytes().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if f'"{entry}"'.encode() in line)
    journal.write_bytes(b"".join(lines[: last + 1]))
    lock = sheet.folder / "assets.lock"
    text = lock.read_text("utf-8")
    lock.write_text(text[: text.index("\n[asset.sheet.default.candidate.5]")], "utf-8")
    sheet.run("reroll", "sheet", "--yes")

    assert charges(server) == 5


def test_a_reroll_orders_further_ones_and_keeps_what_ships(
    sheet: Site, server: httpx.Client
) -> None:
    """A picture without candidates gets some; the one that ships stays until another is picked."""
    sheet.edit("assets.toml", "candidates = 4\n", "seed = 7\n")
    assert sheet.run("build", "sheet", "--yes").code == 0
    shipped = sheet.folder.joinpath("img/sheet.png").read_bytes()
    assert "$0.06" in sheet.run("reroll", "sheet", "-n", "2", "--dry-run").out
    assert sheet.run("reroll", "sheet", "-n", "2", "--yes").code == 0
    rows = json.loads(sheet.run("candidates", "--json").out)["candidates"]

    assert [(row["candidate"], row["seed"]) for row in rows] == [(1, 7), (2, 8), (3, 9)]
    assert sheet.folder.joinpath("img/sheet.png").read_bytes() == shipped
    assert sheet.run("check", "sheet").code == 0
    assert sheet.run("pick", "sheet", "3").code == 0
    assert sheet.run("build", "sheet", "--max-cost", "0").code == 0
    assert sheet.run("check", "sheet").code == 0
    assert sheet.folder.joinpath("img/sheet.png").read_bytes() != shipped
    assert charges(server) == 3


def test_what_was_approved_gets_further_ones_only_if_it_is_reopened(
    reviewed: Site, server: httpx.Client
) -> None:
    """The command that is named for it orders one."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("approve", "sheet")
    refused = reviewed.run("reroll", "sheet", "--yes")
    assert (refused.code, charges(server)) == (5, 1)
    assert "`flux2build reroll sheet --reopen sheet` orders" in refused.err

    assert reviewed.run("reroll", "sheet", "--reopen", "sheet", "--yes").code == 0
    assert charges(server) == 2
