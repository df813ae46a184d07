"""Skeletons: the expressions of a prompt, without the words between them.

Compiling is the slow part of a template, and a thousand prompts seldom have
more than a handful of different expressions. A prompt of texts and plain
`{{ … }}` is compiled as its skeleton, which such prompts share; its texts
are put back while rendering.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

_EXPRESSION: Final = re.compile(r"((?<!\{)\{\{(?![-+])[^{}%#]*(?<!-)\}\})")
_MARK: Final = re.compile(r"\{[{%#]")


class Skeleton(Struct, frozen=True):
    """A template whose texts are reduced to their line ends, and the texts."""

    template: str
    texts: tuple[str | None, ...]
    """The text of each piece that the template yields; None for an expression's."""

    def filled(self, pieces: Iterable[str]) -> Iterator[str]:
        """What the template yields, with the texts put back."""
        for piece, text in zip(pieces, self.texts, strict=True):
            yield piece if text is None else text


def of(source: str) -> Skeleton | None:
    """The skeleton of a source with plain line ends; None if it needs all of Jinja."""
    parts = _EXPRESSION.split(source)
    texts, expressions = parts[::2], parts[1::2]
    if any(_MARK.search(text) for text in texts):
        return None
    template = _bone(texts[0])
    pieces: list[str | None] = [texts[0]] if texts[0] else []
    for expression, text in zip(expressions, texts[1:], strict=True):
        template += expression + _bone(text)
        pieces += [None, text] if text else [None]
    return Skeleton(template, tuple(pieces))


def _bone(text: str) -> str:
    return "\n" * text.count("\n") + "." if text else ""
