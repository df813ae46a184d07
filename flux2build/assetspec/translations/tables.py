"""Catalogues in TOML."""

from __future__ import annotations

import tomli

from flux2build.assetspec.translations.message import Strings
from flux2build.assetspec.translations.nested import reason, strings
from flux2build.errors import Place, Problem, SpecError


def read(file: str, text: str) -> Strings:
    """The texts of a TOML file.

    Raises:
        SpecError: it is not TOML, or holds a value that is not a text.
    """
    try:
        value = tomli.loads(text)
    except tomli.TOMLDecodeError as fault:
        message = f"this is not TOML: {fault.msg[:1].lower() + fault.msg[1:]}"
        raise SpecError(Problem(message, Place(file, fault.lineno, fault.colno))) from None
    except (ValueError, RecursionError) as fault:
        raise SpecError(Problem(reason(fault), Place(file))) from None
    return strings(file, value)
