"""What the tests of a team's store share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from flux2build.sharing.contract import Backend
from tests.sharing.peers import PEERS
from tests.sharing.places import PLACES, Place

_ALL: Final = PLACES | (PEERS if os.environ.get("FLUX2BUILD_DEEP") else {})


@pytest.fixture(params=sorted(_ALL))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place of each kind."""
    with _ALL[request.param](tmp_path) as place:
        yield place


@pytest.fixture
def backend(place: Place) -> Backend:
    """A client of one empty place, of each kind."""
    return place.open()
