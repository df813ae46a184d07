"""What the tests of a team's store share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flux2build.sharing.contract import Backend
from tests.sharing.places import PLACES, Place


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place of each kind."""
    with PLACES[request.param](tmp_path) as place:
        yield place


@pytest.fixture
def backend(place: Place) -> Backend:
    """A client of one empty place, of each kind."""
    return place.open()
