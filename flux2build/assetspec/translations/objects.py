"""Catalogues in JSON."""

from __future__ import annotations

import json

from flux2build.assetspec.translations.message import Strings
from flux2build.assetspec.translations.nested import reason, strings
from flux2build.errors import Place, Problem, SpecError


def read(file: str, text: str) -> Strings:
    """The texts of a JSON object.

    Raises:
        SpecError: it is not a JSON object, or holds a value that is not a text.
    """
    try:
        value = json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as fault:
        message = f"this is not JSON: {fault.msg[:1].lower() + fault.msg[1:]}"
        raise SpecError(Problem(message, Place(file, fault.lineno, fault.colno))) from None
    except (ValueError, RecursionError) as fault:
        raise SpecError(Problem(reason(fault), Place(file))) from None
    return strings(file, value)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key `{repeated[:60]}` is given twice in one object")
    return value
