"""Explains why a text is not TOML, in the words of people who write specs.

The parser's exceptions have a position, but no kind: its sentences tell one mistake from
another, and the characters at the position tell what was meant. A mistake that is not known
here is shown in the parser's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.storage import toml_values
from flux2build.storage.text_files import unseen, unseen_hint

_KEY: Final = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^=\s]+)*)\s*=""")
_TWICE: Final = re.compile(r"Cannot declare \((.*)\) twice")
_OPEN: Final = re.compile(r"Expected [\"']['\"]+[\"']|Unterminated string|Illegal character '\\n'")
_QUOTE: Final = re.compile(r"[\"']+")
_COMMENT: Final = re.compile(r"//|/\*|<!--|--(?=\s)|;(?=\s*\w)")
_MARKERS: Final = ("<<<<<<<", "=======", ">>>>>>>")
_BARE_KEYS: Final = re.compile(r"([^=\[\]{}\"'#]*[^=\[\]{}\"'#\s])\s*=(?!=)")
_YAML: Final = re.compile(r"\s*(?:- )?([\w.-]+)\s*:(?:\s+(.*\S))?\s*")
_OTHER: Final = {"{": "JSON", "<": "HTML or XML"}
_LIKE: Final = 'TOML has lines like `[asset.hero]` and `prompt = "…"`'
_SECOND: Final = re.compile(r"[\w.-]+\s*=")
_OF_HEADER: Final = re.compile(r"at the end of a|key part")
_PATH: Final = re.compile(r"[A-Za-z]:|\.{1,2}\\|\\\\")
_OPENED: Final = re.compile(r"[^\s,\[{=]*$")
"""What stands before a position without a blank: the value that ended there."""
_CLOSING: Final = re.compile(r"[,\]}]|\s#")
_COMMENTED: Final = re.compile(r"\s#(?![0-9A-Fa-f]{3})|\s//")
_HIDDEN: Final = re.compile(r"[\[,{=]\s*(#[0-9A-Fa-f]{3,8})\b")
"""A colour without quotes, which started a comment."""
_ESCAPES: Final = ("Unescaped", "Invalid hex", "Escaped character")


class TomlFault(Struct, frozen=True):
    """A problem and its place; line and column count from 1."""

    message: str
    line: int
    column: int
    width: int = 1
    first: int = 0
    """The line of the first of two equal keys or tables, or 0."""
    hint: str | None = None
    """The intended text, and how to write it."""
    meant: str = ""
    """The value that the hint advises to write."""


class _Site(Struct, frozen=True):
    """Where the parser stopped: its sentence, its position, and the lines of the text."""

    message: str
    line: int
    column: int
    lines: Sequence[str]

    @property
    def text(self) -> str:
        """The whole line."""
        return self.lines[self.line - 1] if 0 < self.line <= len(self.lines) else ""

    @property
    def rest(self) -> str:
        """The line from the position on."""
        return self.text[self.column - 1 :]

    @property
    def key(self) -> str:
        """The key of the line, with its `=`; empty where the line has none."""
        match = _KEY.match(self.text)
        return f"{match[1]} = " if match else ""

    @property
    def start(self) -> int:
        """The index at which the value of the line starts; for a line without a key, its text."""
        match = _KEY.match(self.text)
        at = match.end() if match else 0
        return at + len(self.text[at:]) - len(self.text[at:].lstrip())

    def fault(
        self, message: str, hint: str | None, at: int | None = None, width: int = 1
    ) -> TomlFault:
        """A fault in this line; `at` is the index of its first character."""
        column = self.column if at is None else at + 1
        return TomlFault(message, self.line, column, max(1, width), hint=hint)


def explained(message: str, line: int, column: int, lines: Sequence[str]) -> TomlFault:
    """The parser's message and position, reworded and moved to where the mistake was made."""
    site = _Site(message, line, column, lines)
    fault = next((fault for judge in _JUDGES if (fault := judge(site))), None)
    return fault or TomlFault(f"this is not TOML: {message[:1].lower()}{message[1:]}", line, column)


def _marker(site: _Site) -> TomlFault | None:
    """A conflict marker."""
    if not site.text.startswith(_MARKERS):
        return None
    hint = "a merge left its conflict markers here: keep one side"
    return site.fault("this is not TOML: a conflict marker", hint, 0, 7)


def _unseen(site: _Site) -> TomlFault | None:
    """An invisible character, or one that looks like a space."""
    name = unseen(site.rest[:1]) if site.rest else None
    if name is None:
        return None
    message = f"an invisible character stands outside of quotes: {name}"
    return site.fault(message, unseen_hint(site.rest[0]))


def _repeated(site: _Site) -> TomlFault | None:
    """A key that is given twice in one table."""
    if site.message != "Cannot overwrite a value":
        return None
    match = _KEY.match(site.text)
    if match is None:
        name = site.text.strip()
        if name.startswith("["):
            return site.fault(
                f"`{name}` is a value already, and cannot be a table too", None, 0, len(name)
            )
        return site.fault("a key is given twice", None)
    key, first = match[1], 0
    for number in range(site.line - 1, 0, -1):
        before = site.lines[number - 1]
        if before.lstrip().startswith("["):
            break
        if (other := _KEY.match(before)) and other[1] == key:
            first = number
    fault = site.fault(f"`{key}` is given twice", "keep one of the two", match.start(1), len(key))
    return replace(fault, first=first)


def _declared(site: _Site) -> TomlFault | None:
    """A table that is declared twice."""
    twice = _TWICE.search(site.message)
    if twice is None:
        return None
    header = site.text.partition("#")[0].strip()
    places = [n for n, text in enumerate(site.lines, 1) if text.partition("#")[0].strip() == header]
    first = places[0] if places and places[0] < site.line else 0
    if not header.startswith("["):
        name = ".".join(re.findall(r"'([^']*)'", twice[1]))
        return replace(site.fault(f"`{name}` is declared twice", None), first=first)
    hint = "write all of its keys below one header, or give one of them another name"
    fault = site.fault(f"`{header}` is declared twice", hint, site.text.index("["), len(header))
    return replace(fault, first=first)


def _statement(site: _Site) -> TomlFault | None:
    """A line, or the end of one, that another language would understand."""
    for at in (site.column - 1, len(site.text) - len(site.text.lstrip())):
        if mark := _COMMENT.match(site.text[at:]):
            hint = f"write `#` instead of `{mark[0]}`"
            return site.fault("a comment starts with `#` in TOML", hint, at, len(mark[0]))
    if site.message == "Invalid statement" and (language := _OTHER.get(site.rest[:1])):
        return site.fault(f"this is {language}, not TOML", _LIKE)
    if site.message == "Invalid statement" and site.rest.startswith("="):
        return site.fault("there is no key before the `=`", None)
    if site.message.startswith("Expected newline") and _SECOND.match(site.rest):
        return site.fault("a second key stands on this line", "give each key a line of its own")
    return None


def _colon(site: _Site) -> TomlFault | None:
    """A key that no `=` follows."""
    if not site.message.startswith("Expected '=' after a key"):
        return None
    if yaml := _YAML.fullmatch(site.text):
        written = yaml[2] or ""
        value = toml_values.meant(written) or written or "1"
        hint = f"write `{yaml[1]} = {value}`" if written else f"write `[{yaml[1]}]`"
        message, at = "a `:` stands between key and value, as in YAML", site.text.index(":")
        return replace(site.fault(message, hint, at), meant=value)
    if site.rest.startswith(":"):
        return site.fault(
            "a `:` stands between key and value, as in JSON", "write `=` instead of it"
        )
    if site.text.lstrip().startswith("- "):
        return site.fault("this is YAML, not TOML", 'a list is written like `["a", "b"]`')
    if site.rest[:1] not in {"", "}", ","} and _BARE_KEYS.match(site.text):
        return None
    return site.fault("a key without a value", _LIKE)


def _name(site: _Site) -> TomlFault | None:
    """A key or a header that needs quotes, or a header that does not end."""
    text = site.text.strip()
    if text.startswith("[") and _OF_HEADER.search(site.message):
        name = text.partition("#")[0].strip().strip("[]").strip()
        signs = len(text) - len(text.lstrip("["))
        if not text.endswith("]" * signs):
            hint = f"write `{'[' * signs}{name}{']' * signs}`"
            return site.fault(f"the header `{text}` has no closing `{']' * signs}`", hint)
        above, dot, part = name.rpartition(".")
        if not part:
            return site.fault(f"a name is missing in the header `{text}`", None)
        hint = f'write `[{above}{dot}"{part.strip(toml_values.CURLY)}"]`'
        return site.fault("a name in a header needs quotes", hint)
    match = _BARE_KEYS.match(site.text)
    if match and site.message.startswith(("Expected '=' after a key", "Invalid statement")):
        at = match.start(1) + len(match[1]) - len(match[1].lstrip())
        name = match[1].strip().strip(toml_values.CURLY)
        return site.fault(
            "this key needs quotes", f'write `"{name}" = …`', at, len(match[1].strip())
        )
    return None


def _escape(site: _Site) -> TomlFault | None:
    """A backslash that means nothing, as in a path of Windows."""
    if not site.message.startswith(_ESCAPES):
        return None
    at = max(site.text.rfind("\\", 0, site.column), 0)
    opening = site.text.find('"')
    text = site.text[opening + 1 :].partition('"')[0] if opening >= 0 else ""
    hint = "write `\\\\` for a backslash, or put the text between `'`"
    if _PATH.match(text) or text.count("\\") > 1:
        hint = f'write `"{text.replace(chr(92), "/")}"` for a path; `\\\\` is a backslash'
    return site.fault("a lone `\\` in a text", hint, at)


def _unclosed(site: _Site) -> TomlFault | None:
    """A text without a closing quote: the last quote before the place where parsing stopped."""
    if not _OPEN.match(site.message):
        return None
    for number in range(min(site.line, len(site.lines)), 0, -1):
        line = site.lines[number - 1]
        if quotes := list(_QUOTE.finditer(line)):
            quote = quotes[-1]
            return TomlFault(
                "a text has no closing quote",
                number,
                quote.start() + 1,
                hint=toml_values.closing(line[quote.start() :], quote[0]),
            )
    return TomlFault("a text has no closing quote", site.line, site.column)


def _value(site: _Site) -> TomlFault | None:
    """A value that TOML does not have, such as `1536px`, `0,50`, `True` or `#0A84FF`."""
    if not site.message.startswith(("Invalid value", "Expected newline", "Unclosed")):
        return None
    at, written = _written(site)
    if site.message.startswith("Unclosed") and (
        at == site.column - 1 or toml_values.plain(written)
    ):
        return None
    fault = toml_values.judged(written, site.rest, whole=at == site.start)
    if fault is None:
        return None
    key = site.key if at == site.start else ""
    hint = f"write `{key}{fault.meant}`" if fault.meant else fault.hint
    return replace(site.fault(fault.message, hint, at, len(written)), meant=fault.meant)


def _written(site: _Site) -> tuple[int, str]:
    """The text that was meant as one value: at the position, or ending there."""
    if site.message.startswith("Unclosed"):
        at = len(_OPENED.sub("", site.text[: site.column - 1]))
        return at, _CLOSING.split(site.text[at:])[0].rstrip()
    if site.message.startswith("Invalid value") and (colour := _HIDDEN.search(site.text)):
        return colour.start(1), colour[1]
    at = site.start if site.message.startswith("Expected") else site.column - 1
    inside = at != site.start
    return at, (_CLOSING if inside else _COMMENTED).split(site.text[at:])[0].rstrip()


def _bracket(site: _Site) -> TomlFault | None:
    """A list or a table in a line that does not end, or lacks a comma."""
    table = "inline table" in site.message or site.message.startswith("Invalid initial character")
    if not table and not site.message.startswith("Unclosed"):
        return None
    what, sign = ("table", "}") if table else ("list", "]")
    rest = site.rest.strip()
    if rest and not rest.startswith("#"):
        return site.fault(f"a comma is missing in this {what}", f"write `,` or `{sign}` here")
    return site.fault(
        f"the {what} has no closing `{sign}`", f"write `{sign}` where the {what} ends"
    )


_JUDGES: Final[Sequence[Callable[[_Site], TomlFault | None]]] = (
    _marker,
    _unseen,
    _repeated,
    _declared,
    _statement,
    _colon,
    _escape,
    _unclosed,
    _value,
    _name,
    _bracket,
)
