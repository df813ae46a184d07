"""Compares the assets of a spec with a baseline's, and finds those that an edit of tables concerns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Final

from msgspec import Struct

from flux2build.assetspec.reading import Reading
from flux2build.assetspec.spec_digests import Differences, uses, words_of, words_of_asset
from flux2build.errors import Flux2BuildError
from flux2build.incremental import traces
from flux2build.storage import paths

Tables = Mapping[str, Sequence[str]]
"""The names of each table's assets, with the tables in their order."""

_ENDS: Final = (".,", ".]", ".-")
"""The parts of a name that may come from a final dot in a key, which some systems drop."""

_SHARED: Final = frozenset({"asset", "defaults", "style", "vars", "profile"})
"""The tables that are compared separately."""


class Members(Struct, frozen=True, dict=True):
    """The names of all assets before and after an edit."""

    before: Tables
    now: Tables

    @property
    def same(self) -> bool:
        """Whether the assets and their order are the same."""
        return self.before == self.now and [*self.before] == [*self.now]

    @cached_property
    def gone(self) -> frozenset[str]:
        """The assets that were removed."""
        return frozenset(self._but(self.before, self.now))

    @cached_property
    def new(self) -> frozenset[str]:
        """The assets that were added."""
        return frozenset(self._but(self.now, self.before))

    @staticmethod
    def _but(these: Tables, those: Tables) -> Iterator[str]:
        for table, names in these.items():
            others = those.get(table, ())
            if names != others:
                yield from set(names).difference(others)

    @cached_property
    def changed(self) -> frozenset[str]:
        """The tables whose assets, or their order, have changed."""
        tables = self.before.keys() | self.now.keys()
        return frozenset(each for each in tables if self.before.get(each) != self.now.get(each))

    @property
    def declared(self) -> Iterable[str]:
        """All current assets, in their order."""
        return chain.from_iterable(self.now.values())


def spliced(names: Sequence[str], was: Sequence[str], now: Sequence[str]) -> list[str] | None:
    """Return names with a consecutive part replaced by others; None if the part is not found."""
    if was == now:
        return [*names]
    start = names.index(was[0]) if was else 0
    end = start + len(was)
    return [*names[:start], *now, *names[end:]] if [*names[start:end]] == [*was] else None


def alike(names: Sequence[str], text: str) -> bool:
    """Whether rows may have equal keys on some systems, judged by their names and their text.

    Names lack those letters of a key that they cannot hold; these letters must not resemble others.
    """
    folded = {paths.fold(name) for name in names}
    ending = any(end in name for name in names for end in _ENDS)
    return len(folded) < len(names) or ending or any(map(_is_like_others, {*text}))


def _is_like_others(letter: str) -> bool:
    is_plain = letter.isascii() or letter == unicodedata.normalize("NFKD", letter)
    return not (is_plain or letter.isalpha() or letter.isdecimal())


class AsAWholeError(Flux2BuildError):
    """The spec must be read as a whole."""


def concerned(
    reading: Reading, trace: traces.Contents, differences: Differences, *, in_lines: bool
) -> Iterator[str]:
    """Return the assets of changed tables, and of tables that use what has changed.

    If another profile has changed, this includes an asset of each table, to see whether all is well
    there.

    Raises:
        AsAWholeError: the spec must be read as a whole to find them.
    """
    data, profiles = reading.text.data, differences.profiles
    others = [table for key, table in data.items() if key not in _SHARED]
    variables = differences.variables
    if not differences.in_tables_alone or variables & words_of(others):
        raise AsAWholeError("more than assets differ")
    if not differences.renaming.isdisjoint(trace["elsewhere"]):
        raise AsAWholeError("files may collide in another profile")
    words = partial(words_of_asset, data, _words_of_templates(trace)) if variables else None
    own = {one.key for one in differences.concerned(reading.declared, words or (lambda _: ()))}
    for one in reading.declared:
        if one.key in own or (differences.ops and uses(differences.ops, one, data)):
            if in_lines and one.table.rows is not None:
                raise AsAWholeError("all rows are concerned")
            yield from (str(member.name) for member in one.family.members)
        elif profiles:
            yield from (str(member.name) for member in one.family.members[:1])


def _words_of_templates(trace: traces.Contents) -> Mapping[str, set[str]]:
    """The words of the templates of each asset's texts."""
    words: dict[str, set[str]] = {}
    for path, assets in trace["templates"].items():
        for name in {asset.partition("[")[0] for asset in assets}:
            words.setdefault(name, set()).update(trace["words"].get(path, ()))
    return words
