"""`hold`: a picture stays as it is, whatever the spec says."""

from __future__ import annotations

import json

import httpx

from flux2build.lockfile import loads
from flux2build.model import AssetName
from tests.conftest import Site
from tests.simulated import charges


def test_a_held_picture_stays_whatever_the_spec_says(reviewed: Site, server: httpx.Client) -> None:
    """An edit of its prompt is not drift, a lost file is restored, and undoing the hold renders it."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("hold", "sheet", "--note", "printed already")
    reviewed.edit("assets.toml", "a fox", "an owl")
    picture = reviewed.folder / "img/sheet.png"
    shipped = picture.read_bytes()

    assert reviewed.run("check", "sheet").code == 0
    picture.unlink()
    assert reviewed.run("build", "sheet", "--max-cost", "0").code == 0
    assert picture.read_bytes() == shipped
    assert reviewed.run("build", "sheet", "--force", "sheet", "--yes").code == 5
    assert charges(server) == 1
    lock = loads(reviewed.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    block = lock.block(AssetName("sheet"), "default")
    assert block is not None
    assert block.generated is not None
    assert block.generated.prompt == "a fox, character sheet"
    assert reviewed.run("build", "sheet", "--yes", "--reopen", "sheet").code == 0
    assert charges(server) == 2


def test_a_hold_stays_where_something_else_is_reopened(
    reviewed: Site, server: httpx.Client
) -> None:
    """Only what is named is let go of; the held one is neither asked about nor rendered."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("hold", "sheet")
    reviewed.edit("assets.toml", "a fox", "an owl")

    plan = json.loads(reviewed.run("plan", "sheet", "--reopen", "scene*", "--json").out)
    assert {step["action"] for step in plan["steps"]} == {"keep"}
    assert charges(server) == 1
