"""The assets of a spec by now, beside those that a baseline has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Final

from msgspec import Struct

from flux2build.storage import paths

Tables = Mapping[str, Sequence[str]]
"""The names of each table's assets; the tables in their order, too."""

_ENDS: Final = (".,", ".]", ".-")
"""What stands in a name where a part of a key may have ended in a dot, which some systems drop."""


class Members(Struct, frozen=True, dict=True):
    """The names of all assets, as they were and as they are."""

    before: Tables
    now: Tables

    @property
    def same(self) -> bool:
        """Whether the same assets are there, in the same order."""
        return self.before == self.now and [*self.before] == [*self.now]

    @cached_property
    def gone(self) -> frozenset[str]:
        """The assets that are not there any more."""
        return frozenset(self._but(self.before, self.now))

    @cached_property
    def new(self) -> frozenset[str]:
        """The assets that were not there before."""
        return frozenset(self._but(self.now, self.before))

    @staticmethod
    def _but(these: Tables, those: Tables) -> Iterator[str]:
        for table, names in these.items():
            others = those.get(table, ())
            if names != others:
                yield from set(names).difference(others)

    @cached_property
    def changed(self) -> frozenset[str]:
        """The tables that have other assets than before, or those in another order."""
        tables = self.before.keys() | self.now.keys()
        return frozenset(each for each in tables if self.before.get(each) != self.now.get(each))

    @property
    def declared(self) -> Iterable[str]:
        """All assets that are there, in their order."""
        return chain.from_iterable(self.now.values())


def spliced(names: Sequence[str], was: Sequence[str], now: Sequence[str]) -> list[str] | None:
    """Return names with others in the place of those that stand together; None if it is not plain how."""
    if was == now:
        return [*names]
    start = names.index(was[0]) if was else 0
    end = start + len(was)
    return [*names[:start], *now, *names[end:]] if [*names[start:end]] == [*was] else None


def alike(names: Sequence[str], text: str) -> bool:
    """Whether rows may have equal keys on some systems, given the names they make and the text they are from.

    A name lacks those letters of a key that names cannot hold: they must not be the like of others.
    """
    folded = {paths.fold(name) for name in names}
    ending = any(end in name for name in names for end in _ENDS)
    return len(folded) < len(names) or ending or any(map(_is_like_others, {*text}))


def _is_like_others(letter: str) -> bool:
    unlike = letter.isascii() or letter == unicodedata.normalize("NFKD", letter)
    return not (unlike or letter.isalpha() or letter.isdecimal())
