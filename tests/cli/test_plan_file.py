"""Plans in files: what was read is what is built, and what is spent is said."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.golden import text
from tests.simulated import charges

PAID = ("-p", "final")


def test_a_plan_is_carried_out_once(three: Site, server: httpx.Client) -> None:
    """`build FILE` takes profile and selection from the file; afterwards the plan is void."""
    three.edit("assets.toml", "[asset.fox]", '[asset.owl]\nprompt = "an owl"\n[asset.fox]')
    written = three.run("plan", *PAID, "owl", "-o", "owl.plan")
    assert "`flux2build build owl.plan -p final` carries out this plan and no other" in written.err
    before = charges(server)

    assert three.run("build", "owl.plan", "--yes").code == Exit.DONE
    assert charges(server) == before + 1
    assert not three.folder.joinpath("img/fox.png").exists()
    again = three.run("build", "owl.plan", "--yes")
    assert (again.code, again.err) == (
        Exit.DECIDE,
        text("""
            error: the plan in `owl.plan` no longer holds; nothing was done
              = changed: img/owl.png
              hint: read the plan as it is now, and write it again: `flux2build plan -o owl.plan -p final owl`
            """),
    )


@pytest.mark.parametrize(
    "move",
    [
        lambda site: site.edit("assets.toml", "a fox", "a vixen"),
        lambda site: site.edit("assets.toml", "widths = [32]", "widths = [32, 16]"),
        lambda site: site.edit("assets.toml", "flux-2-pro", "flux-2-max"),
        lambda site: site.write("img/fox.png", "by hand"),
        lambda site: site.run("build", *PAID, "--yes"),
    ],
)
def test_a_plan_is_void_once_the_world_has_moved_on(
    three: Site, server: httpx.Client, move: Callable[[Site], object]
) -> None:
    """Whatever changes what is done, for what price or over what file: nothing is done."""
    three.run("plan", *PAID, "-o", "p.plan")
    move(three)
    before, bill = three.files(), charges(server)

    assert three.run("build", "p.plan", "--yes").code == Exit.DECIDE
    assert (three.files(), charges(server)) == (before, bill)


def test_a_plan_consents_to_nothing(three: Site) -> None:
    """The file may be a stranger's: it is built on the terms of whoever starts the build."""
    three.run("plan", *PAID, "-o", "p.plan")

    assert three.run("build", "p.plan").code == Exit.BUDGET
    assert three.run("build", "p.plan", "-p", "draft").code == Exit.USAGE
    three.edit("p.plan", '"flux2build_plan": 1', '"flux2build_plan": 2')
    assert "holds no plan that this flux2build can read" in three.run("build", "p.plan").err


def test_what_is_spent_is_said(three: Site) -> None:
    """The price is said before the order and the sum after it; `-v` and JSON have each order."""
    ran = three.run("build", *PAID, "--yes", "-v", "--json")

    lines = [line for line in ran.err.splitlines() if "$" in line]
    assert lines == [
        "Plan (final): 1 to render, 1 to derive, 0 up to date. Price: $0.03.",
        "$0.03    fox",
        "Spent: $0.03 for 1 order.",
    ]
    document = json.loads(ran.out)
    assert document["orders"] == [{"asset": "fox", "cost": "0.03"}]
    assert (document["spent"], document["reserved"]) == ("0.03", "0")
    assert "Spent" not in three.run("build", *PAID).err
