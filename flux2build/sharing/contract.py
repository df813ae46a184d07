"""The contract of the backends of a team's store: one module each, ending in `BACKEND`.

A backend keeps values by key. It knows nothing of their meaning: what is verified, claimed and
said of them is in `team_store.py`, once for all backends.
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
    """When its value was written, in seconds since 1970, if the place tells."""


class Backend(Protocol):
    """A place that a team shares: values by key. Blocking; any thread may call it.

    Every method raises Unreachable when the place cannot be asked or refuses, and ValueError for
    what is not a key of a team's store.
    """

    keeps_bytes: bool
    """Whether the place has values of `cas/` at all."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""

    def has(self, key: str) -> bool:
        """Whether there is a value."""

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether of two requests to create a key exactly one succeeds, also if they overlap."""

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, such as `claims/`, in any order."""

    def sweep(self, before: float, *, remove: bool) -> int:
        """Count what writers that died before a moment have left unfinished, and `remove` it."""

    def at_once(self) -> AbstractContextManager[None]:
        """Answer what is asked within from one look at the place, if that saves any."""


def directly(_url: str) -> None:
    """Meet every host without a proxy."""


def nothing(_name: str) -> str:
    """No variable is set."""
    return ""


def usual() -> None:
    """Trust the usual authorities."""


class Access(Struct, frozen=True):
    """What a backend may need from the user's settings to reach its place."""

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
    """One kind of place: which URLs name it, and how it is opened."""

    prefixes: tuple[str, ...]
    """How its URLs begin."""
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
