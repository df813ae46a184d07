"""A brand lead changes a colour that 72 of 180 pictures have in their prompts; here, 8 of 20."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, commit, git
from tests.simulated import charges
from tests.spawned import flux2build

pytestmark = NEEDS_GIT

SCALE: Final = 9 if os.environ.get("FLUX2BUILD_DEEP") else 1
CARDS: Final = [f"card[n={n}]" for n in range(1, 8 * SCALE + 1)]
OTHERS: Final = 12 * SCALE
SPEC: Final = f"""\
[project]
output = "img"
[vars]
brand = {{ primary = "#0A84FF" }}
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[style.brand]
prompt_suffix = "in {{{{ brand.primary }}}}"
[asset.card]
style = "brand"
matrix = {{ n = {list(range(1, len(CARDS) + 1))} }}
prompt = "card {{{{ n }}}}"
[asset.photo]
matrix = {{ n = {list(range(1, OTHERS))} }}
prompt = "photo {{{{ n }}}}"
[asset.badge]
prompt = "a badge"
[[asset.badge.deliver]]
path = "badge-tinted.png"
ops = [{{ op = "tint", color = "{{{{ brand.primary }}}}" }}]
"""


@pytest.fixture
def branded(project: Site) -> Site:
    """The site as it is, built and committed."""
    project.write("assets.toml", SPEC)
    assert project.run("build", "--yes").code == Exit.DONE
    commit(project.folder)
    return project


def plan(site: Site, *words: str) -> dict[str, Any]:
    """What a plan says."""
    told: dict[str, Any] = json.loads(site.run("plan", "--json", *words).out)
    return told


def rendered(site: Site, *words: str) -> list[str]:
    """The assets that would be rendered."""
    return [step["asset"] for step in plan(site, *words)["steps"] if step["action"] == "render"]


def pictures(site: Site) -> dict[str, bytes]:
    """The pictures in the work tree."""
    return {name: data for name, data in site.files().items() if name.endswith(".png")}


def test_a_colour_changes_and_the_change_is_taken_back(
    branded: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exactly what shows it is rendered, a sample first, and the revert costs nothing anywhere."""
    before, asked = pictures(branded), len(server.get("/_sim/requests").json()["requests"])
    branded.edit("assets.toml", "#0A84FF", "#FF3B30")

    told = plan(branded)
    assert rendered(branded) == CARDS
    assert float(told["summary"]["price_max"]) == pytest.approx(0.03 * len(CARDS))
    assert [step["asset"] for step in told["steps"] if step["action"] == "derive"] == ["badge"]
    assert "card 7 in [-#0A84FF-]{+#FF3B30+}" in branded.run("plan").out
    assert len(server.get("/_sim/requests").json()["requests"]) == asked

    sample = CARDS[:5]
    assert branded.run("build", *sample, "--yes").code == Exit.DONE
    assert charges(server) == len(CARDS) + OTHERS + 5
    assert rendered(branded) == CARDS[5:]
    after = pictures(branded)
    assert {name for name in before if before[name] != after[name]} == {
        f"img/card-{n}.png" for n in range(1, 6)
    }

    assert branded.run("build", "--yes").code == Exit.DONE
    commit(branded.folder, "Change the palette")
    git(branded.folder, "revert", "--no-edit", "HEAD")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another machine"))
    assert branded.run("check").code == Exit.DONE
    assert pictures(branded) == before
    git(branded.folder, "checkout", "HEAD~1", "--", "assets.toml")
    assert branded.run("build", "--max-cost", "0").code == Exit.DONE
    assert charges(server) == 2 * len(CARDS) + OTHERS


def test_an_interrupt_leaves_a_lock_that_tells_the_truth(
    branded: Site, server: httpx.Client
) -> None:
    """After Ctrl-C every picture is the old one or the new one, and nothing is bought twice."""
    branded.edit("assets.toml", "#0A84FF", "#FF3B30")
    with flux2build(branded.folder, "build", "--yes", "-v", "-j", "2") as process:
        process.until("render ")
        process.interrupt()
        assert process.ended() == Exit.INTERRUPTED
    due = rendered(branded)
    assert set(due) < set(CARDS)
    found = json.loads(branded.run("check", "--json").out)["findings"]
    assert {each["code"] for each in found} <= {"prompt-changed", "ops-changed"}

    assert branded.run("build", "--yes").code == Exit.DONE
    assert branded.run("check").code == Exit.DONE
    assert charges(server) == 2 * len(CARDS) + OTHERS


def test_a_move_renders_nothing(branded: Site, server: httpx.Client) -> None:
    """A family with another name in an output folder at another place keeps its pictures."""
    before = branded.folder.joinpath("img/card-3.png").read_bytes()
    branded.edit("assets.toml", "[asset.card]", "[asset.tile]")
    branded.edit("assets.toml", 'output = "img"', 'output = "static/pictures"')
    assert plan(branded)["summary"]["render"] == 0
    assert branded.run("build", "--max-cost", "0").code == Exit.DONE
    assert branded.run("prune", "--yes").code == Exit.DONE
    assert branded.run("check").code == Exit.DONE
    assert branded.folder.joinpath("static/pictures/tile-3.png").read_bytes() == before
    assert charges(server) == len(CARDS) + OTHERS


def test_a_renamed_word_is_found_where_it_is_renamed(branded: Site) -> None:
    """`check` fails in the pull request, at the line of the spec, and names every picture."""
    branded.edit("assets.toml", '"card {{ n }}"', '"ticket {{ n }}"')
    checked = branded.run("check", "--output-format", "github")
    assert checked.code == Exit.DRIFT
    assert "file=assets.toml,line=" in checked.out
    found = json.loads(branded.run("check", "--json").out)["findings"]
    assert [each["asset"] for each in found] == CARDS
