"""Catalogues of translations, one file for each locale."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from flux2build.assetspec.translations import objects, tables
from flux2build.assetspec.translations.message import Message, Strings
from flux2build.errors import Place, Problem, SpecError
from flux2build.images import lettering
from flux2build.storage.project_files import ProjectFiles

__all__ = ["FORMATS", "IcuMissingError", "Message", "Strings", "filled", "read"]

_PLACE: Final = re.compile(r"\{\s*[A-Za-z_][A-Za-z0-9_]*\s*[,}]")
LARGEST: Final = 16 * 1024 * 1024

FORMATS: Final = (".po", ".json", ".toml")
"""The endings of the names of files that can be read."""


class IcuMissingError(Exception):
    """Raised where a message needs ICU, which only the extra `lettering` installs."""


def read(tree: ProjectFiles, file: str) -> Strings:
    """The strings of a gettext, JSON or TOML file.

    Raises:
        SpecError: it cannot be read; the message says where and why.
    """
    data = tree.read(file)
    if len(data) > LARGEST:
        size = f"{len(data) / 1024 / 1024:.0f} MiB"
        raise SpecError(Problem(f"the catalogue is {size}; 16 MiB is the most", Place(file)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        message = f"byte 0x{data[fault.start]:02x} is not UTF-8"
        raise SpecError(
            Problem(message, Place(file, line), hint="save the file as UTF-8")
        ) from None
    return _parsed(file, text)


def _parsed(file: str, text: str) -> Strings:
    match posixpath.splitext(file)[1].lower():
        case ".json":
            return objects.read(file, text)
        case ".toml":
            return tables.read(file, text)
        case _:
            from flux2build.assetspec.translations import gettext

            return gettext.read(file, text)


def filled(text: str, locale: str, values: Mapping[str, str | int]) -> str:
    """An ICU message with its values in their places; a text without any is returned as it is.

    Raises:
        ValueError: it names a value that is not given, or is not an ICU message.
        IcuMissingError: it has places for values, and ICU is not installed.
    """
    if not values and not _PLACE.search(text):
        return text
    if not lettering.installed():
        raise IcuMissingError
    from flux2build.assetspec.translations import icu

    return icu.filled(text, locale, values)
