"""Places of a team's store for tests, each served for real on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from flux2build.sharing.contract import TOKEN_VARIABLE, Access, Backend, kind_of
from flux2build.sharing.listening import base_url, listening
from flux2build.sharing.server import Site, running

Opened = Callable[[], Backend]
"""Another client of one place."""

TOKEN: Final = "a-token-of-the-team"


def opening(url: str, token: str = "") -> Opened:
    """Opens clients of the place at a URL."""
    access = Access(value=lambda name: token if name == TOKEN_VARIABLE else "")
    return lambda: kind_of(url).open(url, access)


@contextmanager
def folder(path: Path) -> Iterator[Opened]:
    """A folder, as on a shared disk."""
    (path / "store").mkdir()
    yield opening((path / "store").as_uri())


@contextmanager
def served(path: Path) -> Iterator[Opened]:
    """A folder that `store serve` serves, to whoever has the token."""
    with (
        folder(path) as kept,
        listening("127.0.0.1", 0) as listener,
        running(Site(kept(), TOKEN), listener),
    ):
        yield opening(base_url("127.0.0.1", listener), TOKEN)


PLACES: Final[dict[str, Callable[[Path], AbstractContextManager[Opened]]]] = {
    "file": folder,
    "http": served,
}
