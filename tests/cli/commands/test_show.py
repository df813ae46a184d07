"""`show`: exactly what would be sent, and what is derived from it."""

from __future__ import annotations

import json

from tests.conftest import Site
from tests.golden import text


def test_requests(site: Site) -> None:
    """Every default, template and reference applied; what is said beside the picture comes first."""
    ran = site.run("show", "mascot", "hero[theme=dark]")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == text("""
        mascot
          alt        The Acme fox
          tags       brand
          provider   sketch
          model      sketch
          prompt     a friendly fox in a #0A84FF scarf
          format     png
          height     96
          seed       42
          width      128
          output     img/mascot.png
        hero[theme=dark]
          provider   sketch
          model      sketch
          prompt     image 1 at a desk, dark mood
          format     png
          height     96
          width      128
          image 1    asset:mascot
          output     img/hero-dark.png
          deliver    img/hero-dark-32.webp
                     crop ratio=16:9 | resize upscale=false width=32 | webp source_type=algorithmicMedia
          deliver    img/hero-dark-64.webp
                     crop ratio=16:9 | resize upscale=false width=64 | webp source_type=algorithmicMedia
          deliver    img/hero-dark-32.jpeg
                     crop ratio=16:9 | resize upscale=false width=32 | jpeg source_type=algorithmicMedia
          deliver    img/hero-dark-64.jpeg
                     crop ratio=16:9 | resize upscale=false width=64 | jpeg source_type=algorithmicMedia
        """)


def test_sources(site: Site) -> None:
    """An asset that is not rendered shows the file it is."""
    site.write("photo.jpg", "a photo")
    site.write("assets.toml", '[asset.shop]\nsource = "photo.jpg"\ntitle = "Our shop"\n')

    assert site.run("show", "shop").out == text("""
        shop
          source     photo.jpg
          title      Our shop
        """)


def test_profiles(site: Site) -> None:
    """The request is the one of the profile that is asked for."""
    out = site.run("show", "icon", "--profile", "final").out

    assert "  provider   bfl\n  model      flux-2-pro\n" in out
    assert "  output     final/icon.png\n" in out


def test_json(site: Site) -> None:
    """One object for each asset, one request for each of its files."""
    value = json.loads(site.run("show", "hero", "--json").out)
    light, dark = value["assets"]

    assert value["format_version"] == "1.0"
    assert dark["axes"] == {"theme": "dark"}
    assert light["requests"][0] == {
        "kind": "generate",
        "output": "img/hero-light.png",
        "inputs": ["asset:mascot"],
        "provider": "sketch",
        "model": "sketch",
        "prompt": "image 1 at a desk, light mood",
        "params": {"format": "png", "height": 96, "width": 128},
        "take": 1,
    }
    assert light["requests"][1]["ops"][0] == {"op": "crop", "version": 1, "ratio": "16:9"}
    assert [r["kind"] for r in dark["requests"]] == ["generate", *["derive"] * 4]


def test_hostile_words(site: Site) -> None:
    """Control characters of a prompt cannot steer the terminal that shows it."""
    site.edit("assets.toml", '"a bell"', r'"a \u001b[31mbell\u202e"')

    assert r"a \u001b[31mbell\u202e" in site.run("show", "icon").out


def test_nothing_named(site: Site) -> None:
    """Without a name there is nothing to show."""
    ran = site.run("show")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: show which asset?\n  hint: `flux2build list` names them all\n"
