"""`explain`: the very verdict that a build acts on, for people and as JSON."""

from __future__ import annotations

import json

from tests.conftest import Site
from tests.golden import text


def test_current(site: Site) -> None:
    """What is kept is explained too; files about which the same is said share a line."""
    site.run("build")
    ran = site.run("explain", "hero[theme=dark]")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == text("""
        hero[theme=dark]  assets.toml:25:8
            keep     img/hero-dark.png
                     nothing it is made of has changed
            keep     img/hero-dark-32.webp and 3 more
                     nothing it is made of has changed
          made of: mascot
        """)


def test_edited(site: Site) -> None:
    """The words that changed are shown, and who is concerned."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox in a", "a friendly red fox with a")

    assert site.run("explain", "mascot", "hero[theme=light]").out == text("""
        mascot  assets.toml:19:8
          ~ render   img/mascot.png
                     prompt changed
                     prompt a friendly {+red +}fox [-in-]{+with+} a #0A84FF scarf
          needed by: hero[theme=dark], hero[theme=light]
        hero[theme=light]  assets.toml:25:8
          ? render   img/hero-light.png
                     waits for `mascot`
          ? derive   img/hero-light-32.webp and 3 more
                     follows its master
          made of: mascot
        """)


def test_prices(site: Site) -> None:
    """A paid picture is explained with its price."""
    assert site.run("explain", "icon", "-p", "final").out == text("""
        icon  assets.toml:36:8
          + render   final/icon.png
                     never rendered  $0.03
        """)


def test_everything(site: Site) -> None:
    """With -v every file stands by itself, with what it is keyed on."""
    site.run("build")
    lines = site.run("explain", "-v", "hero[theme=dark]").out.splitlines()

    assert len([line for line in lines if "img/hero-dark" in line]) == 5
    assert len([line for line in lines if line.startswith("             key sha256:")]) == 5


def test_json(site: Site) -> None:
    """Steps as `plan --json` has them, with key, changes and neighbours."""
    site.run("build")
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a gong"\nseed = 3')
    value = json.loads(site.run("explain", "icon", "mascot", "--json").out)
    planned = json.loads(site.run("plan", "--json").out)["steps"]

    mascot, icon = value["assets"]
    step = icon["steps"][0]
    assert value["format_version"] == "1.0"
    assert step["changes"] == {"prompt": "a [-bell-]{+gong+}", "seed": "none -> 3"}
    assert step["key"].startswith("sha256:")
    assert {k: v for k, v in step.items() if k not in {"key", "changes"}} in planned
    assert mascot["needed_by"] == ["hero[theme=dark]", "hero[theme=light]"]


def test_explanation_is_what_happens(site: Site) -> None:
    """The actions that are explained are those that a build takes."""
    site.run("build")
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a gong"')
    site.folder.joinpath("img/mascot.png").unlink()
    assets = json.loads(site.run("explain", "*", "--json").out)["assets"]
    done = json.loads(site.run("build", "--json").out)["done"]

    explained = {(s["output"], s["action"]) for asset in assets for s in asset["steps"]}
    assert {(d["output"], d["action"]) for d in done} == explained


def test_nothing_named(site: Site) -> None:
    """Without a name there is nothing to explain; a wrong one gets the nearest."""
    ran = site.run("explain")
    assert (ran.code, ran.err) == (
        2,
        "error: explain which asset?\n  hint: `flux2build list` names them all\n",
    )
    ran = site.run("explain", "mascto")
    assert (ran.code, ran.err) == (
        2,
        "error: there is no asset `mascto`\n  hint: did you mean `mascot`?\n",
    )
