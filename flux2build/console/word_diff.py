"""How a prompt changed, word by word."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

Change = Literal["same", "gone", "new"]
Run = tuple[Change, str]

_WORDS: Final = re.compile(r"\s+|#?\w+|[^\w\s]")
_EXACT: Final = 4_000_000
"""Pairs of words that are compared at most; in longer texts, frequent words are ignored."""


def diff(old: str, new: str) -> list[Run]:
    """The runs of words that turn one text into the other.

    The runs `same` and `gone` together are `old`; `same` and `new` are `new`.
    """
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    ahead = _common(before, after)
    behind = _common(before[ahead:][::-1], after[ahead:][::-1])
    runs: list[Run] = [("same", "".join(before[:ahead]))]
    runs += _middle(before[ahead : len(before) - behind], after[ahead : len(after) - behind])
    runs += [("same", "".join(before[len(before) - behind :]))]
    return list(_merged(_spanned([run for run in runs if run[1]])))


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _middle(before: list[str], after: list[str]) -> Iterator[Run]:
    quick = len(before) * len(after) > _EXACT
    matcher = difflib.SequenceMatcher(str.isspace, before, after, autojunk=quick)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            yield "same", "".join(before[i:j])
        else:
            yield "gone", "".join(before[i:j])
            yield "new", "".join(after[k:m])


def _spanned(runs: list[Run]) -> Iterator[Run]:
    """Join changes with only blanks between them: one change reads better than two."""
    last = len(runs) - 1
    for index, (change, text) in enumerate(runs):
        if change == "same" and 0 < index < last and text.isspace():
            yield "gone", text
            yield "new", text
        else:
            yield change, text


def _merged(runs: Iterator[Run]) -> Iterator[Run]:
    """Join neighbours, so that each change has at most one `gone` run and one `new` run."""
    for same, group in itertools.groupby(runs, key=lambda run: run[0] == "same"):
        texts: dict[Change, str] = {"same": ""} if same else {"gone": "", "new": ""}
        for change, text in group:
            texts[change] += text
        yield from ((change, text) for change, text in texts.items() if text)


def plain(runs: Sequence[Run], context: int) -> str:
    """The runs on one line, `a [-red-]{+blue+} fox`, with `context` words around each change."""
    last = len(runs) - 1
    parts = (
        _elided(text, 0 if index == 0 else context, 0 if index == last else context)
        if change == "same"
        else (f"[-{text}-]" if change == "gone" else f"{{+{text}+}}")
        for index, (change, text) in enumerate(runs)
    )
    return "".join(parts).replace("\n", "⏎")


def _elided(text: str, head: int, tail: int) -> str:
    """A text with an ellipsis in place of its middle, if that is shorter."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) <= head + tail + 1:
        return text
    before = text[: words[head - 1][1]] + " " if head else ""
    after = " " + text[words[-tail][0] :] if tail else ""
    return f"{before}…{after}"
