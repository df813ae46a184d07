"""Sources: settings, spec and graph, read at most once, and the files to watch for changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flux2build.errors import SpecError
from flux2build.session.common_options import CommonOptions
from flux2build.session.sources import Sources
from tests.conftest import Site


def opened(site: Site) -> Sources:
    """The sources of a site, not yet read."""
    return Sources(CommonOptions(), site.folder, "assets.toml")


def test_circles(empty: Site) -> None:
    """Assets that need each other are a mistake in the spec, at the first of them."""
    empty.write(
        "assets.toml",
        '[asset.a]\nprompt = "a"\nrefs = [{ asset = "b" }]\n'
        '[asset.b]\nprompt = "b"\nrefs = [{ asset = "a" }]\n',
    )

    with pytest.raises(SpecError, match="in a circle: `a` -> `b` -> `a`"):
        _ = opened(empty).graph


def test_inputs_are_what_a_watcher_needs(site: Site) -> None:
    """Everything that the spec reads or looks for, and nothing that a build writes."""
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nrefs = ["ref.png"]')
    site.write("ref.png", "x")
    sources = opened(site)
    _ = sources.graph

    watched = {os.path.relpath(path, site.folder) for path in sources.watched().files}

    assert {"assets.toml", "templates/hero.j2", "ref.png"} <= watched
    assert "assets.lock" not in watched
    assert not {name for name in watched if Path(name).suffix in {".webp", ".jpeg"}}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (".git", "output folder `img` is not a folder of the project"),
        ("../elsewhere", "output folder `img` is not a folder of the project"),
        (
            "refs",
            "output `img/mascot.png` would overwrite the source `refs/mascot.png`, through a l",
        ),
        (
            "templates",
            "output `img/mascot.png` would overwrite a file of the templates folder `templates`",
        ),
    ],
)
def test_outputs_behind_links(site: Site, target: str, said: str) -> None:
    """An output folder that is a link leads neither out, nor into git, nor to what the spec reads."""
    site.folder.parent.joinpath("elsewhere").mkdir()
    site.write("refs/mascot.png", "no picture")
    site.edit("assets.toml", "[asset.icon]\n", '[asset.icon]\nrefs = ["refs/mascot.png"]\n')
    site.folder.joinpath("img").symlink_to(target)
    before = site.files()

    for command in ("plan", "check", "build"):
        ran = site.run(command)
        assert (ran.code, said in ran.err) == (2, True), ran

    assert site.files() == before
    assert list(site.folder.parent.joinpath("elsewhere").iterdir()) == []


def test_a_linked_output_folder(site: Site) -> None:
    """A link to another folder of the project is followed."""
    site.folder.joinpath("public").mkdir()
    site.folder.joinpath("img").symlink_to("public")

    assert site.run("build").code == 0
    assert site.folder.joinpath("public/mascot.png").exists()
    assert site.run("check").code == 0


def test_other_profiles_keep_their_files(site: Site) -> None:
    """What another profile reads or writes is not there to be removed in this one."""
    site.run("build")
    site.folder.joinpath("img/mascot.png").rename(site.folder / "img/x.png")
    site.edit(
        "assets.toml",
        "[asset.icon]\n",
        '[asset.icon.profile.final]\nrefs = ["img/x.png"]\n[asset.icon]\n',
    )
    sources = opened(site)

    assert sources.kept("img/x.png") == "a source of the profile `final`"
    assert sources.kept("final/icon.png") == "an output of the profile `final`"
    assert sources.kept("assets.toml") == "the spec `assets.toml`"
    assert sources.kept("img/icon.png") is None
