"""Skeletons: the expressions of a prompt, without the words between them.

Compiling is the slow part of a template, and a thousand prompts seldom have
more than a handful of different expressions. A prompt of texts and plain
`{{ … }}` is compiled as its skeleton, which such prompts share; its texts
are put back while rendering. Where every expression is the name of a text,
which most are, the texts are put together without Jinja.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from flux2build.assetspec.prompts.fault import TemplateFault

_EXPRESSION: Final = re.compile(r"((?<!\{)\{\{(?![-+])[^{}%#]*(?<!-)\}\})")
_SIMPLE: Final = re.compile(
    r"""\{\{\s*(?:([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(ref)\(\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\))\s*\}\}""",
    re.ASCII,
)
"""An expression that is a name with attributes, or the number of a reference."""
_WORDS: Final = frozenset(
    {"and", "else", "if", "in", "is", "not", "or"}
    | {"true", "false", "none", "True", "False", "None"}
    | {"caller", "kwargs", "loop", "self", "super", "varargs"}
    | {"t"}
)
"""Names with a meaning for Jinja, and the one that only Jinja gets."""
_LARGE: Final = 2**63
_LONG: Final = 64 * 1024
_MARK: Final = re.compile(r"\{[{%#]")


class Lookup(Struct, frozen=True):
    """An expression that is a name with attributes, or calls a function with a text."""

    names: tuple[str, ...]
    argument: str | None = None

    def text(self, scope: Mapping[str, object]) -> str | None:
        """The text that it writes; None if only Jinja can tell, or report the fault."""
        value: Any = scope
        try:
            for name in self.names:
                value = value[name]
        except (KeyError, TypeError):  # it does not have such a value, or any values by name
            return None
        if type(value) is str:
            return value if self.argument is None else None
        if self.argument is not None:
            try:
                value = value(self.argument) if callable(value) else None
            except TemplateFault:
                return None
        if type(value) is int and abs(value) < _LARGE:
            return str(value)
        return value if type(value) is str else None


class Skeleton(Struct, frozen=True):
    """A template whose texts are reduced to their line ends, and the texts."""

    template: str
    texts: tuple[str | None, ...]
    """The text of each piece that the template yields; None for an expression."""
    pieces: tuple[str | Lookup, ...] | None = None
    """The texts and the lookups of the expressions; None if an expression is not a lookup."""

    def filled(self, pieces: Iterable[str]) -> Iterator[str]:
        """The template's output, with the texts put back."""
        for piece, text in zip(pieces, self.texts, strict=True):
            yield piece if text is None else text

    def put_together(self, scope: Mapping[str, object]) -> str | None:
        """Jinja's rendering; None if it takes more than looking up a few short texts."""
        if self.pieces is None:
            return None
        whole = ""
        for each in self.pieces:
            piece = each if isinstance(each, str) else each.text(scope)
            if piece is None:
                return None
            whole += piece
        return whole if len(whole) < _LONG else None


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
    lookups = _lookups(expressions)
    filled = None if lookups is None else _filled(pieces, lookups)
    return Skeleton(template, tuple(pieces), filled)


def _filled(texts: Iterable[str | None], lookups: Iterable[Lookup]) -> tuple[str | Lookup, ...]:
    others = iter(lookups)
    return tuple([next(others) if text is None else text for text in texts])


def _lookups(expressions: Iterable[str]) -> tuple[Lookup, ...] | None:
    lookups: list[Lookup] = []
    for expression in expressions:
        match = _SIMPLE.fullmatch(expression)
        if match is None:
            return None
        path, function, *arguments = match.groups()
        names = tuple((path or function).split("."))
        if names[0] in _WORDS:
            return None
        lookups.append(Lookup(names, next((a for a in arguments if a is not None), None)))
    return tuple(lookups)


def _bone(text: str) -> str:
    return "\n" * text.count("\n") + "." if text else ""
