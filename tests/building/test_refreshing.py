"""Files of an older encoder are current; `--refresh-derived` makes them again, for nothing."""

from __future__ import annotations

import json
import re

from flux2build.images.encode import encoders
from tests.conftest import Site

OLD = "pillow 1.2.3, libwebp 0.1"


def aged(site: Site) -> None:
    """A built site whose webp files were written by an old encoder."""
    assert site.run("build").code == 0
    lock = site.folder / "assets.lock"
    text = lock.read_text("utf-8")
    assert text.count(encoders()["webp"]) == 4
    lock.write_text(text.replace(encoders()["webp"], OLD), "utf-8")


def test_an_upgrade_of_the_encoder_is_no_drift(site: Site) -> None:
    """The lock says who wrote a file; by itself that asks for nothing."""
    aged(site)
    assert site.run("check").code == 0
    before = site.files()
    assert site.run("build").code == 0
    assert site.files() == before


def test_derived_files_are_refreshed_when_asked(site: Site) -> None:
    """The plan says who wrote them, the build makes exactly those again, and then all is quiet."""
    aged(site)
    plan = json.loads(site.run("plan", "--refresh-derived", "--json").out)
    due = [step for step in plan["steps"] if step["action"] != "keep"]
    assert {step["output"].rpartition(".")[2] for step in due} == {"webp"}
    assert {tuple(step["reasons"]) for step in due} == {(f"encoder-changed:{OLD}",)}
    assert f"written by `{OLD}`" in site.run("plan", "--refresh-derived").out

    ran = site.run("build", "--refresh-derived")
    assert (ran.code, "Built: 4 derived" in ran.err) == (0, True)
    assert OLD not in site.folder.joinpath("assets.lock").read_text("utf-8")
    again = site.run("build", "--refresh-derived")
    assert (again.code, re.findall("derived", again.err)) == (0, [])


def test_only_what_is_selected_is_refreshed(site: Site) -> None:
    """A selection narrows refreshing as it narrows everything."""
    aged(site)
    assert site.run("build", "hero[theme=dark]", "--refresh-derived").code == 0
    assert site.folder.joinpath("assets.lock").read_text("utf-8").count(OLD) == 2
