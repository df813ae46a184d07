"""`assets.lock`: the requests, inputs and outputs of every asset and profile.

The lock is a receipt. It can be read in any state in which a merge leaves it, is written in one
canonical form, and is never discarded.
"""

from __future__ import annotations

from flux2build.lockfile.block import (
    Block,
    Candidate,
    Derived,
    Generated,
    LockedInput,
    Lockfile,
    Review,
    ReviewState,
    Row,
    Written,
)
from flux2build.lockfile.conflicts import conflict_line
from flux2build.lockfile.read import LockConflict, LockNewer, decoded, loads, unconflicted
from flux2build.lockfile.write import dumps

__all__ = [
    "Block",
    "Candidate",
    "Derived",
    "Generated",
    "LockConflict",
    "LockNewer",
    "LockedInput",
    "Lockfile",
    "Review",
    "ReviewState",
    "Row",
    "Written",
    "conflict_line",
    "decoded",
    "dumps",
    "loads",
    "unconflicted",
]
