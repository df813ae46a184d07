"""The contract of the backends of a team's store: one module each, ending in `BACKEND`.

A backend stores values by key and does not know their meaning. `team_store.py` verifies them, takes
claims and words the errors, once for all backends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from flux2build.errors import SystemFault, UsageError
from flux2build.registry import Family

if TYPE_CHECKING:
    import ssl

STORE_VARIABLE: Final = "FLUX2BUILD_STORE"
TOKEN_VARIABLE: Final = "FLUX2BUILD_STORE_TOKEN"  # noqa: S105 - the name of a variable

_USER: Final = re.compile(r"(//)[^/?#]*@")


class Unreachable(SystemFault):
    """The team's store cannot be asked, or refuses."""


class Listed(Struct, frozen=True):
    """A key that a backend has."""

    key: str
    size: int
    modified: float | None = None
    """When its value was written, in seconds since 1970, if the place reports it."""


class Backend(Protocol):
    """A place that a team shares: values by key. Blocking; any thread may call it.

    Every method raises Unreachable when the place cannot be asked or refuses, and ValueError for a
    text that is not a key of a team's store.
    """

    keeps_bytes: bool
    """Whether the place stores values of `cas/`."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""

    def has(self, key: str) -> bool:
        """Whether there is a value."""

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether exactly one of two requests to create a key succeeds, even if they overlap."""

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, such as `claims/`, in any order."""

    def sweep(self, before: float, *, remove: bool) -> int:
        """Count the unfinished files of writers that died before a moment, and `remove` them."""

    def at_once(self) -> AbstractContextManager[None]:
        """Answer the questions asked within it from one request, if that saves requests."""


def directly(_url: str) -> None:
    """Use no proxy for any host."""


def nothing(_name: str) -> str:
    """Pretend that no variable is set."""
    return ""


def usual() -> None:
    """Trust the usual authorities."""


class Access(Struct, frozen=True):
    """The user's settings that a backend may need to reach its place."""

    value: Callable[[str], str] = nothing
    """The value of a variable such as `TOKEN_VARIABLE`; empty if it is not set."""
    folder: Path = Path()
    """The folder of the project."""
    proxy: Callable[[str], str | None] = directly
    """The proxy for a URL."""
    certificates: Callable[[], ssl.SSLContext | None] = usual
    """The authorities to trust, instead of the usual ones."""
    patience: float = 120
    """Most seconds for one exchange as a whole."""


class Kind(Protocol):
    """One kind of place: its URLs, and how to open it."""

    prefixes: tuple[str, ...]
    """The beginnings of its URLs."""
    example: str
    """One of its URLs, for hints."""

    def open(self, url: str, access: Access) -> Backend:
        """The backend of a URL; nothing is asked yet.

        Raises:
            UsageError: the URL names no such place.
            SystemFault: an extra is missing.
        """


BACKENDS: Final = Family[Kind]("flux2build.sharing.backends", "BACKEND")


def kind_of(url: str) -> Kind:
    """The kind of place that a URL names.

    Raises:
        UsageError: there is none.
    """
    for kind in BACKENDS.values():
        if url.startswith(kind.prefixes):
            return kind
    path = Path(url)
    if path.is_absolute():
        hint = f"did you mean `{path.as_uri()}`?"
    else:
        hint = "write it like " + ", ".join(f"`{kind.example}`" for kind in BACKENDS.values())
    raise UsageError(f"`{plain(url)}` is not the URL of a store", hint=hint)


def plain(url: str) -> str:
    """A URL for people and files: without user, password, query and fragment."""
    return re.split(r"[?#]", _USER.sub(r"\1", url), maxsplit=1)[0]
