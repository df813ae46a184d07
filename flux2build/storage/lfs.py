"""Git LFS pointers: the small texts that stand in for files that were not fetched.

The format is that of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
"""

from __future__ import annotations

import re
from typing import Final

LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/v1"
LFS_MOST: Final = 1024
"""The largest size of a pointer, in bytes."""
_LFS_OID: Final = rb"(?m)^oid (sha256:[0-9a-f]{64})$"


def is_lfs_pointer(data: bytes) -> bool:
    """Whether data is the small text that Git LFS leaves in place of a file."""
    return data.startswith(LFS_POINTER)


def lfs_target(data: bytes) -> str | None:
    """Return the digest in a Git LFS pointer; None for any other data."""
    oid = re.search(_LFS_OID, data) if is_lfs_pointer(data) and len(data) <= LFS_MOST else None
    return oid[1].decode() if oid else None
