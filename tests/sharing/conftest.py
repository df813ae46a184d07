"""What the tests of a team's store share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flux2build.sharing.contract import Backend
from tests.sharing.places import PLACES, Opened


@pytest.fixture(params=sorted(PLACES))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens clients of one empty place, of each kind."""
    with PLACES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def backend(opened: Opened) -> Backend:
    """A client of one empty place, of each kind."""
    return opened()
