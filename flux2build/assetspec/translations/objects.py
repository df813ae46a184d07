"""Catalogues in JSON."""

from __future__ import annotations

import json

from flux2build.assetspec.translations.message import Strings
from flux2build.assetspec.translations.nested import said, strings
from flux2build.errors import Place, Problem, SpecError


def read(file: str, text: str) -> Strings:
    """The texts of a JSON object.

    Raises:
        SpecError: it is no such object, or holds what is no text.
    """
    try:
        value = json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as fault:
        message = f"this is not JSON: {fault.msg[:1].lower() + fault.msg[1:]}"
        raise SpecError(Problem(message, Place(file, fault.lineno, fault.colno))) from None
    except (ValueError, RecursionError) as fault:
        raise SpecError(Problem(said(fault), Place(file))) from None
    return strings(file, value)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key `{twice[:60]}` is given twice in one object")
    return value
