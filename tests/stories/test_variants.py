"""A front-end developer ships one picture in every width, format and icon that platforms ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image, ImageChops, ImageCms

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT
from tests.simulated import charges

pytestmark = NEEDS_GIT

SPEC: Final = """\
[project]
output = "img"
[manifest]
path = "assets.json"
[defaults]
provider = "bfl"
model = "flux-2-pro"
[asset.hero]
prompt = "a touring bicycle"
width = 640
height = 368
alt = "A touring bicycle"
[[asset.hero.deliver]]
widths = [160, 320]
formats = ["webp", "jpeg"]
"""
ICONS: Final = """\
[project]
output = "img"
[defaults]
provider = "sketch"
[asset.mark]
prompt = "a wren"
width = 1024
height = 1024
[[asset.mark.deliver]]
preset = "favicon"
path = "{{ target }}.{{ format }}"
matte = "#FBF3E4"
[[asset.mark.deliver]]
preset = "ios"
[[asset.mark.deliver]]
preset = "play-icon"
[[asset.mark.deliver]]
preset = "android"
"""


@pytest.fixture
def page(project: Site) -> Site:
    """A hero in two widths and two formats, paid for."""
    project.write("assets.toml", SPEC)
    assert project.run("build", "--yes").code == Exit.DONE
    return project


def actions(site: Site, *words: str) -> dict[str, str]:
    """What would be done about each file."""
    steps: list[dict[str, Any]] = json.loads(site.run("plan", "--json", *words).out)["steps"]
    return {step["output"]: step["action"] for step in steps if step["action"] != "keep"}


def looks(path: Path) -> tuple[str, tuple[int, int]]:
    """The mode and the size of a picture."""
    with Image.open(path) as picture:
        return picture.mode, picture.size


def test_more_and_fewer_variants_cost_nothing(page: Site, server: httpx.Client) -> None:
    """A format and a width more are derived, and one less is left over until it is pruned."""
    page.edit("assets.toml", '["webp", "jpeg"]', '["avif", "webp", "jpeg"]')
    page.edit("assets.toml", "[160, 320]", "[160, 320, 480]")
    due = actions(page)
    assert set(due.values()) == {"derive"}
    assert len([path for path in due if not path.endswith(".json")]) == 5
    assert page.run("build", "--max-cost", "0").code == Exit.DONE

    page.edit("assets.toml", "[160, 320, 480]", "[320, 480]")
    assert page.run("build", "--max-cost", "0").code == Exit.DONE
    found = json.loads(page.run("check", "--json").out)["findings"]
    assert {(each["code"], each["path"]) for each in found} == {
        ("orphan", f"img/hero-160.{form}") for form in ("avif", "webp", "jpeg")
    }
    assert page.run("prune", "--yes").code == Exit.DONE
    assert page.run("check").code == Exit.DONE
    assert charges(server) == 1


def test_nothing_is_scaled_up_unasked(page: Site) -> None:
    """A width that the master does not have is an error at its place, with the width that is needed."""
    page.edit("assets.toml", "[160, 320]", "[160, 1280]")
    refused = page.run("plan")
    assert refused.code == Exit.USAGE
    assert "1280" in refused.err
    assert "640" in refused.err
    assert "assets.toml:14:" in refused.err
    page.edit("assets.toml", "[160, 1280]", "[160, 1280]\nupscale = true")
    assert page.run("build", "--max-cost", "0").code == Exit.DONE


def test_icons_are_what_platforms_ask_for(project: Site) -> None:
    """Sizes, alpha, weights and safe zones of one master as favicon, for iOS, Play and Android."""
    project.write("assets.toml", ICONS)
    assert project.run("build").code == Exit.DONE
    folder = project.folder / "img"

    with Image.open(folder / "favicon.ico") as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    assert looks(folder / "apple-touch-icon.png") == ("RGB", (180, 180))
    [maskable] = folder.glob("*maskable*.png")
    with Image.open(maskable) as picture:
        ground = picture.convert("RGB")
        assert ground.getpixel((0, ground.height // 2)) == (0xFB, 0xF3, 0xE4)
    assert {looks(path)[0] for path in folder.rglob("*.appiconset/*.png")} == {"RGB"}
    [play] = folder.rglob("*play*.png")
    assert looks(play) == ("RGBA", (512, 512))
    assert play.stat().st_size <= 1_024_000
    foregrounds = {looks(path)[1][0] for path in folder.rglob("mipmap-*/*foreground*.png")}
    assert foregrounds == {108, 162, 216, 324, 432}


def test_the_manifest_is_the_same_everywhere(
    page: Site, monkeypatch: pytest.MonkeyPatch, server: httpx.Client
) -> None:
    """It tells sources, sizes, text and digests, sorted, and another build writes the same bytes."""
    path = page.folder / "img/assets.json"
    before = path.read_bytes()
    told = json.loads(before)["assets"]["hero"]
    assert told["alt"] == "A touring bicycle"
    assert {"src", "width", "height"} <= set(told["pictures"][0])
    assert re.search(rb'"sha256": "[0-9a-f]{64}"', before)
    path.unlink()
    monkeypatch.setenv("FLUX2BUILD_HOME", str(page.folder.parent / "elsewhere"))
    assert page.run("build", "--max-cost", "0").code == Exit.DONE
    assert path.read_bytes() == before
    assert charges(server) == 1


def test_another_encoder_is_no_drift(page: Site) -> None:
    """The lock says which one wrote each file; making them again is asked for by name."""
    lock = page.folder.joinpath("assets.lock").read_text("utf-8")
    encoders = set(re.findall(r'encoder = "([^"]+)"', lock))
    assert encoders
    for encoder in encoders:
        page.edit("assets.lock", f'encoder = "{encoder}"', f'encoder = "{encoder}-old"')
    assert page.run("check").code == Exit.DONE
    assert set(actions(page, "--refresh-derived").values()) == {"derive"}


def test_colours_and_alpha_are_kept(project: Site) -> None:
    """What is transparent is never black in a JPEG, and other colour spaces become sRGB."""
    seen = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    seen.save(
        project.folder / "seen.png",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )
    project.write(
        "assets.toml",
        '[project]\noutput = "img"\n[asset.seen]\nsource = "seen.png"\n'
        'deliver = [{ formats = ["jpeg"], matte = "#FF8800", widths = [32] }]\n',
    )
    assert project.run("build").code == Exit.DONE
    [path] = project.folder.joinpath("img").glob("*.jpeg")
    with Image.open(path) as picture:
        ground = Image.new("RGB", picture.size, "#FF8800")
        apart = ImageChops.difference(picture.convert("RGB"), ground).tobytes()
    assert max(apart) < 16


def test_derived_files_say_how_they_came_about(page: Site) -> None:
    """Each carries the digital source type, and `check` names one that does not."""
    kept = [each for each in page.files() if each.endswith((".webp", ".jpeg"))]
    assert len(kept) == 4
    assert all(b"trainedAlgorithmicMedia" in page.files()[each] for each in kept)
    page.edit("assets.toml", 'alt = "A', 'provenance = false\nalt = "A')
    assert page.run("build", "--max-cost", "0").code == Exit.DONE
    page.edit("assets.toml", "[defaults]", '[checks]\nprovenance = "error"\n[defaults]')
    found = json.loads(page.run("check", "--json").out)["findings"]
    assert {each["path"] for each in found} == set(kept)
