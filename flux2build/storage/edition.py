"""Identifies the code that runs, because another commit of a version may judge differently.

The call with nothing to do imports this module, so it imports almost nothing.
"""

from __future__ import annotations

import operator
import os
import zlib

from flux2build import __version__

_ASIDE = {"__pycache__", "building", "cli", "console", "purchasing", "sharing", "simulator"}
"""Folders whose code does not affect judgements, and Python's compiled code."""

_ATTRIBUTES = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")


def edition_of(package: str) -> str:
    """Return a name for the code of the package in a folder; other code has another name.

    Beside a package that was installed lies a record with the digest of every file.
    """
    try:
        with open(os.path.join(f"{package}-{__version__}.dist-info", "RECORD"), "rb") as file:
            code = file.read()
    except OSError:
        code = _states(package)
    return f"{__version__}+{zlib.crc32(code):08x}"


def _states(package: str) -> bytes:
    """The attributes of a checkout's files, or of the zip file with the package.

    Files that are changing right now get unique attributes.
    """
    try:
        files = sorted(_files(package))
        states = [*map(_ATTRIBUTES, map(os.stat, files))]
    except OSError:
        return os.urandom(8)
    return os.fsencode("\n".join([*files, repr(states)]))


def _files(package: str) -> list[str]:
    while not os.path.exists(package):
        package = os.path.dirname(package)
    if os.path.isfile(package):
        return [package]
    files, folders = list[str](), [package]
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir():
                    files.append(entry.path)
                elif entry.name not in _ASIDE:
                    folders.append(entry.path)
    return files


EDITION = edition_of(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The code that runs, as it was at the start."""
