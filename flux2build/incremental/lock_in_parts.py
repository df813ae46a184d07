"""Reads only the needed blocks of a lock: reading thousands takes longer than planning."""

from __future__ import annotations

from collections.abc import Container
from functools import cache

from msgspec.structs import replace

from flux2build.digest import of_bytes
from flux2build.incremental.baseline import Baseline
from flux2build.lockfile import loads
from flux2build.lockfile.parts import Parts
from flux2build.planning.snapshot import Late, LateFiles, Locked
from flux2build.session.project import Project


def in_parts(project: Project, base: Baseline, expected: int) -> Locked | None:
    """Return the lock of a baseline; None if it has changed, or cannot be read in parts.

    `expected` is the least number of blocks that will be needed.
    """
    index, name, was_read = project.index, project.lock_path.name, "lock_bytes" in vars(project)
    data, state = project.lock_bytes, base.states[project.lock_path.name]
    proven = not was_read and index.proves(name, state)
    if not base.places or not (proven or of_bytes(data) == state):
        return None
    parts = Parts(data, name, base.places, canonical=base.canonical)
    parts.expected = expected
    return locked_in(parts, base.keys)


def locked_in(parts: Parts, keys: Container[str]) -> Locked:
    """Return a lock whose blocks are each read when they are needed.

    `keys` are the keys of everything in the lock.
    """

    @cache
    def whole() -> Locked:
        return Locked.of(loads(parts.text.decode(), parts.file))

    return Locked(
        replace(parts.head, blocks=parts),
        Late(lambda: whole().pictures, keys),
        Late(lambda: whole().purchases, keys),
        LateFiles(lambda: whole().files),
    )
