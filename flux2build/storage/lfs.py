"""Git LFS pointers: the small texts that stand in for files that were not fetched.

The format is that of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
"""

from __future__ import annotations

import re
from typing import Final

LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/v1"
LFS_MOST: Final = 1024
"""Bytes of a pointer at the most."""
_LFS_OID: Final = re.compile(rb"^oid (sha256:[0-9a-f]{64})$", re.MULTILINE)


def is_lfs_pointer(data: bytes) -> bool:
    """True for the small text that Git LFS leaves in place of a file."""
    return data.startswith(LFS_POINTER)


def lfs_target(data: bytes) -> str | None:
    """The digest of the file that a Git LFS pointer stands for; None for anything else."""
    found = _LFS_OID.search(data) if is_lfs_pointer(data) and len(data) <= LFS_MOST else None
    return found[1].decode() if found else None
