"""Which data and templates the recipes of a spec were made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Table


class Trace(Struct, frozen=True):
    """What each part of a spec was read for."""

    rows: Mapping[str, Table] = field(default_factory=dict)
    """The data of each family."""
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The names of each table's assets; the tables in their order, too."""
    listed: Collection[str] = ()
    """The families that a list of pictures holds as a whole."""
    templates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The assets whose texts are made of a template or a catalogue, by its path."""
    catalogs: Collection[str] = ()
    """Those of them that are catalogues of translations."""
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Every word inside of the markup of a template, by its path."""
    whole: bool = False
    """Whether there is nothing else that a change of data or of a template could bear on."""
    room: tuple[int, int, int, int] = (0, 0, 0, 0)
    """What the templates of the spec may still do, and how much more it may ask for."""
    hidden: frozenset[str] = frozenset()
    """Words that no variable is meant by."""
    elsewhere: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """The paths of each asset's files in other profiles, where they may collide there alone."""
