"""Families: a `matrix` and the rows of a data file become members, each with its own name."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.quota import MEMBER, Quota
from flux2build.assetspec.tables import AssetTable, Rows, Scalar
from flux2build.assetspec.templating import TextRenderer
from flux2build.errors import SpecError, did_you_mean
from flux2build.model import AssetName, Key, member
from flux2build.storage import paths
from flux2build.storage.project_files import ProjectFiles

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row, Table
    from flux2build.assetspec.rows.shaping import Shape

_FALSE: Final = frozenset({"", "false", "no", "none", "0"})
"""The values of a false condition, in lower case."""


class Member(Struct, frozen=True):
    """One asset of a family, or an asset by itself, which has no axes."""

    name: AssetName
    axes: Mapping[str, str]
    row: Row | None = None


class AssetFamily(Struct, frozen=True, dict=True):
    """The members of one table `[asset.NAME]`."""

    name: str
    axes: tuple[str, ...]
    members: tuple[Member, ...]

    def stem(self, one: Member) -> str:
        """The default path of a member's picture, without the suffix."""
        values = [paths.slug(paths.safe_name(one.axes[axis])) for axis in sorted(one.axes)]
        return "-".join([self._own_part, *values])

    @cached_property
    def _own_part(self) -> str:
        return paths.slug(paths.safe_name(self.name))


class FamilyExpander(Struct):
    """Makes members of tables; reads each data file once for all families."""

    tree: ProjectFiles
    faults: Faults
    quota: Quota
    texts: TextRenderer
    variables: Mapping[str, object] = field(default_factory=dict)
    """The names for conditions on rows, besides the row."""
    files: set[str] = field(default_factory=set)
    """The data files that were read."""
    read: dict[str, Table] = field(default_factory=dict)
    """The data that was read, by family."""
    _tables: dict[str, Table] = field(default_factory=dict)

    def expand(self, name: str, table: AssetTable) -> AssetFamily:
        """The members of an asset; notes faults of its axes."""
        key: Key = ("asset", name)
        if not (table.matrix or table.rows or table.exclude):
            self.quota.take(MEMBER, key)
            return AssetFamily(name, (), (Member(AssetName(name), {}),))
        axes = axes_of(table.matrix or {}, (*key, "matrix"), self.faults)
        rows = self._rows(key, table)
        self.quota.take(math.prod(map(len, axes.values())) * len(rows) * MEMBER, key)
        points = self._points(key, table, axes)
        columns = [axis_of(each) for each in table.rows.keys] if table.rows else []
        members = [
            Member(member(name, named(inside)), inside, row)
            for row in rows
            for own in (dict(zip(columns, row.names, strict=True)) if row else {},)
            for point in points
            for inside in ({**point, **own},)
        ]
        names = (*axes, *columns)
        keys = {
            axis: [row.names[at] for row in rows if row] for at, axis in enumerate(columns) if rows
        }
        excluded = self._excluded(key, table, names, {**axes, **keys})
        self.quota.take(len(excluded) * len(members), key)
        selected = [one for one in members if not _is_excluded(one, excluded)]
        if members and not selected:
            self.faults.add(Fault((*key, "exclude"), "every member is excluded"))
        return AssetFamily(name, names, tuple(selected))

    def _points(
        self, key: Key, table: AssetTable, axes: Mapping[str, Sequence[str]]
    ) -> list[dict[str, str]]:
        columns = [axis_of(each) for each in table.rows.keys] if table.rows else []
        for at, axis in enumerate(columns):
            if axis in axes:
                message = f"`{axis}` is an axis of the matrix and the key of the rows"
                self.faults.add(Fault((*key, "rows", "key"), message))
                return []
            if axis in columns[:at]:
                message = f"two key columns have the name `{axis}` in templates"
                self.faults.add(Fault((*key, "rows", "key"), message))
                return []
        return points_of(axes)

    def _rows(self, key: Key, table: AssetTable) -> Sequence[Row | None]:
        """The rows whose key can be part of a name; without a data file, None as the only one."""
        if table.rows is None:
            return [None]
        from flux2build.assetspec import rows as data_files

        rows, shape = table.rows, shape_of(table.rows)
        named = f"{rows.file} {shape}"
        try:
            if named not in self._tables:
                self._tables[named] = data_files.read(self.tree, rows.file, shape)
                self.files.update(self._tables[named].files)
        except SpecError as error:
            self.faults.add_file((*key, "rows", "file"), error)
            self._tables[named] = data_files.Table((), ())
        self.read[str(key[1])] = data = self._tables[named]
        return list(self._fit(key, self._picked(key, data.rows, rows.where)))

    def _picked(self, key: Key, rows: Iterable[Row], where: str | None) -> Iterator[Row]:
        """The rows for which the condition is true, or all of them."""
        for row in rows:
            if where is None:
                yield row
                continue
            with self.faults.collecting():
                scope = {**self.variables, "row": row}
                text = self.texts.text(where, scope, (*key, "rows", "where"))
                if text.strip().lower() not in _FALSE:
                    yield row

    def _fit(self, key: Key, rows: Iterable[Row]) -> Iterator[Row]:
        at: Key = (*key, "rows", "key")
        first: dict[tuple[str, ...], Row] = {}
        for row in rows:
            safe = tuple(map(paths.safe_name, row.names))
            faults = [
                f"key `{name[:60]}` {fault}"
                for name, part in zip(row.names, safe, strict=True)
                if (fault := paths.name_fault(part) and paths.name_fault(name))
            ]
            earlier = first.setdefault(tuple(map(paths.fold, safe)), row)
            if earlier is not row and not faults:
                faults = [
                    f"keys `{earlier.key}` and `{row.key}` have the same name `{', '.join(safe)}`"
                ]
            for message in faults:
                self.faults.add(Fault(at, message, place=row.place))
            if not faults:
                yield row

    def _excluded(
        self,
        key: Key,
        table: AssetTable,
        axes: Sequence[str],
        values: Mapping[str, Sequence[str]],
    ) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
        """The values that `exclude` leaves out, by their axes; notes entries without effect."""
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


def shape_of(rows: Rows) -> Shape:
    """The naming of rows, and the changes to their cells."""
    from flux2build.assetspec.rows.shaping import Shape

    return Shape(rows.keys, tuple(rows.fill or ()), rows.split or {})


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
        by_name: dict[str, str] = {}
        for index, value in enumerate(values):
            text = written(value)
            name = paths.safe_name(text)
            if fault := paths.name_fault(name) and paths.name_fault(text):
                faults.add(Fault((*place, index), f"value `{text[:60]}` {fault}"))
            elif (same := by_name.get(paths.fold(name))) is not None:
                faults.add(Fault((*place, index), f"value `{text}` is the same as `{same}`"))
            else:
                by_name[paths.fold(name)] = text
        axes[axis] = list(by_name.values())
    return axes


def named(axes: Mapping[str, str]) -> dict[str, str]:
    """Axes with their values in a member's name: `art-deco` for `art deco`."""
    return {axis: paths.safe_name(value) for axis, value in axes.items()}


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
