"""`flux2build list`: every asset, its state, and where it lies."""

from __future__ import annotations

import json

from flux2build.errors import Exit
from tests.conftest import Ran, Site

NEW = """\
mascot             new       img/mascot.png
hero[theme=light]  new       img/hero-light.png and 4 more
hero[theme=dark]   new       img/hero-dark.png and 4 more
icon               new       img/icon.png
"""


def test_states(site: Site) -> None:
    """What a build would touch is changed, the rest current; in the order of the spec."""
    assert site.run("list") == Ran(Exit.DONE, NEW, "")
    site.run("build")
    assert site.run("list").out == NEW.replace("new    ", "current")
    site.edit("assets.toml", "a bell", "a drum")
    assert site.run("list", "state:changed").out == "icon  changed   img/icon.png\n"


def test_sources(site: Site) -> None:
    """An asset that is a file of the user's is a source, and shows that file."""
    site.run("build")
    site.folder.joinpath("img/icon.png").rename(site.folder / "logo.png")
    site.edit("assets.toml", '[asset.icon]\nprompt = "a bell"', '[asset.icon]\nsource = "logo.png"')

    assert site.run("list", "icon").out == "icon  source    logo.png\n"


def test_selection(site: Site) -> None:
    """The grammar of selections holds here as everywhere; what is nobody's name is an error."""
    assert (
        site.run("list", "hero", "--exclude", "*theme=dark*").out.split()[0] == "hero[theme=light]"
    )
    assert site.run("list", "tag:brand").out.split()[0] == "mascot"
    assert site.run("list", "state:current") == Ran(Exit.DONE, "", "No asset is selected.\n")
    ran = site.run("list", "hreo")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "did you mean `hero`?" in ran.err


def test_an_empty_spec(empty: Site) -> None:
    """A spec without assets is not an error."""
    empty.write("assets.toml", "")

    assert empty.run("list") == Ran(Exit.DONE, "", "The spec has no asset yet.\n")
    for words in ([], ["plan"], ["check"], ["graph"]):
        assert empty.run(*words).code == Exit.DONE


def test_json(site: Site) -> None:
    """Programs get all states, outputs and tags."""
    document = json.loads(site.run("list", "--json").out)

    assert document["format_version"] == "1.0"
    assert document["assets"][0] == {
        "asset": "mascot",
        "states": ["changed", "new"],
        "outputs": ["img/mascot.png"],
        "tags": ["brand"],
    }
    assert len(document["assets"][1]["outputs"]) == 5


def test_it_only_reads(site: Site) -> None:
    """Looking changes nothing."""
    before = site.files()
    site.run("list")
    site.run("list", "--json", "-p", "final")

    assert site.files() == before


def test_what_is_out_of_date_is_told_apart(site: Site) -> None:
    """An asset that was never made is new; a missing or edited file is not a change of the spec."""

    def states() -> set[str]:
        return {line.split()[1] for line in site.run("list").out.splitlines()}

    assert states() == {"new"}
    assert site.run("build").code == 0
    site.folder.joinpath("img/icon.png").unlink()
    site.draw("img/mascot.png")
    site.edit("templates/hero.j2", "desk", "bar")
    assert states() == {"missing", "modified", "changed"}
