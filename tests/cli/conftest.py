"""A provider for all tests of a module, and a project that has bought from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.cli.machines import Machine, settle_in
from tests.conftest import Site
from tests.simulated import order_from, serving

SPEC: Final = """\
[defaults]
provider = "bfl"
width = 64
height = 64
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
"""

THREE: Final = """\
[project]
output = "img"
profile = "draft"
[defaults]
width = 64
height = 64
[profile.draft]
provider = "sketch"
[profile.preview]
provider = "bfl"
model = "flux-2-klein-4b"
[profile.final]
provider = "bfl"
model = "flux-2-pro"
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox-{{ width }}.webp"
widths = [32]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """A provider that delivers at once, with its bill."""
    with serving() as control:
        yield control


@pytest.fixture
def bought(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project whose two pictures are paid for, and missing in the work tree."""
    order_from(server.base_url, monkeypatch)
    empty.write("assets.toml", SPEC)
    assert empty.run("build", "--yes").code == Exit.DONE
    for path in empty.folder.rglob("*.png"):
        path.unlink()
    return empty


@pytest.fixture
def three(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A stranger's project: three profiles that share one output folder."""
    order_from(server.base_url, monkeypatch)
    empty.write("assets.toml", THREE)
    return empty


SHEET: Final = """\
[project]
name = "acme"
output = "img"
[profile.draft]
provider = "sketch"
output = "comps"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[asset.sheet]
prompt = "a fox, character sheet"
candidates = 4
deliver = [{ formats = ["webp"] }]
[asset.scene]
matrix = { n = [1, 2] }
prompt = "scene {{ n }}"
refs = [{ asset = "sheet" }]
"""


@pytest.fixture
def sheet(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project with four candidates for a sheet, of which two scenes are made."""
    server.post("/_sim/reset")
    order_from(server.base_url, monkeypatch)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    empty.write("assets.toml", SHEET)
    return empty


@pytest.fixture
def reviewed(sheet: Site) -> Site:
    """A sheet that has to be approved before two scenes are made of it."""
    sheet.edit("assets.toml", "candidates = 4\n", 'review = "required"\n')
    return sheet


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: httpx.Client) -> Path:
    """The team's store, which the settings of every machine name."""
    server.post("/_sim/reset").raise_for_status()
    settle_in(tmp_path, server, monkeypatch)
    tmp_path.joinpath("store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[Machine]:
    """Two machines; neither has anything yet."""
    return [
        Machine(Site(tmp_path / name, capsys), tmp_path / f"home-{name}", monkeypatch)
        for name in ("one", "other")
    ]
