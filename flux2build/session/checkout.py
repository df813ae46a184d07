"""Changes that a git checkout makes to files that nobody has edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from flux2build.digest import Digest, of_bytes
from flux2build.lockfile import Block
from flux2build.storage.project_files import Kind, ProjectFiles


def documents(
    files: ProjectFiles, digests: Mapping[str, Digest], blocks: Iterable[Block]
) -> dict[str, Digest]:
    """The documents that differ from the lock only in their line ends, with the locked digests."""
    same: dict[str, Digest] = {}
    for row in chain.from_iterable(block.written for block in blocks):
        path, locked = row.output.path, row.output.sha256
        edited = digests.get(path, locked) != locked and files.kind(path) is Kind.FILE
        if edited and of_bytes(files.read(path).replace(b"\r\n", b"\n")) == locked:
            same[path] = locked
    return same
