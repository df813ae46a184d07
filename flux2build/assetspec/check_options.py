"""The table `[checks]`: how much each check weighs, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from flux2build.assetspec import validation_errors
from flux2build.assetspec.capabilities import HasOptions
from flux2build.assetspec.faults import Faults, FaultyError
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.model import Key

_OPTIONAL: Final = "off"
_NAMED: Final = "warning"


def options(
    written: Mapping[str, Any],
    checks: Mapping[str, HasOptions],
    texts: TextRenderer,
    scope: Scope,
    faults: Faults,
) -> dict[str, BaseModel]:
    """The options of every check that the spec names; templates in them see `[vars]`."""
    found: dict[str, BaseModel] = {}
    for name, value in written.items():
        key: Key = ("checks", name)
        with faults.collecting():
            if name not in checks:
                raise FaultyError(validation_errors.unknown(key, checks, "check"))
            said = {"severity": value} if isinstance(value, str) else value
            found[name] = _read(checks[name].options, texts.inside(said, scope, key), key)
    return found


def _read(model: type[BaseModel], said: Mapping[str, Any], key: Key) -> BaseModel:
    """A check's options; one that is off until it is named becomes a warning."""
    off = model.model_fields["severity"].default == _OPTIONAL
    asked = {"severity": _NAMED, **said} if off else said
    try:
        return model.model_validate(asked)
    except ValidationError as error:
        raise FaultyError(*validation_errors.of(error, model, asked, key)) from None
