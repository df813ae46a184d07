"""Gettext's catalogues: `.po` files, as translators' tools write them."""

from __future__ import annotations

import gettext
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import polib

from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError

_TOKEN: Final = re.compile(
    r"""[ \t\r\f\v]*(?:
        (?P<end>\n)
      | \#(?P<comment>[^\n]*)
      | "(?P<text>(?:[^"\\\n]++|\\[\s\S])*+)"
      | (?P<keyword>msgctxt|msgid_plural|msgid|msgstr|domain)(?:[ \t]*\[[ \t]*(?P<form>\d{1,9})[ \t]*\])?
        (?![A-Za-z0-9_])
      | (?P<odd>\S)
    )""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|([\s\S]))")
_LETTERS: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\n": "",
}
_PLAIN: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": " ", "\f": " "}
)
_LONGEST: Final = 16 * 1024
_MOST: Final = 50_000
_MOST_FORMS: Final = 10
"""polib reads one digit; no language has more."""
_COUNT: Final = re.compile(r"[0-9]{1,2}")
_GERMANIC: Final = {"nplurals": "2", "plural": "(n != 1)"}
"""One form for one, another for the rest: gettext's default."""


def read(file: str, text: str) -> Strings:
    """The messages of a `.po` file, without the obsolete ones; `SpecError` if it is not one."""
    lines = _Lines(file, text)
    try:
        catalog = polib.pofile(lines, encoding="utf-8")
    except OSError:  # polib's only exception, which names the line only in its message
        raise SpecError(_not_po(file, lines.current, "this line is out of place")) from None
    count, form = _plurals({name.lower(): value for name, value in catalog.metadata.items()})
    messages: dict[Key, Message] = {}
    for entry in catalog:
        if entry.msgid and not entry.obsolete:
            place = Place(file, lines.line_of(entry.linenum))
            message = Message(_forms(entry, count), place, "fuzzy" in entry.flags)
            messages.setdefault((entry.msgid, entry.msgctxt), message)
    return Strings(file, messages, form)


class _Lines:
    """The lines of a catalogue for polib, which is stricter than gettext: a keyword and its text each.

    polib asks its argument for `splitlines`. A `str` would be opened if it were the name of a
    file, and be split at every separator of Unicode instead of at line feeds alone.
    """

    def __init__(self, file: str, text: str) -> None:
        self._file, self._text = file, text
        self._keys: list[tuple[int, int]] = []
        """The number of each line with a `msgid`, here and in the file."""
        self.current = 1
        """The line of the file that polib got last."""

    def splitlines(self) -> Iterator[str]:
        """A line for each keyword with all of its text, and one for each list of flags."""
        before, start = "", 1
        for number, (line, keyword, text) in enumerate(self._statements(), start=1):
            if keyword == "#,":
                yield f"#, {text}"
                continue
            if before in {"msgid", "msgid_plural"} and keyword in {"msgid", "msgctxt", ""}:
                self.current = start  # polib takes it as untranslated
                raise self._fault("this message has no `msgstr`")
            self.current = start = line
            if keyword == "msgid":
                self._keys.append((number, line))
            if len(self._keys) > _MOST:
                raise self._fault(f"it has more than {_MOST:,} messages")
            before = keyword
            yield f'{keyword} "{text.translate(_PLAIN)}"' if keyword else ""

    def line_of(self, start: int) -> int:
        """The line in the file of the `msgid` of an entry that starts, with its flags, at a line."""
        return self._keys[bisect_left(self._keys, (start, 0))][1]

    def _statements(self) -> Iterator[tuple[int, str, str]]:
        """Each keyword and `#,` with its line and its text; an empty one marks the end.

        Comments and obsolete messages are left out, because they are not used.
        """
        line, keyword, at, texts = 1, "", 1, list[str]()
        for token in _TOKEN.finditer(self._text):
            self._check(token, line, keyword)
            if token["text"] is not None:
                texts.append(token["text"])
            elif token["keyword"] or (token["comment"] or "").startswith(","):
                yield from self._whole(at, keyword, texts)
                keyword, at, texts = "", line, []
                if token["keyword"]:
                    form = "" if token["form"] is None else f"[{int(token['form'])}]"
                    keyword = token["keyword"] + form
                elif flags := token["comment"][1:].strip():
                    yield line, "#,", flags
            line += token[0].count("\n")
        yield from self._whole(at, keyword, texts)
        yield line, "", ""

    def _check(self, token: re.Match[str], line: int, keyword: str) -> None:
        self.current = line if token["odd"] or token["text"] is not None else self.current
        if token["odd"] == '"':
            raise self._fault("a text must stand between double quotes")
        if token["odd"]:
            raise self._fault("unknown or misformatted keyword")
        if token["text"] is not None and not keyword:
            raise self._fault("this line is out of place")

    def _whole(
        self, line: int, keyword: str, texts: Sequence[str]
    ) -> Iterator[tuple[int, str, str]]:
        """A keyword with all of its text, if polib reads that keyword."""
        if keyword and not texts:
            self.current = line
            raise self._fault("a text must stand between double quotes")
        if sum(map(len, texts)) > _LONGEST:
            self.current = line
            raise self._fault("a text is longer than 16 KiB")
        beyond = keyword.startswith("msgstr[") and int(keyword[7:-1]) >= _MOST_FORMS
        if keyword and not beyond and keyword != "domain":
            yield line, keyword, _ESCAPE.sub(_unescaped, "".join(texts))

    def _fault(self, why: str) -> SpecError:
        return SpecError(_not_po(self._file, self.current, why))


def _unescaped(match: re.Match[str]) -> str:
    octal, hexadecimal, letter = match.groups()
    if octal or hexadecimal:
        return chr(int(octal, 8) if octal else int(hexadecimal, 16))
    return _LETTERS.get(letter, letter)


def _not_po(file: str, line: int, why: str) -> Problem:
    message = f"this is not a gettext catalogue: {why}"
    return Problem(message, Place(file, line), hint="`msgfmt --check` of gettext says more")


def _plurals(headers: Mapping[str, str]) -> tuple[int, Callable[[int], int]]:
    """The number of forms in a catalogue, and the function that chooses one for a number.

    Where the rule cannot be understood, choosing a form is a `ValueError`: only messages that
    depend on a number need it.
    """
    parts = (part.partition("=") for part in headers.get("plural-forms", "").split(";"))
    rule = _GERMANIC | {name.strip(): value.strip() for name, _, value in parts}
    if not _COUNT.fullmatch(rule["nplurals"]):
        why = "`Plural-Forms` must be like `nplurals=2; plural=(n != 1)`"
        return _MOST_FORMS, partial(_unclear, why)
    try:
        choose = gettext.c2py(rule["plural"])
    except ValueError as error:
        return _MOST_FORMS, partial(_unclear, str(error))
    except SyntaxError:  # `n-!0` is C, but not Python when it is translated word by word
        return _MOST_FORMS, partial(_unclear, "`Plural-Forms` cannot be understood")
    last = int(rule["nplurals"]) - 1

    def form(number: int) -> int:
        try:
            return max(0, min(last, int(choose(number))))
        except ZeroDivisionError:
            return _unclear(f"`Plural-Forms` divides by zero for {number}", number)

    return last + 1, form


def _unclear(why: str, _number: int) -> int:
    raise ValueError(why)


def _forms(entry: polib.POEntry, count: int) -> tuple[str, ...]:
    """A translation in every form that a number can choose; empty ones are still to be written."""
    if not entry.msgstr_plural:
        return (entry.msgstr,)
    most = min(count, _MOST_FORMS, max(entry.msgstr_plural) + 1 if count == _MOST_FORMS else count)
    return tuple(entry.msgstr_plural.get(number, "") for number in range(most))
