"""Places of a team's store for tests, each served for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from flux2build.sharing.contract import Access, Backend, kind_of

Opened = Callable[[], Backend]
"""Another client of one place."""


@contextmanager
def folder(path: Path) -> Iterator[Opened]:
    """A folder, as on a shared disk."""
    (path / "store").mkdir()
    url = (path / "store").as_uri()
    yield lambda: kind_of(url).open(url, Access())


PLACES: Final[dict[str, Callable[[Path], AbstractContextManager[Opened]]]] = {"file": folder}
