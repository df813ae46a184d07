"""Guesses the intent of a value that is not TOML: a number with a unit, a word without quotes.

Each mistake that people make has a pattern of its own; the first that fits names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

_Match = re.Match[str]
CURLY: Final = "“”„‟«»‹›‘’‚‛`´"  # noqa: RUF001 - the quotes that people type
"""Quotes that typesetting and other languages have."""
_TEXTS: Final = re.compile(r"""(?:"[^"]*"|'[^']*')(?:[ ,]+(?:"[^"]*"|'[^']*'))+""")
"""Several texts in a row."""
_WORDS: Final = {
    "true": "true",
    "yes": "true",
    "on": "true",
    "false": "false",
    "no": "false",
    "off": "false",
}
_NOTHING: Final = frozenset({"null", "none", "nil", "undefined"})
_PLAIN: Final = re.compile(r"""[+-]?\d+(?:\.\d+)?|true|false|[\[{].*|"[^"]*"|'[^']*'""")
_LONGEST: Final = 60


class ValueFault(Struct, frozen=True):
    """The problem of a value, and its intent."""

    message: str
    meant: str = ""
    """The value in TOML, if it is known."""
    hint: str | None = None
    """The hint if it is unknown."""


def judged(written: str, rest: str, *, whole: bool) -> ValueFault | None:
    """The fault of a value as it was written; `rest` is the line from where the parser stopped.

    `whole` says that it is all of the text after the key of its line.
    """
    if not written and rest.startswith(","):
        return ValueFault("a value is missing before this comma", hint="take one comma away")
    if not written or written.startswith("# ") or written == "#":
        return ValueFault("there is no value", hint="write one, or leave the key out")
    if written[0] in "\"'":
        return _after_text(written, rest)
    for pattern, explain in _PATTERNS:
        if match := pattern.fullmatch(written):
            return explain(match)
    if word := _word(written, whole=whole):
        return word
    return None


def meant(written: str) -> str | None:
    """The TOML of a value that another language understands; None if it is TOML."""
    fault = None if plain(written) else judged(written, written, whole=True)
    return fault.meant if fault else None


def plain(written: str) -> bool:
    """Whether a value looks like TOML."""
    return bool(_PLAIN.fullmatch(written))


def closing(text: str, quote: str) -> str | None:
    """How to close a text that starts with a quote and does not end."""
    if curly := next((sign for sign in text if sign in CURLY), None):
        return f"`{curly}` does not end it: write a straight `{quote}`"
    inside = text[len(quote) :].rstrip().rstrip(",]}")
    if len(quote) > 1:
        return f"write `{quote}` where the text ends"
    return f"write `{quote}{inside}{quote}`" if 0 < len(inside) < _LONGEST else None


def _after_text(written: str, rest: str) -> ValueFault | None:
    """What follows a text that has ended."""
    if rest.startswith((";", ",")):
        return _ended(rest[0])
    if _TEXTS.fullmatch(written):
        texts = ", ".join(re.findall(r"""("[^"]*"|'[^']*')""", written))
        return ValueFault("several texts are a list, with commas and brackets", f"[{texts}]")
    quote, other = written[0], "'" if written[0] == '"' else '"'
    if written.count(quote) < 3 or len(written) > _LONGEST:
        return None
    inside = written[1:-1] if written.endswith(quote) else written[1:]
    if other not in inside:
        return ValueFault(f"a `{quote}` inside of the text ends it", f"{other}{inside}{other}")
    if quote == '"':
        return ValueFault(
            f"a `{quote}` inside of the text ends it", '"' + inside.replace('"', '\\"') + '"'
        )
    return None


def _ended(sign: str) -> ValueFault:
    return ValueFault(f"a line does not end in `{sign}`", hint=f"take the `{sign}` away")


def _word(written: str, *, whole: bool) -> ValueFault | None:
    """A word, or several, without quotes."""
    low = written.lower()
    if low in _WORDS:
        return ValueFault(f"`{written}` is not a value of TOML", _WORDS[low])
    if low in _NOTHING:
        hint = "leave the key out: what is not said has its usual value"
        return ValueFault(f"TOML has no `{written}`", hint=hint)
    if written[0] in "=(" or len(written) > _LONGEST or (not whole and " " in written):
        return None
    if '"' in written or "\\" in written:
        return ValueFault("a text needs quotes", f"'{written}'") if "'" not in written else None
    return ValueFault("a text needs quotes", f'"{written}"')


def _straight(match: _Match) -> ValueFault:
    inside = match[1].replace('"', '\\"')
    return ValueFault("a text stands between straight quotes in TOML", f'"{inside}"')


def _unit(match: _Match) -> ValueFault:
    return ValueFault(f"a number has no unit in TOML: `{match[0]}`", match[1].rstrip("."))


def _amount(match: _Match) -> ValueFault:
    number = match[1].replace(",", ".")
    return ValueFault("an amount of money is a plain number in TOML", number)


def _decimal(match: _Match) -> ValueFault:
    return ValueFault("a number has a point in TOML, not a comma", f"{match[1]}.{match[2]}")


def _thousands(match: _Match) -> ValueFault:
    plain = re.sub(r"[,' ]", "", match[0])
    return ValueFault("digits are not grouped like this in TOML", plain)


def _colour(match: _Match) -> ValueFault:
    return ValueFault("a colour needs quotes, because `#` starts a comment", f'"{match[1]}"')


def _zeros(match: _Match) -> ValueFault:
    return ValueFault("a number does not start with a zero in TOML", match[1])


def _bare_point(match: _Match) -> ValueFault:
    head, tail = match[0].split(".")
    return ValueFault(
        "a number has digits on both sides of its point in TOML", f"{head or '0'}.{tail or '0'}"
    )


def _text(match: _Match) -> ValueFault:
    return ValueFault("a text needs quotes", f'"{match[0]}"')


def _list(match: _Match) -> ValueFault:
    return ValueFault("a list stands between `[` and `]` in TOML", f"[{match[1]}]")


def _equals(match: _Match) -> ValueFault:
    return ValueFault("there is one `=` between key and value", match[1])


def _end(match: _Match) -> ValueFault:
    return _ended(match[1])


_PATTERNS: Final[Sequence[tuple[re.Pattern[str], Callable[[_Match], ValueFault]]]] = (
    (re.compile(rf"[{CURLY}](.*)[{CURLY}\"']"), _straight),
    (re.compile(r"\((.*)\)"), _list),
    (re.compile(r"==?\s*(.+)"), _equals),
    (re.compile(r"(#(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3,4}))\b.*"), _colour),
    (re.compile(r"(?:US)?[$€£]\s*(\d+(?:[.,]\d+)?)"), _amount),
    (re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:[€£$]|USD|EUR|usd|eur)"), _amount),
    (
        re.compile(
            r"([+-]?(?:0|[1-9][\d_]*))\s*(?:px|pt|%|em|rem|vw|vh|dpi|ms|s|[KkMmGg]i?[Bb]?|MP|mp|°|x)"
        ),
        _unit,
    ),
    (re.compile(r"([+-]?(?:0|[1-9]\d*)\.\d+)\s*(?:px|pt|%|em|rem|ms|s|MP|mp|°|x)"), _unit),
    (re.compile(r"[1-9]\d{0,2}(?:[,' ]\d{3})+"), _thousands),
    (re.compile(r"([+-]?\d+),(\d+)"), _decimal),
    (re.compile(r"0+(\d+)"), _zeros),
    (re.compile(r"[+-]?(?:\.\d+|\d+\.)"), _bare_point),
    (re.compile(r"\d[\d.]*\s*[x×:/-]\s*\d[\d.]*(?:\s*[x×:/-]\s*\d+)?"), _text),  # noqa: RUF001 - a size as people write it
    (re.compile(r"(?:[+-]?[\d.]+|true|false|[\[{].*[\]}])\s*([;,])"), _end),
)
