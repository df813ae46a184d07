"""The direction of letters: the Unicode Bidirectional Algorithm (UAX #9) for one paragraph.

A shaper needs the direction of each run. Python's libraries return the reordered text,
or need the system's fribidi; none returns the level of a character. The tests compare
this module with the Rust crate `unicode-bidi`, which passes Unicode's own tests.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

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
"""What opens an embedding: whether its level is odd, and the class it gives its letters."""

_ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})
_REMOVED: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "BN"})
_NEUTRAL: Final = frozenset({"B", "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI"})
_TRAILING: Final = frozenset({"WS", "LRI", "RLI", "FSI", "PDI", *_REMOVED})
_PAIRS: Final = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘"  # noqa: RUF001 - brackets that look alike
    "⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖⹗⹘⹙⹚⹛⹜〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"  # noqa: RUF001 - brackets that look alike
)
_CLOSER: Final = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_SAME: Final = {"\u2329": "\u3008", "\u232a": "\u3009"}
"""Brackets that are canonically equivalent to others."""

_MOST_OPEN: Final = 63
_RIGHTWARD: Final = {"L": 0, "R": 1, "AN": 2, "EN": 2}
_LEFTWARD: Final = {"L": 1, "R": 0, "AN": 1, "EN": 1}
"""How far a resolved class rises above an even level, and above an odd one."""


def kind(char: str) -> str:
    """A character's bidirectional class; `L` for those that Python's tables lack."""
    return unicodedata.bidirectional(char) or "L"


def base_level(text: str) -> int:
    """1 if the first strong letter runs to the left, else 0."""
    return _first_strong([kind(char) for char in text], 0, len(text)) or 0


def levels(text: str, base: int) -> list[int]:
    """The embedding level of every character; odd ones run to the left."""
    classes = [kind(char) for char in text]
    paragraph = _Explicit(classes, base)
    paragraph.resolve()
    for sequence in paragraph.sequences():
        _Sequence(text, paragraph, sequence).resolve()
    _spread(paragraph, base)
    _reset(paragraph.original, paragraph.levels, base)
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


@dataclass(frozen=True, slots=True)
class _Embedding:
    """An entry of the directional status stack."""

    level: int
    override: str = ""
    isolate: bool = False


@dataclass(slots=True)
class _Explicit:
    """Rules X1 to X10: levels from embeddings and isolates, and the sequences they make."""

    classes: list[str]
    base: int
    levels: list[int] = field(default_factory=list)
    embedded: list[int] = field(default_factory=list)
    """The explicit levels, before those of the letters are resolved."""
    original: list[str] = field(default_factory=list)
    match: dict[int, int] = field(default_factory=dict)
    """Isolate initiators and the `PDI` that closes them."""
    stack: list[_Embedding] = field(default_factory=list)
    excess_isolates: int = 0
    excess_embeddings: int = 0

    def resolve(self) -> None:
        """Set every level, and replace the classes of what is overridden."""
        self.original = list(self.classes)
        self.match = _matches(self.classes)
        self.stack = [_Embedding(self.base)]
        for at, name in enumerate(self.original):
            self.levels.append(self.stack[-1].level)
            if name in _STARTS:
                self._open(at, name)
            elif name == "PDI":
                self._close(at)
            elif name == "PDF":
                self._pop()
            elif name == "B":
                self.levels[at] = self.base
            elif name != "BN":
                self._override(at)
        self.embedded = list(self.levels)

    def _override(self, at: int) -> None:
        self.classes[at] = self.stack[-1].override or self.classes[at]

    def _open(self, at: int, name: str) -> None:
        """X2 to X5c; embeddings nested too deeply are only counted."""
        isolates = name in _ISOLATES
        if isolates:
            self._override(at)
        opened = self._opened(at, name)
        if opened.level <= _DEEPEST and not self.excess_isolates and not self.excess_embeddings:
            self.stack.append(opened)
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

    def _opened(self, at: int, name: str) -> _Embedding:
        odd, override = _STARTS[name]
        level = self.stack[-1].level
        if name == "FSI":
            end = self.match.get(at, len(self.original))
            odd = _first_strong(self.original, at + 1, end) or 0
        step = level + 1 if (level + 1) % 2 == odd else level + 2
        return _Embedding(step, override, name in _ISOLATES)

    def sequences(self) -> Iterator[list[int]]:
        """The isolating run sequences (rule BD13), as the positions of their characters."""
        places = [at for at, name in enumerate(self.original) if name not in _REMOVED]
        runs: list[list[int]] = []
        for at in places:
            if runs and self.levels[runs[-1][-1]] == self.levels[at]:
                runs[-1].append(at)
            else:
                runs.append([at])
        by_start = {run[0]: run for run in runs}
        closers = set(self.match.values())
        for run in runs:
            if self.original[run[0]] == "PDI" and run[0] in closers:
                continue
            whole = list(run)
            while (close := self.match.get(whole[-1])) is not None and close in by_start:
                whole += by_start[close]
            yield whole


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


class _Sequence:
    """Rules W1 to I2 on one isolating run sequence."""

    def __init__(self, text: str, paragraph: _Explicit, places: list[int]) -> None:
        self._text, self._paragraph, self._places = text, paragraph, places
        self._level = paragraph.levels[places[0]]
        self._kinds = [paragraph.classes[at] for at in places]
        self._own = "R" if self._level % 2 else "L"
        self._before = self._edge(places[0] - 1, -1)
        ended = paragraph.original[places[-1]] in _ISOLATES and places[-1] not in paragraph.match
        self._after = self._edge(len(text) if ended else places[-1] + 1, 1)

    def _edge(self, at: int, step: int) -> str:
        """The direction of what lies beside the sequence: `sos` or `eos`."""
        original, embedded = self._paragraph.original, self._paragraph.embedded
        while 0 <= at < len(original) and original[at] in _REMOVED:
            at += step
        beside = embedded[at] if 0 <= at < len(original) else self._paragraph.base
        return "R" if max(self._level, beside) % 2 else "L"

    def resolve(self) -> None:
        """Give each of its characters a level."""
        plain = list(self._kinds)
        self._weak()
        self._brackets(plain)
        self._neutral()
        for at, name in zip(self._places, self._kinds, strict=True):
            rises = _LEFTWARD if self._level % 2 else _RIGHTWARD
            self._paragraph.levels[at] = self._level + rises[name]

    def _weak(self) -> None:
        self._marks()
        self._numbers()
        self._separators()
        self._terminators()
        strong = self._before
        for at, name in enumerate(self._kinds):  # W6, W7
            if name in {"ES", "ET", "CS"}:
                self._kinds[at] = "ON"
            elif name in {"L", "R"}:
                strong = name
            elif name == "EN" and strong == "L":
                self._kinds[at] = "L"

    def _marks(self) -> None:
        """W1: marks get the class of what they stand on."""
        previous = self._before
        for at, name in enumerate(self._kinds):
            if name == "NSM":
                self._kinds[at] = "ON" if previous in {*_ISOLATES, "PDI"} else previous
            previous = self._kinds[at]

    def _numbers(self) -> None:
        """W2, W3: numbers after Arabic letters are Arabic, and Arabic letters run left."""
        strong = self._before
        for at, name in enumerate(self._kinds):
            if name in {"L", "R", "AL"}:
                strong = name
            elif name == "EN" and strong == "AL":
                self._kinds[at] = "AN"
        self._kinds = ["R" if name == "AL" else name for name in self._kinds]

    def _separators(self) -> None:
        """W4: a single separator between two numbers of one kind belongs to them."""
        kinds = self._kinds
        for at in range(1, len(kinds) - 1):
            left, right = kinds[at - 1], kinds[at + 1]
            european = left == "EN" and kinds[at] in {"ES", "CS"}
            if left == right and (european or (left == "AN" and kinds[at] == "CS")):
                kinds[at] = left

    def _terminators(self) -> None:
        """W5: terminators beside European numbers, such as `%`, become part of them."""
        kinds = self._kinds
        for start, end in _stretches(kinds, frozenset({"ET"})):
            near = (kinds[start - 1 : start] or [""])[0], (kinds[end : end + 1] or [""])[0]
            if "EN" in near:
                kinds[start:end] = ["EN"] * (end - start)

    def _brackets(self, plain: Sequence[str]) -> None:
        """N0: both brackets of a pair get the direction of their content, or of what precedes."""
        for left, right in self._pairs():
            inside = {_strong(name) for name in self._kinds[left + 1 : right]} - {None}
            if self._own in inside:
                self._set(left, right, self._own, plain)
            elif inside:
                context = next(
                    (s for name in reversed(self._kinds[:left]) if (s := _strong(name))),
                    self._before,
                )
                same = context == self._own or context not in inside
                self._set(left, right, self._own if same else context, plain)

    def _pairs(self) -> list[tuple[int, int]]:
        """BD16: the brackets that belong together, in the order of the opening ones."""
        pairs: list[tuple[int, int]] = []
        waiting: list[tuple[str, int]] = []
        for at, place in enumerate(self._places):
            char = _SAME.get(self._text[place], self._text[place])
            if self._kinds[at] != "ON":
                continue
            if char in _CLOSER:
                if len(waiting) == _MOST_OPEN:
                    return sorted(pairs)
                waiting.append((_SAME.get(_CLOSER[char], _CLOSER[char]), at))
            elif any(char == closer for closer, _ in waiting):
                while waiting:
                    closer, opened = waiting.pop()
                    if closer == char:
                        pairs.append((opened, at))
                        break
        return sorted(pairs)

    def _set(self, left: int, right: int, name: str, plain: Sequence[str]) -> None:
        for bracket in (left, right):
            self._kinds[bracket] = name
            for at in range(bracket + 1, len(plain)):  # marks on a bracket go with it
                if plain[at] != "NSM":
                    break
                self._kinds[at] = name

    def _neutral(self) -> None:
        """N1, N2: neutrals get the direction of the letters around them, else that of the sequence."""
        kinds = self._kinds
        for start, end in _stretches(kinds, _NEUTRAL):
            left = _strong(kinds[start - 1]) if start else self._before
            right = _strong(kinds[end]) if end < len(kinds) else self._after
            name = left if left == right and left else self._own
            kinds[start:end] = [name] * (end - start)


def _strong(name: str) -> str | None:
    """What a class counts as beside neutrals: numbers run as if they were right-to-left."""
    return "L" if name == "L" else "R" if name in {"R", "EN", "AN"} else None


def _stretches(kinds: Sequence[str], among: frozenset[str]) -> list[tuple[int, int]]:
    """Where the longest stretches of some classes start and end."""
    stretches: list[tuple[int, int]] = []
    for at, name in enumerate(kinds):
        if name not in among:
            continue
        if stretches and stretches[-1][1] == at:
            stretches[-1] = (stretches[-1][0], at + 1)
        else:
            stretches.append((at, at + 1))
    return stretches


def _spread(paragraph: _Explicit, base: int) -> None:
    """What the rules remove goes with what stands before it."""
    for at, name in enumerate(paragraph.original):
        if name in _REMOVED:
            paragraph.levels[at] = paragraph.levels[at - 1] if at else base


def _reset(classes: Sequence[str], levels: list[int], base: int) -> None:
    """L1: white space before a separator and at the end runs as the paragraph."""
    blank = True
    for at in range(len(levels) - 1, -1, -1):
        if classes[at] in {"B", "S"}:
            blank = True
        elif classes[at] not in _TRAILING:
            blank = False
        if blank:
            levels[at] = base
