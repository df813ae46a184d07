"""What a lock says, as far as it is asked: a lock of thousands takes longer to read than to plan."""

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
    """Return what the lock of a baseline says; None if it is another one, or cannot be read in parts.

    At least so many blocks are `expected` to be asked for.
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
    """Return what a lock says of which each block is read when it is asked for.

    `keys` has those of everything that is locked.
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
