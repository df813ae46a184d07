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

    watched = {os.path.relpath(path, site.folder) for path in sources.watched()}

    assert {"assets.toml", "templates/hero.j2", "ref.png"} <= watched
    assert "assets.lock" not in watched
    assert not {name for name in watched if Path(name).suffix in {".webp", ".jpeg"}}
