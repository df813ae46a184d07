"""A provider for the stories of a module, and a project under git that orders from it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Site
from tests.repositories import begin
from tests.simulated import order_from, serving


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """A provider that delivers at once, with its bill."""
    with serving() as control:
        yield control


@pytest.fixture
def project(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty repository, on a machine with a key, whose owner is Ann."""
    server.post("/_sim/reset")
    order_from(server.base_url, monkeypatch)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")
    begin(empty.folder)
    return empty
