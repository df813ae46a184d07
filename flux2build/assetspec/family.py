"""Families: a `matrix` and the rows of a data file become members, each with its own name."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flux2build.assetspec import rows as data_files
from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.quota import MEMBER, Quota
from flux2build.assetspec.rows import Row
from flux2build.assetspec.tables import AssetTable, Scalar
from flux2build.errors import SpecError, did_you_mean
from flux2build.model import AssetName, Key, member
from flux2build.storage import paths
from flux2build.storage.project_files import ProjectFiles


@dataclass(frozen=True, slots=True)
class Member:
    """One asset of a family, or an asset by itself, which has no axes."""

    name: AssetName
    axes: Mapping[str, str]
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class AssetFamily:
    """The members of one table `[asset.NAME]`."""

    name: str
    axes: tuple[str, ...]
    members: tuple[Member, ...]


@dataclass(slots=True)
class FamilyExpander:
    """Makes members of tables; reads a data file once, however many families use it."""

    tree: ProjectFiles
    faults: Faults
    quota: Quota
    _read: dict[tuple[str, str], tuple[Row, ...]] = field(default_factory=dict)

    def expand(self, name: str, table: AssetTable) -> AssetFamily:
        """The members of an asset; notes what is wrong with its axes."""
        key: Key = ("asset", name)
        axes = axes_of(table.matrix or {}, (*key, "matrix"), self.faults)
        rows = self._rows(key, table)
        self.quota.take(math.prod(map(len, axes.values())) * len(rows) * MEMBER, key)
        points = self._points(key, table, axes)
        axis = axis_of(table.rows.key) if table.rows else None
        members = [
            Member(member(name, inside), inside, row)
            for row in rows
            for point in points
            for inside in ({**point, axis: row.key} if axis and row else point,)
        ]
        names = (*axes, axis) if axis else tuple(axes)
        keys = {axis: [row.key for row in rows if row]} if axis and rows else {}
        excluded = self._excluded(key, table, names, {**axes, **keys})
        self.quota.take(len(excluded) * len(members), key)
        kept = [one for one in members if not _is_excluded(one, excluded)]
        if members and not kept:
            self.faults.add(Fault((*key, "exclude"), "every member is excluded"))
        return AssetFamily(name, names, tuple(kept))

    def _points(
        self, key: Key, table: AssetTable, axes: Mapping[str, Sequence[str]]
    ) -> list[dict[str, str]]:
        if table.rows and (axis := axis_of(table.rows.key)) in axes:
            message = f"`{axis}` is an axis of the matrix and the key of the rows"
            self.faults.add(Fault((*key, "rows", "key"), message))
            return []
        return points_of(axes)

    def _rows(self, key: Key, table: AssetTable) -> Sequence[Row | None]:
        """The rows whose key can be part of a name; without a data file, None as the only one."""
        if table.rows is None:
            return [None]
        named = paths.join("", table.rows.file), table.rows.key
        try:
            if named not in self._read:
                self._read[named] = data_files.read(self.tree, *named)
        except SpecError as error:
            self.faults.add_file((*key, "rows", "file"), error)
            self._read[named] = ()
        return list(self._fit(key, self._read[named]))

    def _fit(self, key: Key, rows: Sequence[Row]) -> Iterator[Row]:
        for row in rows:
            if fault := paths.name_fault(row.key):
                message = f"key `{row.key[:60]}` {fault}"
                self.faults.add(Fault((*key, "rows", "key"), message, place=row.place))
            else:
                yield row

    def _excluded(
        self,
        key: Key,
        table: AssetTable,
        axes: Sequence[str],
        values: Mapping[str, Sequence[str]],
    ) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
        """The values that `exclude` leaves out, by their axes; notes what leaves out nothing."""
        excluded: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        texts = {axis: frozenset(each) for axis, each in values.items()}
        for index, part in enumerate(table.exclude or []):
            if not part:
                message = "an empty table leaves nothing out"
                self.faults.add(Fault((*key, "exclude", index), message))
            for axis, value in part.items():
                at = (*key, "exclude", index, axis)
                if axis not in axes:
                    hint = did_you_mean(axis, axes)
                    self.faults.add(Fault(at, f"there is no axis `{axis}`", hint=hint, name=True))
                elif texts.get(axis) and written(value) not in texts[axis]:
                    hint = did_you_mean(written(value), values[axis])
                    message = f"axis `{axis}` has no value `{written(value)}`"
                    self.faults.add(Fault(at, message, hint=hint))
            if part:
                point = tuple(written(part[axis]) for axis in sorted(part))
                excluded.setdefault(tuple(sorted(part)), set()).add(point)
        return excluded


def _is_excluded(one: Member, excluded: Mapping[tuple[str, ...], Container[object]]) -> bool:
    return any(tuple(map(one.axes.get, axes)) in values for axes, values in excluded.items())


def axes_of(
    matrix: Mapping[str, Sequence[Scalar]], key: Key, faults: Faults
) -> dict[str, list[str]]:
    """A matrix with its values as text; notes values that cannot be part of a name."""
    axes: dict[str, list[str]] = {}
    for axis, values in matrix.items():
        place = (*key, axis)
        if not values:
            faults.add(Fault(place, f"axis `{axis}` has no values"))
        kept: dict[str, str] = {}
        for index, value in enumerate(values):
            text = written(value)
            if fault := paths.name_fault(text):
                faults.add(Fault((*place, index), f"value `{text[:60]}` {fault}"))
            elif (same := kept.get(paths.fold(text))) is not None:
                faults.add(Fault((*place, index), f"value `{text}` is the same as `{same}`"))
            else:
                kept[paths.fold(text)] = text
        axes[axis] = list(kept.values())
    return axes


def points_of(axes: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Every combination of a matrix; a single empty one if it has no axes."""
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def written(value: Scalar) -> str:
    """A value as it is written in a member's name: as in TOML."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def axis_of(column: str) -> str:
    """The name of the axis of a key column: the column's, with `_` for what templates cannot name."""
    axis = re.sub(r"\W+", "_", column.strip(), flags=re.ASCII).strip("_")
    return f"_{axis}" if not axis or axis[0].isdigit() else axis
