"""What a lock says, as far as it is asked: a lock of thousands takes longer to read than to plan."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from typing import TypeVar

from msgspec.structs import replace

from flux2build.digest import Digest, of_bytes
from flux2build.lockfile import loads
from flux2build.lockfile.parts import Parts
from flux2build.planning.snapshot import Locked
from flux2build.session.baseline import Baseline
from flux2build.session.project import Project

V = TypeVar("V")


def in_parts(project: Project, base: Baseline) -> Locked | None:
    """Return what the lock of a baseline says; None if it is another one, or cannot be read in parts."""
    index, name, was_read = project.index, project.lock_path.name, "lock_bytes" in vars(project)
    data, state = project.lock_bytes, base.states[project.lock_path.name]
    proven = not was_read and index.proves(name, state)
    if not base.places or not (proven or of_bytes(data) == state):
        return None
    return locked_in(Parts(data, name, base.places, canonical=base.canonical), base.keys)


def locked_in(parts: Parts, keys: Container[str]) -> Locked:
    """Return what a lock says of which each block is read when it is asked for.

    `keys` has those of everything that is locked.
    """

    @cache
    def whole() -> Locked:
        return Locked.of(loads(parts.text.decode(), parts.file))

    return Locked(
        replace(parts.head, blocks=parts),
        _Late(keys, lambda: whole().pictures),
        _Late(keys, lambda: whole().purchases),
        _LateFiles(lambda: whole().files),
    )


class _Late(Mapping[Digest, V]):
    """A mapping that is made when one of the keys is asked for that it may have."""

    def __init__(self, possible: Container[str], make: Callable[[], Mapping[Digest, V]]) -> None:
        self._possible, self._make = possible, make

    def __getitem__(self, key: Digest) -> V:
        if key not in self._possible:
            raise KeyError(key)
        return self._make()[key]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._make())

    def __len__(self) -> int:
        return len(self._make())


class _LateFiles(Container[Digest]):
    """Digests that are looked up when one of them is asked for."""

    def __init__(self, make: Callable[[], Container[Digest]]) -> None:
        self._make = make

    def __contains__(self, digest: object) -> bool:
        return digest in self._make()
