"""Gettext's catalogues: `.po` files, as translators' tools write them."""

from __future__ import annotations

import gettext
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import polib

from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError

_TEXT: Final = re.compile(r'((?:msg[a-z_]+(?:\[\d+\])?\s*)?)"(?:[^"\\]|\\.)*"')
"""A line with a text of its own, after its keyword or below it."""
_KEYWORD: Final = re.compile(r"(?:msgctxt|msgid|msgid_plural|msgstr)\s+|msgstr\[\d\]\s*|")
_COUNT: Final = re.compile(r"[0-9]{1,2}")
_GERMANIC: Final = {"nplurals": "2", "plural": "(n != 1)"}
"""One form for one, another for the rest: what gettext takes where a catalogue says nothing."""


def read(file: str, text: str) -> Strings:
    """The messages of a `.po` file, without the obsolete ones; `SpecError` if it is not one."""
    lines = _Lines(file, text)
    try:
        catalog = polib.pofile(lines, encoding="utf-8")
    except OSError:  # polib's only exception, which names the line in its sentence alone
        raise SpecError(_not_po(file, lines.current, "this line is out of place")) from None
    headers = {name.lower(): value for name, value in catalog.metadata.items()}
    try:
        count, form = _plurals(headers)
    except ValueError as fault:
        raise SpecError(_not_po(file, 1, str(fault))) from None
    messages: dict[Key, Message] = {}
    for entry in catalog:
        if entry.msgid and not entry.obsolete:
            place = Place(file, lines.line_of(entry.linenum))
            message = Message(_forms(entry, count, place), place, "fuzzy" in entry.flags)
            messages.setdefault((entry.msgid, entry.msgctxt), message)
    return Strings(file, messages, form)


class _Lines:
    """The lines of a catalogue, checked and made plain for polib, which is stricter than gettext.

    polib asks its argument for `splitlines`. A `str` would be opened if it were the name of a
    file, and be split at every separator of Unicode instead of at line feeds alone.
    """

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.split("\n")
        self._keys: list[int] = []
        self._last = (0, "")
        self.current = 0
        """The line that polib got last."""

    def splitlines(self) -> Iterator[str]:
        """Every line, without comments, after a check of its own."""
        for number, line in enumerate(self._lines, start=1):
            self.current = number
            yield self._plain(line.strip())
        self._begin("")

    def line_of(self, start: int) -> int:
        """The line of the `msgid` of an entry that starts, with its comments, at a line."""
        return self._keys[bisect_left(self._keys, start)]

    def _plain(self, line: str) -> str:
        if line.startswith("#-"):
            raise self._fault("it has conflicts between translations")
        if line.startswith("#"):
            mark, rest = line[:2], line[2:].strip()
            if mark == "#~" and rest and not rest.startswith("|"):
                return f"#~ {self._checked(rest)}"
            return f"#, {rest}" if mark == "#," and rest else ""
        return self._checked(line) if line else ""

    def _checked(self, line: str) -> str:
        match = _TEXT.fullmatch(line)
        if match is None and line.startswith(("msg", '"')):
            raise self._fault("a text must stand between double quotes")
        if match is None or not _KEYWORD.fullmatch(match[1]):
            raise self._fault("unknown or misformatted keyword")
        if keyword := match[1].strip():
            self._begin(keyword)
        if keyword == "msgid":
            self._keys.append(self.current)
        return line

    def _begin(self, keyword: str) -> None:
        line, before = self._last
        if before in {"msgid", "msgid_plural"} and keyword in {"msgid", "msgctxt", ""}:
            self.current = line  # polib takes some such messages as untranslated
            raise self._fault("this message has no `msgstr`")
        self._last = (self.current, keyword)

    def _fault(self, why: str) -> SpecError:
        return SpecError(_not_po(self._file, self.current, why))


def _not_po(file: str, line: int, why: str) -> Problem:
    message = f"this is not a gettext catalogue: {why}"
    return Problem(message, Place(file, line), hint="`msgfmt --check` of gettext says more")


def _plurals(headers: Mapping[str, str]) -> tuple[int, Callable[[int], int]]:
    """How many forms a catalogue has, and which goes with a number; or a `ValueError`."""
    parts = (part.partition("=") for part in headers.get("plural-forms", "").split(";"))
    rule = _GERMANIC | {name.strip(): value.strip() for name, _, value in parts}
    if not _COUNT.fullmatch(rule["nplurals"]):
        raise ValueError("`Plural-Forms` must be like `nplurals=2; plural=(n != 1)`")
    last = int(rule["nplurals"]) - 1
    choose = gettext.c2py(rule["plural"])
    return last + 1, lambda number: max(0, min(last, int(choose(number))))


def _forms(entry: polib.POEntry, count: int, place: Place) -> tuple[str, ...]:
    """A translation in every form; empty ones are still to be written."""
    if not entry.msgstr_plural:
        return (entry.msgstr,)
    if max(entry.msgstr_plural, default=0) >= count:
        why = f"this has more than the {count} forms of `Plural-Forms`"
        raise SpecError(_not_po(place.file, place.line or 1, why))
    return tuple(entry.msgstr_plural.get(number, "") for number in range(count))
