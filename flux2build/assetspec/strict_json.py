"""JSON as people write it, read strictly: no name twice in an object, no `NaN`, no `1e999`."""

from __future__ import annotations

import json
import math
from typing import Final, NoReturn

from flux2build.errors import brief
from flux2build.storage.text_files import unseen
from flux2build.storage.toml_values import CURLY


class _BadValueError(ValueError):
    """A value that Python reads, and JSON does not allow or a table cannot hold."""


def explained(fault: ValueError | RecursionError) -> tuple[str, int, int]:
    """Why `DECODER` failed, with the line and the column; 0 means unknown."""
    match fault:
        case json.JSONDecodeError(msg=message, lineno=line, colno=column, doc=text, pos=at):
            why = _odd_character(text[at : at + 1]) or f"{message[:1].lower()}{message[1:]}"
            return f"this is not JSON: {why}", line, column
        case RecursionError():
            return "this is nested too deeply", 0, 0
        case _BadValueError():
            return str(fault), 0, 0
        case _:
            return "a number has too many digits", 0, 0


def _odd_character(letter: str) -> str | None:
    """The problem of an invisible character, or of one that JSON writes differently."""
    if letter and (name := unseen(letter)):
        return f"an invisible character stands outside of quotes: {name}"
    if letter and letter in f"{CURLY}'":
        return 'a text stands between `"`'
    return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _BadValueError(f"`{brief(twice)}` is given twice in one object")
    return value


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise _BadValueError(f"`{brief(text)}` is not a number of JSON's")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number
)
"""Decodes a text; `explained` explains its errors."""
