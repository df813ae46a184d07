"""Catalogues of translations, one file for each locale."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from flux2build.assetspec.translations.message import Message, Strings
from flux2build.errors import SpecError
from flux2build.images import lettering
from flux2build.storage.project_files import Kind, ProjectFiles
from flux2build.storage.text_files import decoded_from, read_text, refuse_conflict

__all__ = ["FORMATS", "IcuMissingError", "Message", "Strings", "filled", "read"]

_PLACE: Final = r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*[,}]"
_CHARSET: Final = rb"charset=([A-Za-z0-9_.:-]+)"
MOST_MIB: Final = 8

FORMATS: Final = (".po", ".json", ".toml")
"""The endings of the names of files that can be read."""


class IcuMissingError(Exception):
    """Raised where a message needs ICU, which only the extra `lettering` installs."""


def read(tree: ProjectFiles, file: str) -> Strings:
    """The strings of a gettext, JSON or TOML file; `SpecError` says where and why it is wrong."""
    text = _text(tree, file)
    refuse_conflict(text, file)
    match posixpath.splitext(file)[1].lower():
        case ".json":
            from flux2build.assetspec.translations.nested import of_json

            return of_json(file, text)
        case ".toml":
            from flux2build.assetspec.translations.nested import of_toml

            return of_toml(file, text)
        case _:
            from flux2build.assetspec.translations import gettext

            return gettext.read(file, text)


def _text(tree: ProjectFiles, file: str) -> str:
    """The text of a catalogue; a gettext catalogue may declare its own encoding."""
    try:
        return read_text(tree, file, MOST_MIB, "catalogue")
    except SpecError:
        data = tree.read(file) if tree.kind(file) is Kind.FILE else b""
        charset = re.search(_CHARSET, data[:8192]) if file.lower().endswith(".po") else None
        if charset is None or charset[1].lower() in {b"utf-8", b"utf8"}:
            raise
        return decoded_from(data, file, str(charset[1], "ascii"))


def filled(text: str, locale: str, values: Mapping[str, str | int]) -> str:
    """An ICU message with its values in their places; a text without any is returned as it is.

    Raises:
        ValueError: it names a missing value, or is not an ICU message.
        IcuMissingError: it has places for values, and ICU is not installed.
    """
    names = re.findall(_PLACE, text)
    if not values and not names:
        return text
    if not lettering.installed():
        raise IcuMissingError
    from icu4py.messageformat import MessageFormat

    try:
        message = MessageFormat(text, lettering.language_tag(locale)).format(dict(values))
    except ValueError:
        raise ValueError("this is not an ICU message: look for a lone brace") from None
    missing = [f"`{{{name}}}`" for name in sorted(set(names) - set(values))]
    if any(place.strip("`") in message for place in missing):
        raise ValueError(f"no value is given for {', '.join(missing)}")
    return message
