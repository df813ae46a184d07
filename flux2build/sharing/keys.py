"""The keys of a team's store: `cas/`, `orders/` or `claims/`, and the 64 hex digits of a digest."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from flux2build.digest import Digest


class Space(StrEnum):
    """The kind of value that a key names."""

    BYTES = "cas"
    """The bytes of a digest."""
    ORDERS = "orders"
    """The receipt of an order."""
    CLAIMS = "claims"
    """The machine that is buying an order."""


_KEY: Final = re.compile(r"(cas|orders|claims)/[0-9a-f]{64}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MOST: Final = {Space.BYTES: 256 * 2**20, Space.ORDERS: 2**20, Space.CLAIMS: 2**16}


def key_of(space: Space, digest: Digest) -> str:
    """The key of a digest in a space."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"no digest: {digest}")
    return f"{space}/{digest.removeprefix('sha256:')}"


def is_key(text: str) -> bool:
    """Whether a text is a key of a team's store."""
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """A checked key, so that a caller's mistake never reaches a backend's place."""
    if not is_key(key):
        raise ValueError(f"no key of a team's store: {key!r}")
    return key


def space_of(key: str) -> Space:
    """The space of a key."""
    return Space(checked(key).partition("/")[0])


def digest_of(key: str) -> Digest:
    """The digest that a key names."""
    return Digest(f"sha256:{checked(key).partition('/')[2]}")


def most(key: str) -> int:
    """The most bytes that the value of a key may have."""
    return _MOST[space_of(key)]
