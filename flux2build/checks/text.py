"""Pictures show the expected words."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from flux2build.checks.contract import Check, Subject, Warnings
from flux2build.checks.facts import Current, Facts
from flux2build.checks.finding import Finding
from flux2build.extras import pip_install
from flux2build.model import Generate
from flux2build.tables.table import Field

if TYPE_CHECKING:
    from flux2build.images.reading import Line

_ALIKE: Final = 0.6
"""The part of a word that has to be right for it to count as misspelt, not missing."""


class TextOptions(Warnings):
    """Options of `text`."""

    confidence: float = Field(
        default=0.5, ge=0, le=1, description="how sure a line has to be to count as read"
    )


class _Word(Struct, frozen=True):
    """A word in the picture, and the confidence in the reading of its line."""

    text: str
    confidence: float


class _Row:
    """All letters in the picture, one after the other, and where words may begin and end.

    A reader may see no space between two words, or one within a word, so an expected word may
    also begin where another one ends, and run over edges.
    """

    def __init__(self) -> None:
        self.letters = ""
        self.edges = {0}

    def add(self, word: str) -> None:
        """Append a line, with an edge on both sides of it and of everything but letters."""
        for letter in f"{_folded(word)} ":
            wide = unicodedata.east_asian_width(letter) in {"W", "F"}  # these stand without spaces
            if wide or not letter.isalnum():
                self.edges.add(len(self.letters))
            if letter.isalnum():
                self.letters += letter
            if wide:
                self.edges.add(len(self.letters))

    def shows(self, word: str, words: Collection[str]) -> bool:
        """Whether the word is there, and not merely as a part of an unexpected word."""
        start = self.letters.find(word)
        while start >= 0:
            end = start + len(word)
            begins = start in self.edges or self.letters.endswith(tuple(words), 0, start)
            if begins and (end in self.edges or self.letters.startswith(tuple(words), end)):
                return True
            start = self.letters.find(word, start + 1)
        return False


def findings(facts: Facts, options: TextOptions) -> Iterator[Finding]:
    """A rendered picture that lacks words of `expect_text`, or has them misspelt.

    rapidocr (extra `ocr`) reads the words when the picture is made; where it was not installed
    then, this check reads them. Case and punctuation do not count. It reads Latin and Chinese
    letters best.
    """
    for file in facts.files:
        expected = facts.spec.assets[file.recipe.asset].expect_text
        if not expected or not isinstance(file.recipe.task, Generate):
            continue
        lines = _lines(facts, file)
        if lines is None:
            from flux2build.images.reading import EXTRA

            message = "nobody has read the words in the picture"
            hint = f"`{pip_install(EXTRA)}` adds what reads them"
            yield facts.about(file.recipe, "text-unread", message, hint=hint)
        else:
            yield from _compared(facts, file, expected, _words(lines, options.confidence))


def _lines(facts: Facts, file: Current) -> Sequence[Line] | None:
    """The lines in a picture; None if no reader is installed."""
    from flux2build.images import reading

    if file.output.text is not None:
        return reading.parsed(file.output.text)
    if not reading.installed():
        return None
    return reading.read(facts.read(file.output.path) or b"")


def _words(lines: Sequence[Line], least: float) -> list[_Word]:
    return [
        _Word(word, confidence)
        for text, confidence in lines
        if confidence >= least
        for word in text.split()
    ]


def _compared(
    facts: Facts, file: Current, expected: str, words: Sequence[_Word]
) -> Iterator[Finding]:
    """A finding about the words that are missing, and one about those that are misspelt."""
    plain, row = {_plain(word.text): word for word in words}, _Row()
    for each in words:
        row.add(each.text)
    missing, misspelt = [], []
    letters_of = {word: _plain(word) for word in expected.split()}
    for word, letters in letters_of.items():
        if letters in plain or row.shows(letters, letters_of.values()):
            continue
        from difflib import get_close_matches

        if near := get_close_matches(letters, plain, n=1, cutoff=_ALIKE):
            read = plain[near[0]]
            misspelt.append(f"`{word}` reads `{read.text}` ({read.confidence:.0%} sure)")
        else:
            missing.append(f"`{word}`")
    hint = f"look at it; {facts.another(file)}; the operation `text` sets words exactly"
    if misspelt:
        yield facts.about(file.recipe, "text-misspelt", ", ".join(misspelt), hint=hint)
    if missing:
        verb, text = "is" if len(missing) == 1 else "are", " ".join(word.text for word in words)
        content = f"the picture reads `{text}`" if text else "no words are in the picture"
        message = f"{', '.join(missing)} {verb} missing; {content}"
        yield facts.about(file.recipe, "text-missing", message, hint=hint)


def _folded(word: str) -> str:
    """A word without case, in one Unicode normal form."""
    return unicodedata.normalize("NFKC", word).casefold()


def _plain(word: str) -> str:
    """A word without case and punctuation."""
    folded = _folded(word)
    return "".join(letter for letter in folded if letter.isalnum()) or folded


CHECK: Final[Check] = Check(
    {
        "text-missing": "words are missing that the picture was to show",
        "text-misspelt": "words in the picture are not spelt as they were to be",
        "text-unread": "nobody has read the words in the picture",
    },
    findings,
    TextOptions,
    subject=Subject.PICTURES,
)
