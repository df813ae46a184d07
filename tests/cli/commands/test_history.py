"""`history`: every picture that an asset ever was, and where its bytes can be had."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flux2build.errors import Exit
from flux2build.simulator import Scenario
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, begin, commit
from tests.simulated import order_from, serving

pytestmark = NEEDS_GIT
SPEC = """\
[project]
output = "img"
[defaults]
provider = "bfl"
width = 64
height = 64
seed = 7
[asset.fox]
prompt = "a red fox"
[asset.photo]
source = "photo.png"
"""
WORDS = """\
  3  DAY  not committed  current
     prompt   a [-blue-]{+green+} fox
     made by  flux-2-pro, seed 7, $0.03
     bytes    DIGEST3, img/vixen.png
  2  DAY  COMMIT2  Paint
     prompt   a [-red-]{+blue+} fox
     made by  flux-2-pro, seed 7, $0.03
     bytes    DIGEST2, img/fox.png
  1  DAY  COMMIT1  Paint
     prompt   a red fox
     made by  flux-2-pro, seed 7, $0.03
     bytes    DIGEST1, git, COMMIT1
"""


@pytest.fixture
def painted(empty: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A fox that was red, then blue, then called a vixen, and is green now, on another machine."""
    begin(empty.folder)
    empty.write("assets.toml", SPEC)
    Image.new("RGB", (64, 64), "teal").save(empty.folder / "photo.png")
    with serving(Scenario(latency=0)) as server:
        order_from(server.base_url, monkeypatch)
        for old, new in (
            ("a red fox", "a red fox"),
            ("a red fox", "a blue fox"),
            ("[asset.fox]", "[asset.vixen]"),
        ):
            empty.edit("assets.toml", old, new)
            assert empty.run("build", "--yes").code == Exit.DONE
            commit(empty.folder, "Paint")
        monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "home"))
        empty.edit("assets.toml", "a blue fox", "a green fox")
        assert empty.run("build", "--yes").code == Exit.DONE
    return empty


def test_every_picture_is_listed(painted: Site) -> None:
    """The newest first, with what changed in its request, and under the asset's former name, too."""
    rows: list[dict[str, Any]] = json.loads(painted.run("history", "vixen", "--json").out)[
        "pictures"
    ]
    expected = WORDS
    for number, row in enumerate(rows, 1):
        expected = expected.replace(f"DIGEST{number}", row["sha256"][7:19])
        expected = expected.replace(f"COMMIT{number}", (row["commit"] or "")[:9])
    expected = expected.replace("DAY", rows[0]["date"][:10])

    ran = painted.run("history", "vixen")
    assert (ran.code, ran.out) == (Exit.DONE, expected)
    assert [row["prompt"] for row in rows] == ["a red fox", "a blue fox", "a green fox"]


def test_other_profiles_are_named(painted: Site) -> None:
    """A picture of the same asset may be in another profile, whose history is a command away."""
    draft = '[profile.draft]\nprovider = "sketch"\noutput = "comps"\n'
    painted.edit("assets.toml", "[project]\n", '[project]\nprofile = "paid"\n')
    painted.edit("assets.toml", "[defaults]\n", f"[profile.paid]\n{draft}[defaults]\n")
    assert painted.run("history", "vixen").err == ""
    assert painted.run("build", "--yes").code == Exit.DONE
    assert painted.run("build", "-p", "draft").code == Exit.DONE

    said = painted.run("history", "vixen", "-p", "draft").err
    assert said == "There is one in the profile `paid`, too: `flux2build history vixen -p paid`.\n"
    assert "`flux2build history vixen -p draft`" in painted.run("history", "vixen").err


def test_what_nobody_has_is_said(painted: Site) -> None:
    """A ledger without git remembers; a picture that is in neither store nor tree is lost."""
    shutil.rmtree(painted.folder / ".git")
    painted.folder.joinpath("img/vixen.png").unlink()
    painted.folder.joinpath("assets.lock").unlink()
    shutil.rmtree(Path(painted.folder.parent, "home", "store"))

    [row] = json.loads(painted.run("history", "vixen", "--json").out)["pictures"]
    assert (row["commit"], row["where"], row["current"]) == (None, None, False)


def test_what_was_never_rendered_has_no_history(painted: Site) -> None:
    """A photo is git's own business, and a name must be one of the spec."""
    assert painted.run("history", "photo").code == Exit.USAGE
    assert painted.run("history", "nobody").code == Exit.USAGE
