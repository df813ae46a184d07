"""The providers and servers of the matrix, and a project that builds against one of them."""

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
"""Limits for every build: short waits, but long enough for the simulator to be ready."""
SHORT: Final = {"connect": 1, "answer": 1, "reply": 0.6, "picture_seconds": 0.6, "deadline": 1}
"""Limits for servers that do not answer in time."""
PRICES: Final = """\
[bfl.flux-3-image-klein.prices]
768sq = { first = 0.02, dated = "2026-11-01" }
"""
"""One size has no list price; a user gives it one."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A provider at one of the simulated servers."""

    name: str
    provider: str
    dialect: str
    """The simulator's name for it."""
    variables: tuple[str, str]
    """The environment variables of its endpoint and its key."""
    path: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """Every model on its cards."""
        return tuple(shipped()[self.provider])

    def traits(self, model: str) -> frozenset[str]:
        """What the outcomes in the table depend on."""
        card = shipped()[self.provider][model]
        params, traits = card.params, {self.dialect}
        traits |= {"predictions"} if self.provider.endswith("replicate") else set()
        traits |= {"uploads"} if self.name == "replicate" and card.references else set()
        traits |= set() if "seed" in params else {"seedless"}
        traits |= set() if "width" in params else {"sizeless"}
        traits |= set() if "format" in params else {"formatless"}
        return frozenset(traits)


CARRIERS: Final = (
    Carrier("bfl", "bfl", "bfl", ("FLUX2BUILD_BFL_URL", "BFL_API_KEY")),
    Carrier("cometapi", "cometapi", "cometapi", ("FLUX2BUILD_COMETAPI_URL", "COMETAPI_KEY")),
    Carrier(
        "replicate", "replicate", "replicate", ("FLUX2BUILD_REPLICATE_URL", "REPLICATE_API_TOKEN")
    ),
    Carrier(
        "cometapi-replicate",
        "cometapi-replicate",
        "cometapi",
        ("FLUX2BUILD_COMETAPI_REPLICATE_URL", "COMETAPI_KEY"),
        "/replicate",
    ),
)


@dataclass(frozen=True, slots=True)
class Setup:
    """A project that orders one picture from a carrier, and the server behind it."""

    site: Site
    control: httpx.Client
    carrier: Carrier
    model: str

    def open(self, monkeypatch: pytest.MonkeyPatch, *, large: bool = False) -> None:
        """Write the project, with short limits and one order in it."""
        self.control.post("/_sim/reset").raise_for_status()
        monkeypatch.setenv(self.carrier.variables[1], SECRET)
        self.move_endpoint(monkeypatch, f"{self.control.base_url}")
        self.site.write("../prices.toml", PRICES)
        monkeypatch.setenv("FLUX2BUILD_CONFIG", str(self.configure()))
        params = shipped()[self.carrier.provider][self.model].params
        small = "768sq" if self.model.startswith("flux-3-image") else "0.25"
        lines_of = {
            "width": "width = 256\nheight = 256\n",
            "seed": "seed = 7\n",
            "resolution": f'resolution = "{small}"\n',
        }
        pixels = "width" in params
        wanted = params - {"resolution"} if pixels else params
        lines = "".join(text for name, text in lines_of.items() if name in wanted)
        if large:
            noise = Random(7).randbytes(310 * 310 * 3)
            Image.frombytes("RGB", (310, 310), noise).save(self.site.folder / "desk.png")
            lines += 'refs = ["desk.png"]\n'
        self.site.write(
            "assets.toml",
            f'[project]\nname = "acme"\n[defaults]\nprovider = "{self.carrier.provider}"\n'
            f'model = "{self.model}"\n[asset.fox]\nprompt = "a fox"\n{lines}',
        )

    def configure(self, *names: str) -> Path:
        """Write a configuration in which the named limits are short, and return its path."""
        limits = USUAL | {name: SHORT[name] for name in names}
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        return self.site.write("../config.toml", f'cards = "prices.toml"\n[limits]\n{lines}')

    def move_endpoint(self, monkeypatch: pytest.MonkeyPatch, base: str) -> None:
        """Let builds talk to the server at another address."""
        monkeypatch.setenv(self.carrier.variables[0], base.rstrip("/") + self.carrier.path)

    def inject(self, fault: Fault, times: str) -> None:
        """Let a stage fail, once or always."""
        rule = {"stage": fault.stage, "fault": fault.fault, "times": times, **fault.details}
        self.scenario(rules=[rule])

    def scenario(self, **changes: Any) -> None:
        """Change the server's settings; rules that are not named again end."""
        answer = self.control.post("/_sim/scenario", json={"rules": [], **changes})
        assert answer.status_code == 200, answer.text

    def build(self, *words: str) -> Ran:
        """A real build, through the command line."""
        return self.site.run("build", "--yes", *words)

    @property
    def charges(self) -> list[Mapping[str, Any]]:
        """What the server has charged."""
        charges: list[Mapping[str, Any]] = self.control.get("/_sim/charges").json()["charges"]
        return charges

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """Every request that the server saw."""
        requests: list[Mapping[str, Any]] = self.control.get("/_sim/requests").json()["requests"]
        return requests

    @property
    def posts(self) -> int:
        """How many orders were sent."""
        return sum(request["stage"] == "submit" for request in self.requests)

    @property
    def order(self) -> Mapping[str, Any]:
        """The one order that is open."""
        listed = self.site.run("orders", "list", "--json")
        orders: list[Mapping[str, Any]] = json.loads(listed.out)["orders"]
        (order,) = orders
        return order
