"""Reads all text files that people write: decodes their bytes, or reports why not."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from flux2build.errors import Place, Problem, SpecError
from flux2build.storage import whereabouts
from flux2build.storage.lfs import is_lfs_pointer
from flux2build.storage.project_files import MEBIBYTE, ProjectFiles

_ENDLESS: Final = 5000
_DIGITS: Final = f"(?<![0-9_])[0-9_]{{{_ENDLESS}}}"
_TEXTS: Final = (
    r'''(?s:"""(?:[^"\\]++|\\.|"(?!""))*+"""|\'{3}.*?\'{3})'''
    r"""|"(?:[^"\\\n]++|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+"""
)
"""The texts of TOML and JSON, and the comments of TOML."""
_WEIGHTS: Final = {"[": 10, "{": 7, "=": 10, ":": 10, ",": 6, ".": 5}
"""The memory that a sign causes, in units of 100 bytes: a table, a key, an element."""
MOST_WEIGHT: Final = 1_400_000
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""The byte order marks of other encodings, longer ones first."""
_AS_UTF8: Final = "save the file as UTF-8"
_UNSEEN: Final = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""Unicode categories of characters that look like a plain space, or like nothing."""
_LFS: Final = "is a Git LFS pointer, not the text itself"
_MARKER: Final = r"(?m)^([<=>])\1{6}(?: .*)?$"


def read_text(files: ProjectFiles, file: str, most: int, noun: str = "") -> str:
    """The text of a project's file of at most so many MiB; messages call it by the noun.

    Raises:
        SpecError: there is no such file, it is too large, or it is not a text in UTF-8.
    """
    if absence := whereabouts.absence(files, file):
        message, hint = absence
        raise SpecError(f"{noun} {message}".lstrip(), hint=hint)
    return decoded(files.read(file, most * MEBIBYTE), file)


def decoded(data: bytes, file: str) -> str:
    """The text of a file, without a byte order mark, with a line feed at the end of each line.

    Raises:
        SpecError: it is not a text in UTF-8, or only the pointer that Git LFS left in its place.
    """
    if is_lfs_pointer(data):
        raise SpecError(Problem(f"`{file}` {_LFS}", Place(file), hint="`git lfs pull` fetches it"))
    if encoding := _other_encoding(data):
        raise SpecError(Problem(f"`{file}` is {encoding}", Place(file), hint=_AS_UTF8))
    try:
        data = data.removeprefix(_BYTE_ORDER_MARK)
        text = data.decode()
    except UnicodeDecodeError as error:
        raise SpecError(_not_utf8(data, error.start, file)) from None
    return text.replace("\r\n", "\n") if "\r" in text else text


def decoded_from(data: bytes, file: str, encoding: str) -> str:
    """The text of a file in the encoding that it names itself, with line feeds.

    Raises:
        SpecError: it is not.
    """
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except (LookupError, UnicodeDecodeError):
        message = f"this is not in {encoding}, as its header says"
        raise SpecError(Problem(message, Place(file))) from None


def refuse_conflict(text: str, file: str, above: int = 0) -> None:
    """Refuse a text in which a merge left a conflict; `above` are the lines of the file above it.

    Raises:
        SpecError: it has the three markers of a conflict, in their order.
    """
    start = _conflict(text) if "<<<<<<<" in text else None
    if start is None:
        return
    line, (marker, _, _) = text.count("\n", 0, start), text[start:].partition("\n")
    place = Place(file, above + line + 1, 1)
    message, hint = "a merge left its conflict markers here", "keep one side, without the markers"
    raise SpecError(Problem(message, place, hint=hint, excerpt=marker, width=7))


def _conflict(text: str) -> int | None:
    """Where the first conflict of a text begins: two sides, between three markers."""
    start, parted = None, False
    for marker in re.finditer(_MARKER, text):
        if marker[1] == "<":
            start, parted = marker.start(), False
        elif marker[1] == "=":
            parted = start is not None
        elif parted:
            return start
    return None


def _other_encoding(data: bytes) -> str | None:
    """The encoding that a file is in by its first bytes, if that is not UTF-8."""
    head = data[:64]
    if 0 not in head and not head.startswith((b"\xff", b"\xfe")):
        return None
    for mark, encoding in _OTHER_MARKS.items():
        if data.startswith(mark):
            return encoding
    halves = (head[::2], head[1::2])
    # Letters of Latin script have a zero in each pair of bytes, and UTF-8 has hardly any.
    return "UTF-16" if any(half and not any(half) for half in halves) and any(head) else None


def _not_utf8(data: bytes, at: int, file: str) -> Problem:
    """The problem of a byte that is not UTF-8, with its place and its line."""
    start = data.rfind(b"\n", 0, at) + 1
    line, _, _ = data[start:].partition(b"\n")
    before = data[start:at].decode(errors="replace")
    return Problem(
        f"byte 0x{data[at]:02x} is not UTF-8",
        Place(file, data.count(b"\n", 0, at) + 1, len(before) + 1),
        hint=_AS_UTF8,
        excerpt=line.decode(errors="replace").rstrip("\r"),
    )


def unseen(letter: str) -> str | None:
    """The name for messages of an invisible character; None for a plain space and visible ones."""
    if letter in " \t\n" or unicodedata.category(letter) not in _UNSEEN:
        return None
    name = "carriage return" if letter == "\r" else unicodedata.name(letter, "control").lower()
    return f"U+{ord(letter):04X} ({name})"


def is_stray(letter: str) -> bool:
    """Whether a character in a name is an accident: invisible, without width, joining nothing."""
    return unicodedata.category(letter) == "Cf" and letter not in "\u200c\u200d"


def unseen_hint(letter: str) -> str:
    """The hint about an invisible character."""
    if letter == "\r":
        return "save the file with LF or CRLF at the ends of its lines"
    blank = unicodedata.category(letter).startswith("Z") and letter != "\u200b"
    return "type a plain space instead of it" if blank else "delete it; an editor may not show it"


def weight(text: str) -> int:
    """Estimate the memory of a TOML or JSON text's values, in units of 100 bytes.

    Signs inside of texts count only while that does not matter.
    """
    lines = 2 * text.count("\n") + text.count("\\")
    if (most := lines + _signs(text)) <= MOST_WEIGHT:
        return most
    return lines + _signs(without_texts(text))


def without_texts(text: str) -> str:
    """Return TOML or JSON without its texts and comments, to count the signs of the rest."""
    return re.sub(_TEXTS, "", text)


def _signs(text: str) -> int:
    return sum(weight * text.count(sign) for sign, weight in _WEIGHTS.items())


def refuse_endless(text: str) -> None:
    """Refuse more digits in a row than Python reads; a parser of TOML takes 100 bytes for each.

    Raises:
        ValueError: there are such digits.
    """
    if max(map(len, text.split("\n"))) >= _ENDLESS and re.search(_DIGITS, text):
        raise ValueError("a number has too many digits")
