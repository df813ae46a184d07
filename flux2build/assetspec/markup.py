"""Finds markup in texts of a spec that is probably a mistake, and the words inside markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from flux2build.assetspec.spec import COMMENT, INVISIBLE, ONE_BRACE, Notice
from flux2build.errors import Problem, brief
from flux2build.model import Key
from flux2build.storage.text_files import unseen, unseen_hint

Scope = Mapping[str, object]
"""The names that a text can use."""
_COMMENT: Final = r"(?s)\{#(.*?)#\}"
_LITERAL: Final = r"\{%[-+]?\s*raw\s*-?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{\{.*?\}\}|\{%.*?%\}"
"""Parts in which `{#` begins no comment, and one brace is meant as it is written."""
_COLOUR: Final = r"[0-9A-Fa-f]{3,8}\b"
_ONE_BRACE: Final = r"(?<!\{)\{ ?([A-Za-z_]\w*)((?:\.\w+)*) ?\}(?!\})"
_INSIDE: Final = (
    re.compile(r"\{[{%](.+?)[%}]\}", re.DOTALL),
    re.compile(r"\{[{%](.+)[%}]\}"),
)
"""Markup over several lines, and everything between the first and the last mark of a line."""
_STRAY: Final = "[\u00ad\u200b\u2060\ufeff]"
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


class Markup(Struct):
    """Collects suspicious markup in the texts of a spec; looks at each text once."""

    notices: dict[Notice, None] = field(default_factory=dict)
    notes: dict[tuple[str, str], None] = field(default_factory=dict)
    """The notes as sentences, each with the family of the asset that has it."""
    _examined: set[tuple[Key, str]] = field(default_factory=set)

    def examine(self, source: str, scope: Scope, key: Key) -> None:
        """Look at a text, given the names that it can use."""
        family = _family(scope)
        if (key, family) in self._examined:
            return
        self._examined.add((key, family))
        text = re.sub(f"{_COMMENT}|{_LITERAL}", _comment_or_mark, source) if "{" in source else ""
        for code, message, hint in (*_comments(text), *_one_braces(text, scope)):
            self.note(Notice(code, key, Problem(message, hint=hint), name=False), family)

    def examine_sent(self, prompt: str, scope: Scope, key: Key) -> None:
        """Look at a prompt for useless characters without width."""
        strays = [] if prompt.isascii() else re.findall(_STRAY, prompt)
        for letter in dict.fromkeys(strays):
            message = f"the prompt has an invisible character: {unseen(letter)}"
            problem = Problem(message, hint=unseen_hint(letter))
            self.note(Notice(INVISIBLE, key, problem, name=False), _family(scope))

    def note(self, notice: Notice, family: str) -> None:
        """Note a suspicious part of an asset's text."""
        self.notices[notice] = None
        self.notes[family, f"{notice.problem.message}; {notice.problem.hint}"] = None


def _family(scope: Scope) -> str:
    """The family of the asset that a text belongs to."""
    asset = scope.get("asset")
    return str(asset["family"]) if isinstance(asset, (dict, Mapping)) else ""


def _comment_or_mark(part: re.Match[str]) -> str:
    """A comment unchanged, or a letter in place of anything else, since that is not blank."""
    return part[0] if part[0].startswith("{#") else "x"


def _comments(source: str) -> Iterator[tuple[str, str, str]]:
    """Comments that stand between words, or begin like a colour."""
    for match in re.finditer(_COMMENT, source) if "{#" in source else ():
        inside = match[1]
        before = source[source.rfind("\n", 0, match.start()) + 1 : match.start()]
        after = source[match.end() :].partition("\n")[0]
        among = "\n" not in inside and (before.strip() or after.strip())
        colour = re.match(_COLOUR, inside)
        if among or colour:
            hint = f"write `#{colour[0]}` without braces" if colour else "take the braces away"
            yield COMMENT, f"a comment takes `{brief(inside)}` out of the text", hint


def _one_braces(source: str, scope: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Names of values in one pair of braces, which stay as they are."""
    for match in re.finditer(_ONE_BRACE, source):
        if match[1] in scope:
            message = f"`{match[0]}` stays as it is written"
            yield ONE_BRACE, message, f"write `{{{{ {match[1]}{match[2]} }}}}`"


def hidden(data: Mapping[str, object], of_locale: str | None) -> frozenset[str]:
    """The axes of deliverables that hide variables, unless another text names them.

    `t` stands for the axis that has the locale, too.
    """
    also = {"t": of_locale} if of_locale else {}
    axes, outside = set[str](), set[str]()
    pending: list[tuple[object, frozenset[str]]] = [(data, frozenset())]
    while pending:
        value, inside = pending.pop()
        match value:
            case str() if "{" in value:
                in_value = words([value])
                outside |= {*in_value, *(also[word] for word in in_value & also.keys())} - inside
            case {"deliver": [*entries], **rest}:
                pending.append((rest, inside))
                pending += ((entry, inside | _axes(entry)) for entry in entries)
                axes.update(*map(_axes, entries))
            case dict():
                pending += ((each, inside) for each in value.values())
            case list():
                pending += ((each, inside) for each in value)
            case _:
                pass
    return frozenset(axes - outside)


def _axes(entry: object) -> frozenset[str]:
    matrix = entry.get("matrix") if isinstance(entry, dict) else None
    return frozenset(matrix) if isinstance(matrix, dict) else frozenset()


def words(sources: Iterable[str]) -> frozenset[str]:
    """Every word inside of the markup of texts."""
    marked = (source for source in sources if "{" in source)
    inside = (match[1] for source in marked for part in _INSIDE for match in part.finditer(source))
    return frozenset(word for text in inside for word in _WORD.findall(text))
