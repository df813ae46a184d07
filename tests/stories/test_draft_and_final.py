"""An art director drafts a hundred posters cheaply, and finance pays for the twelve that are chosen."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT
from tests.simulated import charges, scenario
from tests.spawned import flux2build

pytestmark = NEEDS_GIT

SPEC: Final = f"""\
[project]
output = "img"
profile = "draft"
[defaults]
provider = "bfl"
seed = 7
[profile.draft]
model = "flux-2-klein-4b"
output = "drafts"
width = 1024
height = 512
[profile.final]
model = "flux-2-max"
output = "finals"
width = 2048
height = 1024
ship = "approved"
[asset.poster]
matrix = {{ n = {list(range(1, 101))} }}
prompt = "poster {{{{ n }}}}"
deliver = [{{ path = "{{{{ n }}}}.webp", widths = [64] }}]
"""
CHOSEN: Final = [f"poster[n={n}]" for n in range(7, 91, 7)]


@pytest.fixture
def posters(project: Site) -> Site:
    """A hundred posters, of which none is drawn."""
    project.write("assets.toml", SPEC)
    return project


def plan(site: Site, *words: str) -> dict[str, Any]:
    """The totals of a plan."""
    told: dict[str, Any] = json.loads(site.run("plan", "--json", *words).out)["summary"]
    return told


def test_a_few_of_many_drafts_are_promoted(posters: Site, server: httpx.Client) -> None:
    """Drafts and finals are priced, kept, approved and checked apart."""
    drafts = plan(posters)
    assert (drafts["render"], drafts["price_max"]) == (100, "1.400")
    assert posters.run("build", *CHOSEN[:2], "--yes").code == Exit.DONE
    assert sorted(posters.files()) == [
        "assets.lock", "assets.toml", "drafts/14.webp", "drafts/7.webp", "drafts/poster-14.png",
        "drafts/poster-7.png",
    ]  # fmt: skip

    finals = plan(posters, "-p", "final", *CHOSEN)
    assert (len(CHOSEN), finals["render"], finals["price_max"]) == (12, 12, "1.20")
    approved = posters.run("approve", CHOSEN[0])
    assert approved.code == Exit.DONE
    assert "another model draws another picture" in approved.err
    assert posters.run("build", *CHOSEN[:1], "-p", "final", "--yes").code == Exit.DECIDE
    assert [path for path in posters.files() if "finals" in path] == ["finals/poster-7.png"]
    assert posters.run("check", CHOSEN[0], "--require-approved").code == Exit.DONE
    assert posters.run("check", CHOSEN[0], "-p", "final", "--require-approved").code == Exit.DRIFT
    lock = posters.folder.joinpath("assets.lock").read_text("utf-8")
    assert '[asset."poster[n=7]".draft.review]' in lock
    assert '[asset."poster[n=7]".final.generated]' in lock
    assert '[asset."poster[n=7]".final.review]' not in lock

    found = json.loads(posters.run("check", "-p", "final", "--json").out)["findings"]
    missing = {each["asset"] for each in found if each["code"] == "never-rendered"}
    assert missing == {f"poster[n={n}]" for n in range(1, 101)} - {CHOSEN[0]}
    assert charges(server) == 3


def test_what_is_spent_is_capped_and_kept(posters: Site, server: httpx.Client) -> None:
    """A cap below the estimate refuses all of it; the bill is stored for each picture, and summed."""
    refused = posters.run("build", *CHOSEN, "-p", "final", "--max-cost", "1.19")
    assert (refused.code, charges(server)) == (Exit.BUDGET, 0)
    scenario(server, {"stage": "submit", "fault": "price", "factor": "1.5"})
    built = posters.run("build", CHOSEN[0], "--yes")
    assert built.code == Exit.DONE
    assert "$0.021" in built.err
    assert "$0.014" in built.err
    assert '"0.021"' in posters.folder.joinpath("assets.lock").read_text("utf-8")
    [total] = json.loads(posters.run("cost", "--by", "asset", "--json").out)["sums"]
    assert (total["asset"], total["spent"]) == (CHOSEN[0], "0.021")


def test_a_watch_draws_drafts_up_to_its_cap(posters: Site, server: httpx.Client) -> None:
    """A session that may spend so much shows what would be more, and spends no more."""
    with flux2build(posters.folder, "watch", *CHOSEN[:1], "--max-cost", "0.02") as process:
        process.until("watching")
        assert charges(server) == 1
        posters.edit("assets.toml", "poster {{ n }}", "placard {{ n }}")
        process.until("watching")
        process.interrupt()
    assert charges(server) == 1
    assert all(not path.startswith("finals") for path in posters.files())
