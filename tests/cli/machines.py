"""Machines of a team that run commands: each has a clone of the project, and a home of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.conftest import Ran, Site
from tests.laws.situations import HEAD
from tests.simulated import order_from

SPEC: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox.webp"
[asset.den]
prompt = "its den"
refs = [{{ asset = "fox" }}]
"""


class Machine:
    """A machine of the team: a clone of the project, and a home of its own."""

    def __init__(self, site: Site, home: Path, settings: pytest.MonkeyPatch) -> None:
        self.site, self.home, self.settings = site, home, settings
        self.folder = site.folder
        self.folder.joinpath(".git").mkdir(parents=True)
        site.write("assets.toml", SPEC)

    def run(self, *words: str) -> Ran:
        """Run a command there."""
        self.settings.setenv("FLUX2BUILD_HOME", str(self.home))
        self.settings.chdir(self.folder)
        return self.site.run(*words)

    def clone(self, other: Machine) -> None:
        """Have the lock of another machine, as from git; outputs are not committed."""
        shutil.copy(other.folder / "assets.lock", self.folder)

    def pictures(self) -> dict[str, bytes]:
        """Every output."""
        return {name: data for name, data in self.site.files().items() if name.startswith("img")}


def settle_in(folder: Path, server: httpx.Client, settings: pytest.MonkeyPatch) -> None:
    """Let commands order from a provider, and share the store in a folder."""
    order_from(server.base_url, settings)
    settings.setenv("FLUX2BUILD_STORE", folder.joinpath("store").as_uri())


def age(store: Path) -> None:
    """Let every claim in a store be from long ago."""
    for path in store.glob("claims/*"):
        claim = json.loads(path.read_bytes())
        if "at" in claim:
            path.write_text(json.dumps({**claim, "at": "2026-01-01T00:00:00+00:00"}))
