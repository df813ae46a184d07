"""Which assets an edit of the tables of a spec concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from flux2build.assetspec.reading import Reading
from flux2build.assetspec.said import Differences, uses, words_of, words_of_asset
from flux2build.errors import Flux2BuildError
from flux2build.incremental import traces

_SHARED: Final = frozenset({"asset", "defaults", "style", "vars", "profile"})
"""The tables that are compared by themselves."""


class AsAWholeError(Flux2BuildError):
    """The spec must be read as a whole."""


def concerned(
    reading: Reading, trace: traces.Contents, differences: Differences, *, in_lines: bool
) -> Iterator[str]:
    """Return the assets of the tables that say something else, and of those that share what does.

    Where another profile says something else, it is one of each table, to know that all is well there.

    Raises:
        AsAWholeError: the spec must be read as a whole to know them.
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
    """The words of the templates that the texts of each asset are made of."""
    words: dict[str, set[str]] = {}
    for path, assets in trace["templates"].items():
        for name in {asset.partition("[")[0] for asset in assets}:
            words.setdefault(name, set()).update(trace["words"].get(path, ()))
    return words
