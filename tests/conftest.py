"""What whole-command tests share: a project in a folder of its own, and a way to run commands."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, settings
from PIL import Image

from flux2build.cli.entry import main
from flux2build.storage.index import _TICK

# Tests count effects, never time: a busy machine must not fail them.
settings.register_profile("flux2build", deadline=None)
# Any counterexample kills a mutant; the smallest one takes minutes to find.
settings.register_profile("mutation", deadline=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation" if "MUTANT_UNDER_TEST" in os.environ else "flux2build")


def settle() -> None:
    """Let the disk's clock move on, until what was written is no longer racily fresh."""
    until = time.time_ns() + _TICK + 20_000_000
    while time.time_ns() < until:
        pass


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Site:
    """A project folder in which commands can be run."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> Path:
        """Write a text file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def draw(self, name: str, colour: str = "teal") -> Path:
        """Save a small picture in one colour below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(path)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        text = self.folder.joinpath(name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def run(self, *words: str) -> Ran:
        """Run a command in this process, in the folder."""
        self.capture.readouterr()
        code = main(words)
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def files(self) -> dict[str, bytes]:
        """Every file below the folder, flux2build's own left out."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in paths
            if ".flux2build" not in path.parts and ".git" not in path.parts
        }


_OURS: Final = re.compile(
    "FLUX2BUILD_|BFL_|COMETAPI_|REPLICATE_|NO_COLOR|FORCE_COLOR|HTTPS_PROXY|NO_PROXY|ALL_PROXY|"
    "SSL_CERT_|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|COLUMNS|LINES|"
    "PYTHONUNBUFFERED|GITHUB_|CI_MERGE_REQUEST_|SYSTEM_PULLREQUEST_|CIRCLE_PR_",
    re.IGNORECASE,
)

SPEC = """\
[project]
name = "acme"
output = "img"

[vars]
brand = { name = "Acme", primary = "#0A84FF" }

[defaults]
width = 128
height = 96

[profile.final]
provider = "bfl"
model = "flux-2-pro"
output = "final"
width = 1024
height = 1024

[asset.mascot]
prompt = "a friendly fox in a {{ brand.primary }} scarf"
seed = 42
tags = ["brand"]
alt = "The {{ brand.name }} fox"

[asset.hero]
template = "hero.j2"
matrix = { theme = ["light", "dark"] }
refs = [{ asset = "mascot" }]

[[asset.hero.deliver]]
path = "hero-{{ theme }}-{{ width }}.{{ format }}"
widths = [32, 64]
formats = ["webp", "jpeg"]
ops = [{ op = "crop", ratio = "16:9" }]

[asset.icon]
prompt = "a bell"
"""

TEMPLATE = '{{ ref("mascot") }} at a desk, {{ theme }} mood\n'


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's store, ledger, configuration, keys, colours or settings of git."""
    for name in list(os.environ):
        if _OURS.match(name) and name != "FLUX2BUILD_DEEP":
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(home))
    home.joinpath("config.toml").touch()
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(home / "config.toml"))
    home.joinpath("gitconfig").write_text("[core]\nexcludesFile = /dev/null\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    """A project root with nothing in it."""
    folder = tmp_path / "site"
    folder.joinpath(".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return Site(folder, capsys)


@pytest.fixture
def site(empty: Site) -> Site:
    """A small site: a mascot, a hero in two themes that refers to it, and an icon."""
    empty.write("assets.toml", SPEC)
    empty.write("templates/hero.j2", TEMPLATE)
    return empty
