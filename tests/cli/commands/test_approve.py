"""`approve`: a decision about bytes, what waits for it, and what it protects."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from flux2build.lockfile import Review, ReviewState, loads
from flux2build.model import AssetName
from tests.conftest import Site
from tests.simulated import charges


def review(site: Site, asset: str = "sheet") -> Review | None:
    """What the lock says was decided about an asset."""
    lock = loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    block = lock.block(AssetName(asset), "default")
    return block.review if block else None


def test_what_is_made_of_a_picture_waits_for_its_approval(
    reviewed: Site, server: httpx.Client
) -> None:
    """The story of the sheet: it is rendered, the scenes wait, and after the approval they render."""
    built = reviewed.run("build", "--yes")
    assert built.code == 5
    assert "`sheet` waits for approval; 2 assets wait for it" in built.err
    assert charges(server) == 1
    assert reviewed.folder.joinpath("img/sheet.webp").exists()
    plan = json.loads(reviewed.run("plan", "--json").out)
    assert plan["summary"]["price_max"] == "0"
    assert {r for s in plan["steps"] for r in s["reasons"]} == {"upstream-unapproved:sheet"}
    assert reviewed.run("check", "sheet").code == 0
    assert reviewed.run("check", "sheet", "--require-approved").code == 1

    approved = reviewed.run("approve", "sheet", "--note", "fine by me")
    assert approved.code == 0
    decided = review(reviewed)
    assert decided is not None
    assert (decided.state, decided.by, decided.note) == (
        ReviewState.APPROVED,
        "Ann <ann@example.com>",
        "fine by me",
    )
    assert reviewed.run("build", "--yes").code == 0
    assert charges(server) == 3
    assert reviewed.run("check", "--require-approved").code == 0
    assert '"approved"' in reviewed.run("list", "--json").out


def test_an_approved_picture_is_rendered_again_only_if_it_is_reopened(
    reviewed: Site, server: httpx.Client
) -> None:
    """Neither an edit nor `--force` renders it; `--reopen` does, and voids the approval."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("approve", "sheet")
    shipped = reviewed.folder.joinpath("img/sheet.png").read_bytes()
    forced = reviewed.run("build", "sheet", "--force", "sheet", "--yes")
    assert (forced.code, charges(server)) == (5, 1)
    assert "`flux2build build --force sheet --reopen sheet sheet` renders it" in forced.err
    reviewed.edit("assets.toml", "a fox", "an owl")

    assert reviewed.run("build", "sheet", "--yes").code == 5
    assert reviewed.run("check", "sheet").code == 1
    assert charges(server) == 1
    assert reviewed.folder.joinpath("img/sheet.png").read_bytes() == shipped
    assert "$0.03" in reviewed.run("plan", "sheet", "--reopen", "sheet").out
    assert reviewed.run("build", "sheet", "--yes", "--reopen", "sheet").code == 0
    assert charges(server) == 2
    assert review(reviewed) is None


def test_undoing_an_edit_needs_no_second_approval(reviewed: Site) -> None:
    """Approval is of bytes: as long as they are the picture, it holds."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("approve", "sheet")
    reviewed.edit("assets.toml", "a fox", "an owl")
    reviewed.run("build", "sheet", "--yes")
    reviewed.edit("assets.toml", "an owl", "a fox")

    assert reviewed.run("build", "sheet", "--yes").code == 0
    assert reviewed.run("check", "sheet", "--require-approved").code == 0


@pytest.mark.parametrize("where", ["style", "check", "profile"])
def test_approval_is_asked_for_by_style_tag_and_profile(reviewed: Site, where: str) -> None:
    """`review` in a style, a tag in `[checks.review]`, and `ship` in a profile ask for it alike."""
    reviewed.edit("assets.toml", 'review = "required"\n', 'style = "s"\ntags = ["brand"]\n')
    own = 'review = "required"' if where == "style" else 'prompt_suffix = "!"'
    text = f"[style.s]\n{own}\n"
    if where == "check":
        text += '[checks.review]\nrequired = ["tag:brand"]\n'
    if where == "profile":
        text += '[profile.final]\nship = "approved"\noutput = "final"\n'
    with reviewed.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write(text)
    profile = ("-p", "final") if where == "profile" else ()
    folder = "final" if where == "profile" else "img"

    assert reviewed.run("build", "--yes", *profile).code == 5
    assert reviewed.folder.joinpath(f"{folder}/sheet.png").exists()
    assert reviewed.folder.joinpath(f"{folder}/sheet.webp").exists() == (where != "profile")
    assert reviewed.run("approve", "sheet", *profile).code == 0
    assert reviewed.run("build", "--yes", *profile).code == 0
    assert reviewed.folder.joinpath(f"{folder}/sheet.webp").exists()


def test_who_decides_has_a_name(reviewed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name and an address of git's nothing is decided, and the remedy is named."""
    reviewed.run("build", "sheet", "--yes")
    monkeypatch.delenv("GIT_AUTHOR_NAME")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    refused = reviewed.run("approve", "sheet")

    assert refused.code == 6
    assert "user.name" in refused.err


def test_what_cannot_be_decided_about_is_named(reviewed: Site) -> None:
    """Nothing, a picture that is not there, and one that was edited by hand are refused."""
    assert reviewed.run("approve").code == 2
    assert "has no picture yet" in reviewed.run("approve", "sheet").err
    reviewed.run("build", "sheet", "--yes")
    Path("img/sheet.png").write_bytes(b"edited")
    assert "is not the picture" in reviewed.run("approve", "sheet").err


def test_a_profile_that_ships_what_is_approved_waits_with_its_documents(reviewed: Site) -> None:
    """Masters are there to be looked at; neither files nor a manifest of them, until all is approved."""
    reviewed.edit("assets.toml", 'review = "required"\n', "")
    reviewed.edit("assets.toml", "[defaults]", '[manifest]\npath = "all.json"\n[defaults]')
    text = '[profile.final]\nship = "approved"\noutput = "final"\n'
    with reviewed.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write(f'deliver = [{{ formats = ["webp"] }}]\n{text}')
    final = ("-p", "final")

    def final_files() -> list[str]:
        return sorted(path for path in reviewed.files() if path.startswith("final/"))

    assert reviewed.run("build", "--yes", *final).code == 5
    assert final_files() == ["final/sheet.png"]
    planned = json.loads(reviewed.run("plan", "--json", *final).out)["steps"]
    assert {step["action"] for step in planned if step["action"] != "keep"} == {"ask"}
    assert reviewed.run("approve", "sheet", *final).code == 0
    assert reviewed.run("build", "--yes", *final).code == 5
    assert [path for path in final_files() if not path.endswith(".png")] == ["final/sheet.webp"]
    manifest = next(
        step
        for step in json.loads(reviewed.run("plan", "--json", *final).out)["steps"]
        if step["output"] == "final/all.json"
    )
    assert (manifest["action"], manifest["reasons"]) == ("ask", ["upstream-waiting:scene[n=1]"])
    checked = json.loads(reviewed.run("check", "--json", *final).out)["findings"]
    [hint] = [each["hint"] for each in checked if each["path"] == "final/all.json"]
    assert hint == "decide about that first, then build"

    assert reviewed.run("approve", "scene", *final).code == 0
    assert reviewed.run("build", "--yes", *final).code == 0
    assert "final/all.json" in final_files()
    assert reviewed.run("check", "--require-approved", *final).code == 0
