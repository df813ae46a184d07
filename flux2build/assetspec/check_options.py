"""The table `[checks]`: the severity and the options of each check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flux2build.assetspec import validation_errors
from flux2build.assetspec.capabilities import HasOptions
from flux2build.assetspec.faults import Faults, FaultyError
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.model import Key
from flux2build.tables.table import Table


def options(
    written: Mapping[str, Any],
    checks: Mapping[str, HasOptions],
    texts: TextRenderer,
    scope: Scope,
    faults: Faults,
) -> dict[str, Table]:
    """The options of every check that the spec names; templates in them see `[vars]`."""
    options: dict[str, Table] = {}
    for name, value in written.items():
        key: Key = ("checks", name)
        with faults.collecting():
            if name not in checks:
                raise FaultyError(validation_errors.unknown(key, checks, "check"))
            table = {"severity": value} if isinstance(value, str) else value
            options[name] = _read(checks[name].options, texts.inside(table, scope, key), key)
    return options


def _read(model: type[Table], table: Mapping[str, Any], key: Key) -> Table:
    """A check's options; naming a check that is off by default turns it on as a warning."""
    off = model.model_fields["severity"].default == "off"
    values = {"severity": "warning", **table} if off else table
    return validation_errors.validated(model, values, key)
