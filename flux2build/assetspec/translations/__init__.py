"""Catalogues of translations, one file for each locale."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from flux2build.assetspec.translations import nested
from flux2build.assetspec.translations.message import Message, Strings
from flux2build.images import lettering
from flux2build.storage.project_files import ProjectFiles
from flux2build.storage.text_files import read_text

__all__ = ["FORMATS", "IcuMissingError", "Message", "Strings", "filled", "read"]

_PLACE: Final = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*[,}]")
MOST_MIB: Final = 16

FORMATS: Final = (".po", ".json", ".toml")
"""The endings of the names of files that can be read."""


class IcuMissingError(Exception):
    """Raised where a message needs ICU, which only the extra `lettering` installs."""


def read(tree: ProjectFiles, file: str) -> Strings:
    """The strings of a gettext, JSON or TOML file; `SpecError` says where and why it is wrong."""
    text = read_text(tree, file, MOST_MIB, "catalogue")
    match posixpath.splitext(file)[1].lower():
        case ".json":
            return nested.of_json(file, text)
        case ".toml":
            return nested.of_toml(file, text)
        case _:
            from flux2build.assetspec.translations import gettext

            return gettext.read(file, text)


def filled(text: str, locale: str, values: Mapping[str, str | int]) -> str:
    """An ICU message with its values in their places; a text without any is returned as it is.

    Raises:
        ValueError: it names a value that is not given, or is not an ICU message.
        IcuMissingError: it has places for values, and ICU is not installed.
    """
    names = _PLACE.findall(text)
    if not values and not names:
        return text
    if not lettering.installed():
        raise IcuMissingError
    from icu4py.messageformat import MessageFormat

    try:
        message = MessageFormat(text, locale.replace("_", "-")).format(dict(values))
    except ValueError:
        raise ValueError("this is not an ICU message: look for a lone brace") from None
    missing = [f"`{{{name}}}`" for name in sorted(set(names) - set(values))]
    if any(place.strip("`") in message for place in missing):
        raise ValueError(f"no value is given for {', '.join(missing)}")
    return message
