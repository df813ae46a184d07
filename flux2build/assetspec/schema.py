"""From the raw data of a spec to typed tables, each of which is checked by itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

from flux2build.assetspec import validation_errors
from flux2build.assetspec.faults import MOST_FAULTS, Fault
from flux2build.assetspec.tables import (
    AssetTable,
    BudgetTable,
    CatalogTable,
    ManifestTable,
    Profile,
    ProjectTable,
    Settings,
    SpecTable,
)
from flux2build.model import Key
from flux2build.storage import paths
from flux2build.tables.table import Table, TableError

RESERVED: Final = frozenset(
    {"row", "asset", "ref", "width", "height", "format", "profile", "target", "t"}
)
"""Names with a fixed meaning in templates."""

_MOST_UNKNOWN: Final = 100
"""Most unknown keys of a table that are reported one by one."""
NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""The pattern of a name that a template can use."""

M = TypeVar("M", bound=Table)


def read(data: Mapping[str, object]) -> tuple[SpecTable, list[Fault], set[Key]]:
    """The well-formed tables of a spec, and the faults of all tables: no fault hides another.

    It also returns the keys that misspelt ones are taken for.
    """
    reader = _TableReader(data)
    return reader.tables(), reader.faults, reader.guessed


def as_meant(data: Mapping[str, object]) -> tuple[Mapping[str, object], set[Key]]:
    """A spec with misspelt tables under their intended names, too, and the guessed keys."""
    intended, guessed = {**data}, set[Key]()
    for name, misspelt in validation_errors.meanings(data, SpecTable.model_fields).items():
        own = intended.get(name, {})
        if isinstance(own, Mapping) and isinstance(misspelt, Mapping):
            intended[name] = {**misspelt, **own}
            guessed |= {(name, key) for key in misspelt.keys() - own.keys()}
    return intended, guessed


def lacks_bases(data: Mapping[str, object]) -> bool:
    """Whether a misspelt key keeps a spec from extending other files, which may hold much of it."""
    return "extends" in validation_errors.meanings(data, SpecTable.model_fields)


def names(data: Mapping[str, object], family: str) -> frozenset[str]:
    """The declared names of every `asset`, `style` or `profile`, including those with faults."""
    tables = data.get(family, {})
    return frozenset(tables) if isinstance(tables, Mapping) else frozenset()


class _TableReader:
    """Checks table after table, and collects their faults."""

    def __init__(self, data: Mapping[str, object]) -> None:
        self._data = data
        self.guessed: set[Key] = set()
        self.faults: list[Fault] = []

    def tables(self) -> SpecTable:
        fields = SpecTable.model_fields
        self.faults += [
            validation_errors.unknown((key,), fields) for key in self._data if key not in fields
        ]
        whole = self._alone("vars", self._data.get("vars", {}))
        self._names(("vars",), whole.vars)
        return SpecTable.model_construct(
            project=self._table(ProjectTable, "project"),
            vars=whole.vars,
            op=self._alone("op", self._data.get("op", {})).op,
            catalog=self._optional(CatalogTable, "catalog"),
            budget=self._table(BudgetTable, "budget"),
            checks=self._checks(),
            manifest=self._table(ManifestTable, "manifest"),
            defaults=self._table(Settings, "defaults"),
            profile=dict(self._family(Profile, "profile")),
            style=dict(self._family(Settings, "style")),
            asset=dict(self._family(AssetTable, "asset")),
        )

    def _alone(self, key: str, value: object) -> SpecTable:
        """One top-level key, read without the others, so that their faults do not affect it."""
        table = None if value == {} else self._checked(SpecTable, (), {key: value})
        return table or SpecTable.model_construct()

    def _checks(self) -> dict[str, Any]:
        written = self._data.get("checks", {})
        if not isinstance(written, Mapping):
            return dict(self._alone("checks", written).checks)
        return {
            name: checks[name]
            for name, value in written.items()
            if (checks := self._alone("checks", {name: value}).checks)
        }

    def _table(self, model: type[M], name: str) -> M:
        absent = name not in self._data
        table = None if absent else self._checked(model, (name,), self._data[name], salvage=True)
        return table or model.model_construct()

    def _optional(self, model: type[M], name: str) -> M | None:
        return self._checked(model, (name,), self._data[name]) if name in self._data else None

    def _family(self, model: type[M], name: str) -> Iterator[tuple[str, M]]:
        """The well-formed tables of a family, by name."""
        tables = self._data.get(name, {})
        if not isinstance(tables, Mapping):
            wrong = f"must be a table, not {validation_errors.kind_of(tables)}"
            hint = f"write `[{name}.NAME]`"
            self.faults.append(Fault((name,), wrong, hint=hint))
            return
        for key, value in tables.items():
            if len(self.faults) > MOST_FAULTS:
                return
            if fault := paths.name_fault(key):
                message = f"{name} name `{key[:60]}` {fault}"
                self.faults.append(Fault((name, key), message, name=True))
            elif table := self._checked(model, (name, key), value, salvage=name != "asset"):
                yield key, table

    def _checked(
        self, model: type[M], key: Key, value: object, *, salvage: bool = False
    ) -> M | None:
        """A table; None if it has faults and its well-formed keys cannot be salvaged.

        Half an asset would cause misleading faults; half of the defaults avoids such faults in
        assets.
        """
        if isinstance(value, Mapping) and len(value) - len(model.model_fields) > _MOST_UNKNOWN:
            names = [name for name in value if name not in model.model_fields][:_MOST_UNKNOWN]
            self.faults += [validation_errors.unknown((*key, n), model.model_fields) for n in names]
            return None
        try:
            table = model.model_validate(value)
        except TableError as error:
            self.faults += validation_errors.of(error, model, value, key)
            if not salvage or not isinstance(value, Mapping):
                return None
            faulty = {entry["loc"][0] for entry in error.errors(include_url=False) if entry["loc"]}
            table = self._salvaged(model, key, value, faulty)
        if isinstance(table, Table):
            self._inside(key, table)
        return table

    def _salvaged(
        self, model: type[M], key: Key, value: Mapping[str, Any], faulty: Collection[object]
    ) -> M:
        """The sound keys of a table, and its misspelt keys under their intended names, if sound."""
        sound = {name: each for name, each in value.items() if name not in faulty}
        meanings = validation_errors.meanings(value, model.model_fields)
        intended = {name: each for name, each in meanings.items() if name not in value}
        try:
            table = model.model_validate({**sound, **intended})
        except TableError:
            return model.model_validate(sound)
        self.guessed |= {(*key, name) for name in intended}
        return table

    def _inside(self, key: Key, table: Table) -> None:
        """Checks the names of a table's variables and axes, which templates use."""
        if isinstance(table, Settings):
            self._names((*key, "vars"), table.vars or {})
            for at, entry in enumerate(table.deliver or []):
                self._names((*key, "deliver", at, "matrix"), entry.matrix or {})
        if isinstance(table, AssetTable):
            self._names((*key, "matrix"), table.matrix or {})
            for name, settings in (table.profile or {}).items():
                self._inside((*key, "profile", name), settings)

    def _names(self, key: Key, names: Mapping[str, object]) -> None:
        for name in names:
            if name in RESERVED:
                message = f"`{name}` has a meaning of its own in templates"
                hint = "reserved: " + ", ".join(f"`{word}`" for word in sorted(RESERVED))
                self.faults.append(Fault((*key, name), message, hint=hint, name=True))
            elif not re.fullmatch(NAME, name):
                message = f"`{name}` cannot be named in a template"
                better = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")
                hint = f"letters, digits and `_`, such as `{better or 'name'}`"
                self.faults.append(Fault((*key, name), message, hint=hint, name=True))
