"""`pick`: one of several candidates ships, and picking again is free."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from flux2build.lockfile import loads
from flux2build.model import AssetName
from tests.conftest import Site
from tests.simulated import charges


def states(sheet: Site) -> dict[str, list[str]]:
    """The states of each asset, as `list` tells them."""
    rows = json.loads(sheet.run("list", "--json").out)["assets"]
    return {row["asset"]: row["states"] for row in rows}


def test_four_are_ordered_one_ships_and_what_is_made_of_it_waits(
    sheet: Site, server: httpx.Client
) -> None:
    """The plan prices all candidates, the build stops for a pick, and picking again is free."""
    plan = json.loads(sheet.run("plan", "--json").out)
    assert plan["summary"]["price_max"] == "0.120"
    assert [step["candidate"] for step in plan["steps"] if "candidate" in step] == [1, 2, 3, 4]

    built = sheet.run("build", "--yes")
    assert built.code == 5
    assert "`sheet` waits for a pick; 2 assets wait for it" in built.err
    assert charges(server) == 4
    assert not sheet.folder.joinpath("img").exists()
    assert states(sheet)["sheet"] == ["changed", "pending", "unpicked"]
    checked = sheet.run("check", "--output-format", "concise")
    assert checked.code == 1
    assert "unpicked" in checked.out
    assert sheet.run("build", "--yes").code == 5
    assert charges(server) == 4

    assert sheet.run("pick", "sheet", "3").code == 0
    plan = json.loads(sheet.run("plan", "--json").out)
    assert plan["summary"]["price_max"] != "0"
    assert sheet.run("build", "--yes").code == 0
    assert charges(server) == 6
    assert sheet.run("check").code == 0

    shipped = sheet.folder.joinpath("img/sheet.png").read_bytes()
    assert sheet.run("pick", "sheet", "1").code == 0
    assert sheet.folder.joinpath("img/sheet.png").read_bytes() != shipped
    assert sheet.run("pick", "sheet", "3").code == 0
    assert sheet.folder.joinpath("img/sheet.png").read_bytes() == shipped
    assert sheet.run("build", "--max-cost", "0").code == 0
    assert charges(server) == 6
    lock = loads(sheet.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    assert len(lock.blocks[AssetName("sheet"), "default"].candidates) == 4
    assert sorted(path for path in sheet.files() if path.startswith("img/")) == [
        "img/scene-1.png", "img/scene-2.png", "img/sheet.png", "img/sheet.webp",
    ]  # fmt: skip


def test_the_lock_is_enough_on_another_machine(
    sheet: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clone without store and ledger buys nothing, and says where the other candidates are."""
    sheet.run("build", "sheet", "--yes")
    sheet.run("pick", "sheet", "2")
    sheet.run("build", "--yes")
    spent = charges(server)
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "other"))

    assert sheet.run("check").code == 0
    assert sheet.run("build", "--yes").code == 0
    refused = sheet.run("pick", "sheet", "1")
    assert refused.code == 6
    assert "not on this machine" in refused.err
    assert charges(server) == spent


def test_a_new_prompt_asks_for_new_candidates_and_undoing_it_is_free(
    sheet: Site, server: httpx.Client
) -> None:
    """A pick holds for its request only, and is there again once the request is."""
    sheet.run("build", "sheet", "--yes")
    sheet.run("pick", "sheet", "4")
    sheet.run("build", "sheet", "--yes")
    sheet.edit("assets.toml", "a fox", "an owl")

    assert "$0.12" in sheet.run("plan", "sheet").out
    assert sheet.run("build", "sheet", "--yes").code == 5
    sheet.edit("assets.toml", "an owl", "a fox")
    assert sheet.run("build", "sheet", "--max-cost", "0").code == 0
    assert charges(server) == 8


def test_a_file_that_is_not_ours_is_kept_when_a_candidate_takes_its_place(sheet: Site) -> None:
    """What lay at the path is in the store, and the command that brings it back is named."""
    sheet.run("build", "sheet", "--yes")
    drawn = sheet.draw("img/sheet.png").read_bytes()
    picked = sheet.run("pick", "sheet", "1")
    assert picked.code == 0
    words = picked.err.partition("`flux2build restore ")[2].partition("`")[0].split()

    assert sheet.run("restore", *words).code == 0
    assert sheet.folder.joinpath("img/sheet.png").read_bytes() == drawn


def test_a_pick_says_that_an_approval_is_void(sheet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision is about bytes, and nobody loses one unawares; neither by a picture of their own."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    said = "no longer approved: the picture is another one"
    sheet.run("build", "sheet", "--yes")
    assert said not in sheet.run("pick", "sheet", "1").err
    sheet.run("approve", "sheet")
    assert said in sheet.run("pick", "sheet", "2").err
    sheet.run("approve", "sheet")
    sheet.draw("own.png")
    assert said in sheet.run("adopt", "sheet", "own.png").err


def test_where_there_are_no_candidates_a_command_orders_one(sheet: Site) -> None:
    """It names the member of a family, as a shell takes it."""
    refused = sheet.run("pick", "scene[n=1]", "1")
    assert (refused.code, "`flux2build reroll 'scene[n=1]'`" in refused.err) == (2, True)


def test_a_protected_picture_gets_candidates_when_it_is_reopened(
    sheet: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that is advised orders them, and not one that only asks."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    sheet.run("build", "sheet", "--yes")
    sheet.run("pick", "sheet", "1")
    sheet.run("approve", "sheet")
    sheet.edit("assets.toml", "a fox", "an owl")
    refused = sheet.run("pick", "sheet", "2")
    advised = refused.err.partition("none yet: `flux2build ")[2].partition("`")[0].split()
    assert advised == ["build", "sheet", "--reopen", "sheet"]
    assert sheet.run(*advised, "--yes").code == 5
    assert charges(server) == 8
    assert sheet.run("pick", "sheet", "2").code == 0
