"""A server that renders in no time, for all cells of a module in turn."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from flux2build.simulator import Scenario
from tests.simulated import serving


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """The server's own pages, through which it is set up and looked at."""
    with serving(Scenario(latency=0.005, fast=True)) as control:
        yield control
