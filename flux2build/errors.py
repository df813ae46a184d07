"""Errors as data: the problem, its place, and a hint that says what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct


class Exit(IntEnum):
    """Process exit codes; each has one meaning in every command."""

    DONE = 0
    DRIFT = 1
    USAGE = 2
    INCOMPLETE = 3
    BUDGET = 4
    DECIDE = 5
    SYSTEM = 6
    BUG = 70
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    Exit.INTERRUPTED,
    Exit.BUG,
    Exit.DECIDE,
    Exit.SYSTEM,
    Exit.BUDGET,
    Exit.INCOMPLETE,
    Exit.USAGE,
    Exit.DRIFT,
)


def gravest(codes: Iterable[Exit]) -> Exit:
    """The exit code to report when several apply; `Exit.DONE` for none."""
    known = set(codes)
    return next((code for code in _GRAVEST_FIRST if code in known), Exit.DONE)


class Place(Struct, frozen=True, order=True):
    """A position in a file; lines and columns count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = (self.file, *(str(n) for n in (self.line, self.column) if n))
        return ":".join(parts)


Rows = tuple[tuple[str, str], ...]


class Problem(Struct, frozen=True):
    """One thing that is wrong: in a spec, on a command line, with an order or a picture."""

    message: str
    place: Place | None = None
    rows: Rows = ()
    """More facts by their names, each printed on a line of its own."""
    hint: str | None = None
    """The command or the edit that mends it."""
    excerpt: str | None = None
    """The source line that `place` points at."""
    width: int = 1
    """How many columns of the source line it is about, from the place's column."""


class Flux2BuildError(Exception):
    """An error that a user can cause or mend, with all its problems; shown without a traceback."""

    exit: Exit = Exit.USAGE

    def __init__(self, *problems: Problem | str, rows: Rows = (), hint: str | None = None) -> None:
        self.problems = tuple(
            Problem(problem, rows=rows, hint=hint) if isinstance(problem, str) else problem
            for problem in problems
        )
        super().__init__("; ".join(problem.message for problem in self.problems))


class UsageError(Flux2BuildError):
    """The command line asks for something that does not exist or cannot be."""


class SpecError(Flux2BuildError):
    """The user's declarations are wrong: spec, template, data file or source."""


class LockError(Flux2BuildError):
    """`assets.lock` is damaged, in conflict, or newer than this flux2build."""


class IncompleteError(Flux2BuildError):
    """Some assets failed, were refused or are blocked; the others are done."""

    exit = Exit.INCOMPLETE


class BudgetError(Flux2BuildError):
    """A cap was reached, a price is unknown, or nobody confirmed the spending."""

    exit = Exit.BUDGET


class DecisionError(Flux2BuildError):
    """A purchase is in doubt, or a result differs from its order."""

    exit = Exit.DECIDE


class HaltedError(Flux2BuildError):
    """A person asked to stop before this began; nothing is wrong with it."""

    exit = Exit.INTERRUPTED

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__(*(problems or ("interrupted before it began",)))


class SystemFault(Flux2BuildError):  # noqa: N818 - the fault lies with the system
    """The environment: a full or read-only disk, no credentials, a busy tree."""

    exit = Exit.SYSTEM


def brief(text: str, most: int = 80) -> str:
    """A text for a message: on one line, and cut where it is longer than `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


_MOST_COMPARED: Final = 1_000
_LONGEST_COMPARED: Final = 200


def nearest(word: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known word that a misspelt one most likely stands for, if any is close; always quick.

    `alike` is how close it must be, from 0 to 1.
    """
    if len(word) > _LONGEST_COMPARED:
        return None
    from difflib import get_close_matches

    options = _comparable(word, known)
    return next(iter(get_close_matches(word, options, n=1, cutoff=alike)), None)


def _comparable(word: str, known: Iterable[str]) -> list[str]:
    """The known words; of very many, only those that start like the word and are about as long."""
    options = list(known)
    if len(options) <= _MOST_COMPARED:
        return options
    alike = (o for o in options if o[:1] == word[:1] and abs(len(o) - len(word)) <= 1)
    return sorted(alike)[:_MOST_COMPARED]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint for an unknown word: the nearest known one, or else all of a few."""
    options = list(known)
    if near := nearest(word, options):
        return f"did you mean `{near}`?"
    if 0 < len(options) <= 12:
        return "known: " + ", ".join(f"`{option}`" for option in sorted(options))
    return None


def one_line(text: str, most: int = 300) -> str:
    """Untrusted text for a message: no line breaks, no control codes, `most` characters."""
    return brief("".join(c if c.isprintable() else " " for c in text[: most * 2]), most)
