"""`assets.lock`: for every asset and profile what was asked, what was seen, what came out.

The lock is a receipt. It is read whatever state a merge left it in, written in
one canonical form, and never thrown away.
"""

from __future__ import annotations

from flux2build.lockfile.block import (
    REVISION,
    Block,
    Derived,
    Generated,
    Lockfile,
    Row,
    Seen,
    Written,
)
from flux2build.lockfile.conflicts import conflict_line
from flux2build.lockfile.read import LockConflict, LockNewer, decoded, loads
from flux2build.lockfile.write import VERSION, dumps

__all__ = [
    "REVISION",
    "VERSION",
    "Block",
    "Derived",
    "Generated",
    "LockConflict",
    "LockNewer",
    "Lockfile",
    "Row",
    "Seen",
    "Written",
    "conflict_line",
    "decoded",
    "dumps",
    "loads",
]
