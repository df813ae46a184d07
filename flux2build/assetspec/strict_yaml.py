"""YAML as people write it, read strictly: no key twice, no tags, no ambiguous texts.

The events of PyYAML's parser become values here. Its own loaders take the last of two keys with
one name, and turn `no`, `2024-05-01` and `12:30` into a boolean, a date and a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from flux2build.errors import brief
from flux2build.storage.project_files import MEBIBYTE
from flux2build.storage.text_files import is_stray, unseen, unseen_hint

Lines = Mapping[int, int]
"""The line on which an object starts, by its `id`."""

_MOST_MIB: Final = 8
_MOST_VALUES: Final = 1_000_000
_DEEPEST: Final = 64
_TEXT: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "<<"
_UNFIT: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that YAML does not allow."""
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_BROKEN: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_QUOTES: Final = 'put the text between `"`'
_REASONS: Final = (
    ("cannot start any token", "a text cannot start with `{}`", _QUOTES),
    ("expected alphabetic or numeric", "a text cannot start with `{}`", _QUOTES),
    (
        "mapping values are not allowed",
        "a `: ` inside of a text, or a line that is not indented as the others",
        _QUOTES,
    ),
    (
        "did not find expected key",
        "something follows the end of a text, or a line is not indented as the others",
        'write a `\'` inside of `\'` twice, and a `"` inside of `"` as `\\"`',
    ),
    ("end of stream", "a quote or a bracket has no end", None),
    ("expected ',' or", "a quote or a bracket has no end", None),
    ("maximum nesting", "it is nested too deeply", None),
)
"""The parser's message, a more helpful one, and the remedy."""


class YamlFaultError(Exception):
    """A text is not YAML, or has excessive values."""

    def __init__(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.hint = message, line, column, hint


def parsed(text: str) -> tuple[object, Lines]:
    """The value of the one document of a text, with the lines of its objects; None for an empty one.

    Raises:
        YamlFaultError: it is not YAML, or there is too much of it.
    """
    if len(text) > _MOST_MIB * MEBIBYTE:
        raise YamlFaultError(f"YAML of more than {_MOST_MIB} MiB", 1, hint="write it as JSON")
    if wrong := _UNFIT.search(text):
        at = wrong.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message = f"an invisible character that YAML does not have: {unseen(wrong[0])}"
        raise YamlFaultError(message, line, column)
    import yaml

    builder = _Builder()
    try:
        # The parser in C is ten times as fast, and not in every installation.
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text) from None
    return builder.value, builder.lines


class _Open(Struct):
    """A list or an object whose end has not been read."""

    value: list[object] | dict[str, object]
    line: int
    anchor: str | None
    weight: int = 1
    """The number of its values, including those that aliases repeat."""
    key: str | None = None
    """The key whose value comes next."""
    bases: list[Mapping[str, object]] = field(default_factory=list)
    """The objects of `<<`, whose keys it has besides its own."""


class _Builder:
    """Makes a value of the events of a parser."""

    def __init__(self) -> None:
        self.value: object = None
        self.lines: dict[int, int] = {}
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        """Each value that has a name, and its weight."""
        self._documents = self._weight = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        match type(event).__name__:
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    raise _fault(event, "a second document", "keep one `---` at the start")
            case "ScalarEvent":
                self._refuse_tag(event)
                value = _plain(event.value) if _is_plain(event) else event.value.strip()
                self._name(event.anchor, value, 1)
                self._place(event, value, 1)
            case "AliasEvent":
                self._alias(event)
            case "SequenceStartEvent" | "MappingStartEvent" as kind:
                self._refuse_tag(event)
                value = [] if kind == "SequenceStartEvent" else {}
                self._open.append(_Open(value, event.start_mark.line + 1, event.anchor))
                if len(self._open) > _DEEPEST:
                    raise _fault(event, f"YAML is nested more than {_DEEPEST} deep")
            case "SequenceEndEvent" | "MappingEndEvent":
                self._close(event)
            case _:
                pass

    def _close(self, event: Any) -> None:
        closed = self._open.pop()
        value = closed.value
        if isinstance(value, dict):
            own = dict(value)
            for base in reversed(closed.bases):
                value.update(base)
            value.update(own)
        self.lines[id(value)] = closed.line
        self._name(closed.anchor, value, closed.weight)
        self._place(event, value, closed.weight)

    def _name(self, anchor: str | None, value: object, weight: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = value, weight

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            inside = any(each.anchor == event.anchor for each in self._open)
            what = "holds itself" if inside else "is not the name of a value"
            raise _fault(event, f"`*{brief(event.anchor)}` {what}", f"{_QUOTES} if that is meant")
        self._place(event, *self._anchors[event.anchor])

    def _place(self, event: Any, value: object, weight: int) -> None:
        """Put a value into the innermost open list or object, or at the top."""
        self._weight += weight
        if self._weight > _MOST_VALUES:
            raise _fault(
                event, f"YAML with more than {_MOST_VALUES:,} values, repeated ones counted"
            )
        if not self._open:
            self.value = value
            return
        top = self._open[-1]
        top.weight += weight
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            top.key = self._key(event, value, top.value)
        elif top.key == _MERGE:
            top.bases.extend(_bases(event, value))
            top.key = None
        else:
            top.value[top.key], top.key = value, None

    @staticmethod
    def _key(event: Any, value: object, keys: Mapping[str, object]) -> str:
        key = event.value if type(event).__name__ == "ScalarEvent" else value
        if not isinstance(key, str) or not key.strip():
            kind = "braces begin an object, which" if isinstance(key, dict) else "this"
            raise _fault(event, f"{kind} cannot be a key", f"{_QUOTES} if it is one")
        if letter := next(filter(is_stray, key), None):
            message = f"this key has an invisible character: {unseen(letter)}"
            raise _fault(event, message, unseen_hint(letter))
        if key in keys:
            raise _fault(event, f"`{brief(key)}` is given twice in one object")
        return key

    @staticmethod
    def _refuse_tag(event: Any) -> None:
        if event.tag not in {None, "!", _TEXT}:
            tag = brief(event.tag.replace("tag:yaml.org,2002:", "!!"))
            hint = f"take it away, or {_QUOTES} if it is one"
            raise _fault(event, f"tags such as `{tag}` are not read", hint)


def _bases(event: Any, value: object) -> Iterable[Mapping[str, object]]:
    several = value if isinstance(value, list) else [value]
    bases = [each for each in several if isinstance(each, dict)]
    if len(bases) < len(several):
        raise _fault(event, "`<<` takes objects: `<<: *name`")
    return bases


def _is_plain(event: Any) -> bool:
    """Whether a text stands without quotes and without a tag."""
    return event.tag is None and event.style in {None, ""}


def _plain(text: str) -> object:
    """The value of a text without quotes if it is unambiguous; else the text."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _BROKEN.fullmatch(text) else text


def _fault(event: Any, message: str, hint: str | None = None) -> YamlFaultError:
    mark = event.start_mark
    return YamlFaultError(message, mark.line + 1, mark.column + 1, hint)


def _explained(error: Any, text: str) -> YamlFaultError:
    """The reason why a parser failed, in helpful words."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    for at, each in enumerate(lines[: line + 1]):
        if (letter := each.lstrip(" ")[:1]) and unseen(letter) and letter != "\t":
            message = f"an invisible character begins this line: {unseen(letter)}"
            return YamlFaultError(message, at + 1, each.index(letter) + 1, unseen_hint(letter))
    here = lines[line] if line < len(lines) else ""
    why, hint = _reason(str(error.problem), here[column : column + 1])
    return YamlFaultError(f"this is not YAML: {why}", line + 1, column + 1, hint)


def _reason(problem: str, letter: str) -> tuple[str, str | None]:
    """The reason and the remedy for the parser's message about a letter."""
    if letter == "\t" and "cannot start any token" in problem:
        return "a tab stands where a value begins", "indent with spaces"
    for words, why, hint in _REASONS:
        if words in problem:
            return why.format(letter), hint
    return problem, None
