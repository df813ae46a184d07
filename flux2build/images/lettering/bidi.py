"""The direction of letters: the Unicode Bidirectional Algorithm (UAX #9) for one paragraph.

A shaper needs the direction of each run. Python's libraries return the reordered text,
or need the system's fribidi; none returns the level of a character. The tests compare
this module with the Rust crate `unicode-bidi`, which passes Unicode's own tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_DEEPEST: Final = 125
_STARTS: Final = {
    "LRE": (0, ""),
    "RLE": (1, ""),
    "LRO": (0, "L"),
    "RLO": (1, "R"),
    "LRI": (0, ""),
    "RLI": (1, ""),
    "FSI": (0, ""),
}
"""The openers of embeddings: whether the level is odd, and the class of the letters inside."""

_ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})
_REMOVED: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "BN"})
_CODES: Final = {
    "L": "L", "R": "R", "AL": "A", "EN": "E", "AN": "N", "ES": "s", "ET": "t", "CS": "c",
    "NSM": "m", "B": "B", "S": "S", "WS": "w", "ON": "o", "PDI": "p",
    **dict.fromkeys(_ISOLATES, "i"), **dict.fromkeys(_REMOVED, "-"),
}  # fmt: skip
"""A letter for every class, so that rules are patterns."""

_WEAK: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    # W1: marks get the class of what they stand on.
    ("(?<=[ip])m+", lambda marks: "o" * len(marks[0])),
    ("(.)m+", lambda marked: marked[1] * len(marked[0])),
    # W2, W3: numbers after Arabic letters are Arabic, and Arabic letters run left.
    ("A[^LR]*", lambda arabic: arabic[0].replace("E", "N").replace("A", "R")),
    # W4: a single separator between two numbers of one kind belongs to them.
    ("(?<=E)[sc](?=E)", "E"),
    ("(?<=N)c(?=N)", "N"),
    # W5: terminators beside European numbers, such as `%`, become part of them.
    ("t+(?=E)|(?<=E)t+", lambda terminators: "E" * len(terminators[0])),
    # W6, W7: other separators are neutral, and numbers after Latin letters run as they do.
    ("[stc]", "o"),
    ("L[^R]*", lambda latin: latin[0].replace("E", "L")),
)
_NEUTRALS: Final = re.compile("[^LREN]+")
_BLANK: Final = re.compile("[wip-]*[BS]|[wip-]+$")
_STRONG: Final = {"L": "L", "R": "R", "E": "R", "N": "R"}
"""What a class counts as beside neutrals: numbers run as if they were right-to-left."""

_PAIRS: Final = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘"  # noqa: RUF001 - brackets that look alike
    "⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖⹗⹘⹙⹚⹛⹜〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"  # noqa: RUF001 - brackets that look alike
)
_CLOSER: Final = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_SAME: Final = {"\u2329": "\u3008", "\u232a": "\u3009"}
"""Brackets that are canonically equivalent to others."""

_MOST_OPEN: Final = 63
_RISES: Final = ({"L": 0, "R": 1, "N": 2, "E": 2}, {"L": 1, "R": 0, "N": 1, "E": 1})
"""How far a resolved class rises above an even level, and above an odd one."""


def kind(char: str) -> str:
    """A character's bidirectional class; `L` for those that Python's tables lack."""
    return unicodedata.bidirectional(char) or "L"


def base_level(text: str) -> int:
    """1 if the first strong letter runs to the left, else 0."""
    return _first_strong([kind(char) for char in text], 0, len(text)) or 0


def levels(text: str, base: int) -> list[int]:
    """The embedding level of every character; odd ones run to the left."""
    paragraph = _Explicit([kind(char) for char in text], base)
    for sequence in paragraph.sequences():
        _resolve(text, paragraph, sequence)
    for at, name in enumerate(paragraph.original):
        if name in _REMOVED:  # it goes with what stands before it
            paragraph.levels[at] = paragraph.levels[at - 1] if at else base
    for blank in _BLANK.finditer("".join(_CODES[name] for name in paragraph.original)):  # L1
        paragraph.levels[blank.start() : blank.end()] = [base] * len(blank[0])
    return paragraph.levels


def visual(items: Sequence[T], level: Callable[[T], int]) -> list[T]:
    """Items of a line from left to right (rule L2)."""
    ordered = list(items)
    odd = [level(item) for item in items if level(item) % 2]
    if not odd:
        return ordered
    for threshold in range(max(level(item) for item in items), min(odd) - 1, -1):
        start = 0
        while start < len(ordered):
            end = start
            while end < len(ordered) and level(ordered[end]) >= threshold:
                end += 1
            ordered[start:end] = reversed(ordered[start:end])
            start = max(end, start + 1)
    return ordered


def _first_strong(classes: Sequence[str], start: int, end: int) -> int | None:
    """Rules P2 and P3: the level that the first letter outside isolates asks for."""
    depth = 0
    for name in classes[start:end]:
        if name in _ISOLATES:
            depth += 1
        elif name == "PDI":
            depth = max(0, depth - 1)
        elif not depth and name in {"L", "R", "AL"}:
            return 0 if name == "L" else 1
    return None


class _Embedding(NamedTuple):
    """An entry of the directional status stack."""

    level: int
    override: str = ""
    isolate: bool = False


class _Explicit:
    """Rules X1 to X10: levels from embeddings and isolates, and the sequences they make."""

    def __init__(self, original: Sequence[str], base: int) -> None:
        self.original, self.base = original, base
        self.classes = list(original)
        """The classes, those of overridden characters replaced."""
        self.match = _matches(original)
        """Isolate initiators and the `PDI` that closes them."""
        self.levels: list[int] = []
        self.stack = [_Embedding(base)]
        self.excess_isolates = self.excess_embeddings = 0
        for at, name in enumerate(original):
            self.levels.append(self.stack[-1].level)
            if name in _STARTS:
                self._open(at, name)
            elif name == "PDI":
                self._close(at)
            elif name == "PDF":
                self._pop()
            elif name == "B":
                self.levels[at] = base
            elif name != "BN":
                self._override(at)
        self.embedded = list(self.levels)
        """The explicit levels, before those of the letters are resolved."""

    def _override(self, at: int) -> None:
        self.classes[at] = self.stack[-1].override or self.classes[at]

    def _open(self, at: int, name: str) -> None:
        """X2 to X5c; embeddings nested too deeply are only counted."""
        isolates = name in _ISOLATES
        if isolates:
            self._override(at)
        odd, override = _STARTS[name]
        if name == "FSI":
            end = self.match.get(at, len(self.original))
            odd = _first_strong(self.original, at + 1, end) or 0
        level = self.stack[-1].level + 1
        level += level % 2 != odd
        if level <= _DEEPEST and not self.excess_isolates and not self.excess_embeddings:
            self.stack.append(_Embedding(level, override, isolates))
        elif isolates:
            self.excess_isolates += 1
        elif not self.excess_isolates:
            self.excess_embeddings += 1

    def _close(self, at: int) -> None:
        """X6a: the end of an isolate ends every embedding inside of it."""
        if self.excess_isolates:
            self.excess_isolates -= 1
        elif any(embedding.isolate for embedding in self.stack):
            self.excess_embeddings = 0
            while not self.stack.pop().isolate:
                pass
        self.levels[at] = self.stack[-1].level
        self._override(at)

    def _pop(self) -> None:
        """X7: the end of an embedding, but never of an isolate."""
        if self.excess_isolates:
            return
        if self.excess_embeddings:
            self.excess_embeddings -= 1
        elif len(self.stack) > 1 and not self.stack[-1].isolate:
            self.stack.pop()

    def sequences(self) -> Iterator[list[int]]:
        """The isolating run sequences (rule BD13), as the positions of their characters."""
        places = [at for at, name in enumerate(self.original) if name not in _REMOVED]
        runs = [list(run) for _, run in groupby(places, lambda at: self.levels[at])]
        by_start = {run[0]: run for run in runs}
        closers = set(self.match.values())
        for run in runs:
            if self.original[run[0]] == "PDI" and run[0] in closers:
                continue
            whole = list(run)
            while (close := self.match.get(whole[-1])) is not None and close in by_start:
                whole += by_start[close]
            yield whole

    def edge(self, level: int, at: int, step: int) -> str:
        """The direction of what lies beside a sequence: `sos` or `eos`."""
        while 0 <= at < len(self.original) and self.original[at] in _REMOVED:
            at += step
        beside = self.embedded[at] if 0 <= at < len(self.original) else self.base
        return "R" if max(level, beside) % 2 else "L"


def _matches(classes: Sequence[str]) -> dict[int, int]:
    """Isolate initiators with the `PDI` of each (rule BD9)."""
    closers: dict[int, int] = {}
    waiting: list[int] = []
    for at, name in enumerate(classes):
        if name in _ISOLATES:
            waiting.append(at)
        elif name == "PDI" and waiting:
            closers[waiting.pop()] = at
        elif name == "B":
            waiting.clear()
    return closers


def _resolve(text: str, paragraph: _Explicit, places: Sequence[int]) -> None:
    """Rules W1 to I2: give each character of an isolating run sequence its level."""
    level = paragraph.levels[places[0]]
    own = "R" if level % 2 else "L"
    before = paragraph.edge(level, places[0] - 1, -1)
    plain = before + "".join(_CODES[paragraph.classes[at]] for at in places)
    kinds = plain
    for pattern, replacement in _WEAK:
        kinds = re.sub(pattern, replacement, kinds)
    kinds = _bracketed(kinds, plain, " " + "".join(text[at] for at in places), own)
    ended = paragraph.original[places[-1]] in _ISOLATES and places[-1] not in paragraph.match
    after = paragraph.edge(level, len(text) if ended else places[-1] + 1, 1)

    def between(neutrals: re.Match[str]) -> str:
        """N1, N2: the direction of the letters around neutrals, else that of the sequence."""
        left, right = (_STRONG[whole[at]] for at in (neutrals.start() - 1, neutrals.end()))
        return (left if left == right else own) * len(neutrals[0])

    whole = kinds + after
    for at, kind_ in zip(places, _NEUTRALS.sub(between, whole)[1:-1], strict=True):
        paragraph.levels[at] = level + _RISES[level % 2][kind_]


def _bracketed(kinds: str, plain: str, chars: str, own: str) -> str:
    """N0: both brackets of a pair get the direction of their content, or of what precedes.

    Marks on a bracket go with it.
    """
    result = list(kinds)
    for left, right in _pairs(kinds, chars):
        inside = {_STRONG[name] for name in result[left + 1 : right] if name in _STRONG}
        if not inside:
            continue
        context = next(_STRONG[name] for name in result[left - 1 :: -1] if name in _STRONG)
        name = own if own in inside or context not in inside else context
        for at in (left, right):
            end = len(plain) - len(plain[at + 1 :].lstrip("m"))
            result[at:end] = name * (end - at)
    return "".join(result)


def _pairs(kinds: str, chars: str) -> list[tuple[int, int]]:
    """BD16: the brackets that belong together, in the order of the opening ones."""
    pairs: list[tuple[int, int]] = []
    waiting: list[tuple[str, int]] = []
    for at, (name, char) in enumerate(zip(kinds, chars, strict=True)):
        bracket = _SAME.get(char, char)
        if name != "o":
            continue
        if bracket in _CLOSER:
            if len(waiting) == _MOST_OPEN:
                break
            waiting.append((_SAME.get(_CLOSER[bracket], _CLOSER[bracket]), at))
        elif any(bracket == closer for closer, _ in waiting):
            while waiting:
                closer, opened = waiting.pop()
                if closer == bracket:
                    pairs.append((opened, at))
                    break
    return sorted(pairs)
