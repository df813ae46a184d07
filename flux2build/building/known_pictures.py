"""The pictures that a build can take instead of making them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flux2build.digest import Digest
from flux2build.planning.snapshot import KnownPicture


class KnownPictures(Mapping[Digest, KnownPicture]):
    """The pictures that a build has made, before those that were there, which may take long to read."""

    def __init__(self, before: Mapping[Digest, KnownPicture]) -> None:
        self._before, self._made = before, dict[Digest, KnownPicture]()

    def __getitem__(self, key: Digest) -> KnownPicture:
        return self._made[key] if key in self._made else self._before[key]

    def __setitem__(self, key: Digest, picture: KnownPicture) -> None:
        self._made[key] = picture

    def __iter__(self) -> Iterator[Digest]:
        return iter({**self._before, **self._made})

    def __len__(self) -> int:
        return len({**self._before, **self._made})
