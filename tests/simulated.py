"""A simulated provider in this process: its bill, its faults, and builds that order from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest

from flux2build.simulator import Scenario, running

AT_ONCE: Final = Scenario(latency=0, fast=True)


@contextmanager
def serving(settings: Scenario = AT_ONCE) -> Iterator[httpx.Client]:
    """Run a provider; the client reaches the pages through which it is set up and looked at."""
    with running(settings) as base, httpx.Client(base_url=base, trust_env=False) as control:
        yield control


def order_from(url: httpx.URL | str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let builds order from the server at a URL, with a key that it takes."""
    monkeypatch.setenv("FLUX2BUILD_BFL_URL", str(url))
    monkeypatch.setenv("BFL_API_KEY", "practice")


def scenario(server: httpx.Client, *rules: object) -> None:
    """Let the provider behave so from now on."""
    assert server.post("/_sim/scenario", json={"rules": rules}).status_code == 200


def charges(server: httpx.Client) -> int:
    """How many pictures were charged so far."""
    return len(server.get("/_sim/charges").json()["charges"])
