"""Rules for paths and names, so that each of them means one file on every system."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST_PART: Final = 200
LONGEST_PATH: Final = 240
LONGEST_NAME: Final = 100

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that steer a terminal or mislead the eye instead of naming anything."""

_RESERVED: Final = r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])"
_FORBIDDEN: Final = frozenset('<>:"|?*\\')
_PLAIN_NAME: Final = re.compile(rf"[A-Za-z0-9_@:][A-Za-z0-9_.@:-]{{0,{LONGEST_NAME - 1}}}")
"""A name of plain letters, as most are; it needs no closer check."""
_PLAIN_PART: Final = (
    r"(?!(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?:[./]|\Z))"
    r"[A-Z0-9_](?:[A-Z0-9_.-]{0,198}[A-Z0-9_-])?"
)
_PLAIN_PATH: Final = re.compile(rf"{_PLAIN_PART}(?:/{_PLAIN_PART})*", re.ASCII | re.IGNORECASE)
"""A path of plain letters, as most are; it needs no closer check, either."""
_UNWORDLY: Final = r"[^A-Za-z0-9_.-]"
_OURS: Final = frozenset({".git", ".flux2build"})
_FOREIGN: Final = frozenset({"node_modules", "__pycache__", "venv"})


def fold(path: str) -> str:
    """Return a path's identity: equal folds mean the same file on some file system.

    Compatibility forms and case are folded, and the dots and spaces that
    Windows drops at the end of each part are stripped. Folding is repeated
    until it settles, because one fold may uncover another.
    """
    if path.isascii():
        return _stripped(path.lower())
    folded = _fold_once(path)
    while folded != path:
        path, folded = folded, _fold_once(folded)
    return folded


def _fold_once(path: str) -> str:
    plain = unicodedata.normalize("NFKD", path).casefold()
    return _stripped(unicodedata.normalize("NFC", plain))


def _stripped(path: str) -> str:
    if not path.endswith((".", " ")) and "./" not in path and " /" not in path:
        return path
    return "/".join([part.rstrip(". ") for part in path.split("/")])


def fault(path: str) -> str | None:
    """Explain why a POSIX path is not a valid output path; return None if it is valid."""
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    if len(path) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} characters"
    return part_fault(path)


def part_fault(path: str) -> str | None:
    """Explain which part of a path no output can have; return None if all are valid."""
    if _PLAIN_PATH.fullmatch(path):
        return None
    faults = (_part_fault(part) for part in path.split("/"))
    return next((reason for reason in faults if reason), None)


def kept_out(part: str) -> bool:
    """Whether a part of a path is git's or flux2build's own folder, however it is spelled."""
    if part.isascii() and not part.startswith("."):
        return False
    return fold(part) in _OURS


@lru_cache(maxsize=256)
def _part_fault(part: str) -> str | None:
    return _shape_fault(part) or _letters_fault(part)


def _shape_fault(part: str) -> str | None:
    if part == "..":
        return "leads out of its folder (`..`)"
    if part in {"", "."}:
        return "has an empty part"
    if len(part) > LONGEST_PART or len(part.encode(errors="replace")) > LONGEST_PATH:
        return f"has a part longer than {LONGEST_PART} characters"
    if part.startswith("~"):
        return "has a part that starts with `~`"
    if part.endswith((".", " ")) or part.startswith(" "):
        return "has a part with a space at an end or a dot at its end"
    return None


def _letters_fault(part: str) -> str | None:
    if not (part.isascii() and part.isprintable() and _FORBIDDEN.isdisjoint(part)):
        for letter in part:
            if letter in _FORBIDDEN:
                return f"has `{letter}` in it, which some file systems refuse"
            if unicodedata.category(letter) in _HIDDEN:
                return f"has an invisible or control character in it (U+{ord(letter):04X})"
    folded = fold(part)
    if kept_out(part):
        return f"lies in `{part}`, which is not for pictures"
    if re.fullmatch(_RESERVED, folded.partition(".")[0].rstrip()):
        return f"has the part `{part}`, a device name on Windows"
    return None


def name_fault(value: str) -> str | None:
    """Explain why a text is not a valid asset name or axis value; return None if it is valid."""
    return None if _PLAIN_NAME.fullmatch(value) else _name_fault(value)


def _name_fault(value: str) -> str | None:
    if not value:
        return "is empty"
    if len(value) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if value[0] in ".-+":
        return f"starts with `{value[0]}`"
    if wrong := next((letter for letter in value if not _in_name(letter)), None):
        sign = f"`{wrong}`" if wrong.isprintable() and wrong != " " else f"U+{ord(wrong):04X}"
        return f"has {sign} in it; letters, digits and `_` `.` `-` `@` `:` are allowed"
    if not unicodedata.is_normalized("NFC", value):
        return "is not in Unicode's composed form (NFC)"
    return None


def is_foreign(folder: str) -> bool:
    """Whether a folder of that name holds, by custom, no files of the project."""
    return folder.startswith(".") or folder in _FOREIGN


def safe_name(value: str) -> str:
    """Return a value for a name: invalid characters become `-`, which is stripped at the ends.

    A value that is valid in a name stays as it is.
    """
    if _PLAIN_NAME.fullmatch(value) or name_fault(value) is None:
        return value
    composed = unicodedata.normalize("NFC", value)
    parts = "".join(letter if _in_name(letter) else "\0" for letter in composed).split("\0")
    return "-".join(filter(None, parts)).rstrip("-").lstrip(".-")


def _in_name(letter: str) -> bool:
    return letter in "_.-@:" or _is_word(letter)


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LM" or unicodedata.category(letter) == "Nd"


def join(folder: str, path: str) -> str:
    """Join and normalise a folder and a path; the result may lead out of the folder (`../x`)."""
    whole = f"{folder}/{path}"
    if folder and whole[0] != "." and whole[-1] != "/" and not ("/." in whole or "//" in whole):
        return whole
    return posixpath.normpath(posixpath.join(folder, path))


def slug(value: str) -> str:
    """Turn a value into part of a file name: all but letters, digits and `_ . -` becomes `-`."""
    if value.isascii():
        return value if value.isalnum() else re.sub(_UNWORDLY, "-", value)
    return "".join(letter if letter in "_.-" or _is_word(letter) else "-" for letter in value)
