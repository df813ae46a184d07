"""Who carries an order, and how a build against a simulated one is set up and looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from flux2build.providers.cards import shipped
from tests.conftest import Ran, Site
from tests.matrix.faults import Fault

SECRET: Final = "canary-0123456789abcdef"

USUAL: Final = {"picture_bytes": 3_000_000, "attempts": 3, "wait": 0.02}
"""Limits for every build: soon again, but not before a picture of the simulator is ready."""
HURRIED: Final = {"connect": 1, "answer": 1, "reply": 0.6, "picture_seconds": 0.6, "deadline": 1}
"""Limits for servers that do not answer in time."""
PRICES: Final = "".join(
    f'[replicate."black-forest-labs/{model}"]\nprice = {{ first = 0.02, dated = "2026-11-01" }}\n'
    for model in ("flux-2-dev", "flux-2-klein-4b", "flux-2-klein-9b", "flux-2-klein-9b-base")
)
"""Some models have no list price; a user gives them one."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A provider at one of the simulated servers."""

    name: str
    provider: str
    dialect: str
    """The simulator's name for it."""
    variables: tuple[str, str]
    """Those of its address and of its key."""
    path: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that it has."""
        return tuple(shipped()[self.provider])

    def traits(self, model: str) -> frozenset[str]:
        """What the table tells apart."""
        params = shipped()[self.provider][model].params
        found = {self.dialect}
        found |= {"predictions"} if self.provider == "replicate" else set()
        found |= {"uploads"} if self.name == "replicate" else set()
        found |= set() if "seed" in params else {"seedless"}
        found |= set() if "width" in params else {"sizeless"}
        found |= set() if "format" in params else {"formatless"}
        return frozenset(found)


CARRIERS: Final = (
    Carrier("bfl", "bfl", "bfl", ("FLUX2BUILD_BFL_URL", "BFL_API_KEY")),
    Carrier("cometapi", "cometapi", "cometapi", ("FLUX2BUILD_COMETAPI_URL", "COMETAPI_KEY")),
    Carrier(
        "replicate", "replicate", "replicate", ("FLUX2BUILD_REPLICATE_URL", "REPLICATE_API_TOKEN")
    ),
    Carrier(
        "replicate-at-cometapi",
        "replicate",
        "cometapi",
        ("FLUX2BUILD_REPLICATE_URL", "REPLICATE_API_TOKEN"),
        "/replicate",
    ),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A project that orders one picture from a carrier, and the server behind it."""

    site: Site
    control: httpx.Client
    carrier: Carrier
    model: str

    def open(self, monkeypatch: pytest.MonkeyPatch, *, large: bool = False) -> None:
        """Write the project, with short limits and one order in it."""
        self.control.post("/_sim/reset").raise_for_status()
        monkeypatch.setenv(self.carrier.variables[1], SECRET)
        self.dial(monkeypatch, f"{self.control.base_url}")
        self.site.write("../prices.toml", PRICES)
        monkeypatch.setenv("FLUX2BUILD_CONFIG", str(self.hurry()))
        params = shipped()[self.carrier.provider][self.model].params
        small = "768sq" if self.model == "flux-3-image" else "0.25"
        said = {
            "width": "width = 256\nheight = 256\n",
            "seed": "seed = 7\n",
            "resolution": f'resolution = "{small}"\n',
        }
        lines = "".join(text for name, text in said.items() if name in params)
        if large:
            noise = Random(7).randbytes(310 * 310 * 3)
            Image.frombytes("RGB", (310, 310), noise).save(self.site.folder / "desk.png")
            lines += 'refs = ["desk.png"]\n'
        self.site.write(
            "assets.toml",
            f'[project]\nname = "acme"\n[defaults]\nprovider = "{self.carrier.provider}"\n'
            f'model = "{self.model}"\n[asset.fox]\nprompt = "a fox"\n{lines}',
        )

    def hurry(self, *names: str) -> Path:
        """Give up soon where these limits say so, else as late as usual; the configuration."""
        limits = USUAL | {name: HURRIED[name] for name in names}
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        return self.site.write("../config.toml", f'cards = "prices.toml"\n[limits]\n{lines}')

    def dial(self, monkeypatch: pytest.MonkeyPatch, base: str) -> None:
        """Let builds go to another address."""
        monkeypatch.setenv(self.carrier.variables[0], base.rstrip("/") + self.carrier.path)

    def strike(self, fault: Fault, times: str) -> None:
        """Let something go wrong, once or always."""
        rule = {"stage": fault.stage, "fault": fault.fault, "times": times, **fault.details}
        self.scenario(rules=[rule])

    def scenario(self, **changes: Any) -> None:
        """Change the server's settings; rules end where none are named."""
        answer = self.control.post("/_sim/scenario", json={"rules": [], **changes})
        assert answer.status_code == 200, answer.text

    def build(self, *words: str) -> Ran:
        """A real build, through the command line."""
        return self.site.run("build", "--yes", *words)

    @property
    def charges(self) -> list[Mapping[str, Any]]:
        """What stands charged at the server."""
        found: list[Mapping[str, Any]] = self.control.get("/_sim/charges").json()["charges"]
        return found

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """Every request that the server saw."""
        found: list[Mapping[str, Any]] = self.control.get("/_sim/requests").json()["requests"]
        return found

    @property
    def posts(self) -> int:
        """How many orders were sent."""
        return sum(request["stage"] == "submit" for request in self.requests)

    @property
    def order(self) -> Mapping[str, Any]:
        """The one order that waits for something or somebody."""
        listed = self.site.run("orders", "list", "--json")
        (found,) = json.loads(listed.out)["orders"]
        order: Mapping[str, Any] = found
        return order
