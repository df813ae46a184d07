"""`assets.lock`: the requests, inputs and outputs of every asset and profile.

The lock is a receipt. It can be read in whatever state a merge left it, is written
in one canonical form, and is never thrown away.
"""

from __future__ import annotations

from flux2build.lockfile.block import Block, Derived, Generated, LockedInput, Lockfile, Row, Written
from flux2build.lockfile.conflicts import conflict_line
from flux2build.lockfile.read import LockConflict, LockNewer, decoded, loads
from flux2build.lockfile.write import dumps

__all__ = [
    "Block",
    "Derived",
    "Generated",
    "LockConflict",
    "LockNewer",
    "LockedInput",
    "Lockfile",
    "Row",
    "Written",
    "conflict_line",
    "decoded",
    "dumps",
    "loads",
]
