"""Catalogues of translations: one file is what one locale says."""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Mapping
from typing import Final

from flux2build.assetspec.translations.message import Message, Strings
from flux2build.errors import Place, Problem, SpecError
from flux2build.storage.project_files import ProjectFiles

__all__ = ["FORMATS", "Message", "Strings", "filled", "read"]

_PLACE: Final = re.compile(r"\{\s*[A-Za-z_][A-Za-z0-9_]*\s*[,}]")
LARGEST: Final = 16 * 1024 * 1024

FORMATS: Final[Mapping[str, str]] = {
    ".po": "gettext",
    ".json": "objects",
    ".toml": "tables",
}
"""Modules that read a file's text, by the ending of its name.

They are imported when a catalogue is read, by name: most projects have none.
"""


def read(tree: ProjectFiles, file: str) -> Strings:
    """The strings of a gettext, JSON or TOML file that is there.

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
    reader = FORMATS[posixpath.splitext(file)[1].lower()]
    found: Strings = importlib.import_module(f"flux2build.assetspec.translations.{reader}").read(
        file, text
    )
    return found


def filled(text: str, locale: str, values: Mapping[str, str | int]) -> str:
    """An ICU message with its values in their places; a text that wants none, as it is.

    Raises:
        ValueError: it names a value that is not given, or is no such message.
    """
    if not values and not _PLACE.search(text):
        return text
    made: str = importlib.import_module("flux2build.assetspec.translations.icu").filled(
        text, locale, values
    )
    return made
