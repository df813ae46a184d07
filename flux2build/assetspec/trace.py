"""The data and templates that the recipes of a spec depend on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Table


class Trace(Struct, frozen=True):
    """The assets that each file of a spec was read for."""

    rows: Mapping[str, Table] = field(default_factory=dict)
    """The data of each family."""
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The names of each table's assets, in the order of the tables."""
    listed: Collection[str] = ()
    """The families that lists of pictures use as a whole."""
    templates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The assets whose texts are made of a template or a catalogue, by its path."""
    catalogs: Collection[str] = ()
    """The templates that are catalogues of translations."""
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Every word inside of the markup of a template, by its path."""
    whole: bool = False
    """Whether a change of data or of a template cannot affect anything else."""
    room: tuple[int, int, int, int] = (0, 0, 0, 0)
    """The remaining budgets of the templates and of the spec."""
    hidden: frozenset[str] = frozenset()
    """Words that do not refer to variables."""
    elsewhere: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """The paths of each asset's files in other profiles, if they may collide only there."""
