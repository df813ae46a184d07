"""What is wrong with a text that is not TOML, in the words of the people who write specs.

The parser's exceptions have a position, but no kind: its sentences tell one mistake from
another. A sentence that is not known here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_KEY: Final = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^=\s]+)*)\s*=""")
_TWICE: Final = re.compile(r"Cannot declare \((.*)\) twice")
_OPEN: Final = re.compile(r"Expected [\"']['\"]+[\"']|Unterminated string|Illegal character '\\n'")
_QUOTE: Final = re.compile(r"[\"']+")


@dataclass(frozen=True, slots=True)
class TomlFault:
    """What is wrong and where; line and column count from 1."""

    message: str
    line: int
    column: int
    width: int = 1
    first: int = 0
    """The line of the first of two equal keys or tables, or 0."""


def explained(message: str, line: int, column: int, lines: Sequence[str]) -> TomlFault:
    """The parser's message and position, reworded and moved to where the mistake was made."""
    if message == "Cannot overwrite a value":
        return _repeated(line, column, lines)
    if twice := _TWICE.search(message):
        return _declared(twice[1], line, column, lines)
    if _OPEN.match(message):
        return _unclosed(line, column, lines)
    return TomlFault(f"this is not TOML: {message[:1].lower()}{message[1:]}", line, column)


def _repeated(line: int, column: int, lines: Sequence[str]) -> TomlFault:
    """A key that is given twice in one table."""
    match = _KEY.match(lines[line - 1])
    if match is None:
        return TomlFault("a key is given twice", line, column)
    key, first = match[1], 0
    for number in range(line - 1, 0, -1):
        before = lines[number - 1]
        if before.lstrip().startswith("["):
            break
        if (other := _KEY.match(before)) and other[1] == key:
            first = number
    return TomlFault(f"`{key}` is given twice", line, match.start(1) + 1, len(key), first)


def _declared(names: str, line: int, column: int, lines: Sequence[str]) -> TomlFault:
    """A table that is declared twice."""
    header = lines[line - 1].partition("#")[0].strip()
    places = [n for n, text in enumerate(lines, 1) if text.partition("#")[0].strip() == header]
    first = places[0] if places and places[0] < line else 0
    if not header.startswith("["):
        name = ".".join(re.findall(r"'([^']*)'", names))
        return TomlFault(f"`{name}` is declared twice", line, column, 1, first)
    start = lines[line - 1].index("[") + 1
    return TomlFault(f"`{header}` is declared twice", line, start, len(header), first)


def _unclosed(line: int, column: int, lines: Sequence[str]) -> TomlFault:
    """A text without a closing quote: the last quote before the place where parsing stopped."""
    for number in range(min(line, len(lines)), 0, -1):
        if quotes := list(_QUOTE.finditer(lines[number - 1])):
            return TomlFault("a text has no closing quote", number, quotes[-1].start() + 1)
    return TomlFault("a text has no closing quote", line, column)
