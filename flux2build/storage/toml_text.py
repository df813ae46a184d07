"""Parses all TOML that people write: returns its data, or its problem and the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from flux2build.errors import Place, Problem, SpecError
from flux2build.storage.text_files import refuse_endless

if TYPE_CHECKING:
    from tomli import TOMLDecodeError

_DIGITS: Final = r"[0-9_]+"
_EXCESS: Final = "a number has too many digits"


def parsed(text: str, file: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The data of a TOML text.

    Raises:
        SpecError: it is not TOML.
    """
    try:
        refuse_endless(text)
        return _data(text, file, parse_float)
    except RecursionError:
        message = "keys, tables or arrays are nested too deeply"
        raise SpecError(Problem(message, Place(file, _densest(text)))) from None
    except (ValueError, ArithmeticError):
        raise SpecError(Problem(_EXCESS, Place(file, _longest(text)))) from None


def _data(text: str, file: str, parse_float: Callable[[str], Any]) -> dict[str, Any]:
    import tomli

    try:
        return tomli.loads(text, parse_float=parse_float)
    except tomli.TOMLDecodeError as error:
        raise SpecError(_problem(text, file, error)) from None


def _densest(text: str) -> int:
    """The line with the most signs that nest."""
    lines = text.split("\n")
    return 1 + max(range(len(lines)), key=lambda at: sum(map(lines[at].count, "[{.")))


def _longest(text: str) -> int:
    """The line with the most digits in a row."""
    numbers = max(re.finditer(_DIGITS, text), key=lambda number: len(number[0]), default=None)
    return text.count("\n", 0, numbers.start()) + 1 if numbers else 0


def _problem(text: str, file: str, error: TOMLDecodeError) -> Problem:
    """The problem of a text that is not TOML, with its line."""
    lines = text.split("\n")
    from flux2build.storage.toml_errors import explained

    fault = explained(error.msg, error.lineno, error.colno, lines)
    place = Place(file, fault.line, fault.column)
    rows = (("first", str(Place(file, fault.first))),) if fault.first else ()
    hint = fault.hint if not fault.meant or _is_value(fault.meant) else None
    excerpt = lines[fault.line - 1] if fault.line <= len(lines) else None
    return Problem(fault.message, place, rows, hint, excerpt, fault.width)


def _is_value(text: str) -> bool:
    """Whether a text is one value of TOML, so that pasting it does not cause a second error."""
    import tomli

    try:
        return tomli.loads(f"value = {text}").keys() == {"value"}
    except (ValueError, RecursionError):
        return False
