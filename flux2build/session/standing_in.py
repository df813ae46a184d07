"""The sketches that stand in for pictures; flux2build drew them, so they are replaced silently."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest
from flux2build.storage import sealed

Sketch = tuple[str, Digest]
"""A file by its path, and its bytes."""

_NAME: Final = "sketches"


def note(folder: Path, sketches: Iterable[Sketch]) -> None:
    """Record the sketches that a watch has left, for later builds."""
    sealed.keep(folder, _NAME, sorted(sketches))


def noted(folder: Path) -> Collection[Sketch]:
    """The sketches that the last watch has left."""
    rows: Any = sealed.load(folder, _NAME)
    return frozenset(rows or ())


def replaceable(artifacts: Artifacts, sketches: Collection[Sketch]) -> Artifacts:
    """The bytes at hand, in which sketches may be overwritten, even those that are added later."""
    digests = {digest for _, digest in sketches}
    ours, free = _Either(artifacts.ours, sketches), _Either(artifacts.free, digests)
    return replace(artifacts, ours=ours, free=free)


class _Either(Container[object]):
    """The union of two containers."""

    def __init__(self, first: Container[object], second: Container[object]) -> None:
        self._both = first, second

    def __contains__(self, item: object) -> bool:
        return any(item in each for each in self._both)
