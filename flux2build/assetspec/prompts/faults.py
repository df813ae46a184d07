"""Errors of templates as faults: with the line, the file and the nearest valid word."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Final, Protocol, cast, runtime_checkable

from jinja2 import StrictUndefined, Template
from jinja2.exceptions import (
    TemplateError,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplatesNotFound,
    TemplateSyntaxError,
)
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from jinja2.utils import missing

from flux2build.assetspec.prompts.bounds import kind
from flux2build.assetspec.prompts.fault import RAISED, TemplateFault
from flux2build.errors import brief, did_you_mean
from flux2build.storage.text_files import unseen, unseen_hint
from flux2build.storage.toml_values import CURLY

CAUGHT: Final = (*RAISED, TemplateError)
"""The errors that a template can raise."""

REMOVED: Final = {
    "attr": "write `value.name` or `value['name']`",
    "e": "prompts are not HTML",
    "escape": "prompts are not HTML",
    "forceescape": "prompts are not HTML",
    "pprint": "write `tojson`",
    "random": "a prompt must come out the same each time; write `matrix` for variations",
    "safe": "prompts are not HTML",
    "urlize": "prompts are not HTML",
    "xmlattr": "prompts are not HTML",
}
"""Filters of Jinja that prompts do not have, and what to write instead."""

_NO_FILTER: Final = re.compile(r"No (filter|test) named '([^']*)'")
_OPEN: Final = re.compile(r"(?s).*(\{\{|\{%)(.*)")
_CLOSED: Final = re.compile(r"[%}]\}")
_UNENDED: Final = re.compile(r"needs to be closed is '(\w+)'|Missing end of (raw) ")
_NOTHING: Final = re.compile(r"(?:an expression, got|nexpected) 'end of (print|statement) ")
_COMMENTED: Final = re.compile(r"\{(#[0-9A-Fa-f]{3,8})\b")
_PLACEHOLDER: Final = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{3,}")
_CHARACTER: Final = re.compile(r"unexpected char ('.*'|\".*\") at")
_LOCAL: Final = re.compile(r"l_\d+_(.+)")


@runtime_checkable
class Knowing(Protocol):
    """A mapping that knows why it lacks a key, such as a row of a data file."""

    @property
    def columns(self) -> AbstractSet[str]:
        """The keys that it could have."""

    def why_absent(self, column: str) -> tuple[str, str | None]:
        """The reason, and a hint."""


class Unknown(TemplateFault):
    """A name that does not exist; its handler knows the nearest names."""

    def __init__(self, name: str, owner: object) -> None:
        super().__init__(f"`{brief(name)}` is not defined")
        self.name = name
        self.owner = owner
        """The object that lacks it; `missing` for a variable."""


class Strict(StrictUndefined):
    """An undefined value; any use of it raises a fault that says what is missing."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Jinja calls this to make an exception, whose message is replaced.
        self._undefined_exception = cast("type[TemplateRuntimeError]", self._fault)

    def _fault(self, message: str) -> TemplateFault:
        obj, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(obj, Knowing):
            reason, hint = obj.why_absent(name)
            return TemplateFault(reason, hint=hint)
        if self._undefined_hint is None or name == "super":
            return Unknown(name, obj)
        return TemplateFault(_lowered(message))


def explained(
    error: Exception, scope: Mapping[str, object], nearby: Callable[[str], str]
) -> TemplateFault:
    """The fault of any caught exception, with its line, its template and a hint.

    `nearby` returns a hint for the name of a missing template.
    """
    fault = error if isinstance(error, TemplateFault) else _fault(error, nearby)
    line, template, visible = _site(error.__traceback__)
    if isinstance(fault, Unknown) and not fault.hint:
        fault.message, fault.hint = _reason(fault, {**scope, **visible}, template)
    if line and not fault.line:
        fault.line, fault.template = line, template
    return fault


def _site(traceback: TracebackType | None) -> tuple[int, str | None, Mapping[str, object]]:
    """The line and the template where an exception was raised, and the names visible there."""
    site: tuple[int, str | None, Mapping[str, object]] = 0, None, {}
    while traceback:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(traceback.tb_lineno)
            site = line, template.filename if template.name else None, traceback.tb_frame.f_locals
        traceback = traceback.tb_next
    line, file, names = site
    matches = ((_LOCAL.fullmatch(name), value) for name, value in names.items())
    return line, file, {m[1]: value for m, value in matches if m and value is not missing}


def _fault(error: Exception, nearby: Callable[[str], str]) -> TemplateFault:
    match error:
        case TemplateSyntaxError():
            return _syntax(error)
        case TemplateNotFound():
            return _not_found(error, nearby)
        case RecursionError():
            return TemplateFault("templates or macros call each other without an end")
        case MemoryError() | SyntaxError():
            return TemplateFault("the template is nested too deeply")
        case KeyError():
            return TemplateFault(f"there is no {brief(str(error), 200)}")
        case _:
            return _named(_lowered(brief(str(error), 200)) or type(error).__name__)


def _syntax(error: TemplateSyntaxError) -> TemplateFault:
    message = error.message or "this is not a template"
    fault = (
        _odd_character(message)
        or _unfinished(message, error.source or "")
        or _named(_lowered(brief(message, 200)))
    )
    if "comment tag" in fault.message:
        colour = _COMMENTED.search(error.source or "")
        written = colour[1] if colour else "#F2A93B"
        fault = TemplateFault(
            "a comment begins with `{#`, and has no end",
            hint=f"write a colour without braces, as `{written}`; a comment ends with `#}}`",
        )
    fault.line = error.lineno
    fault.template = error.filename if error.name else None
    return fault


def _unfinished(message: str, source: str) -> TemplateFault | None:
    """The fault of markup that lacks its end or what belongs inside of it."""
    if (last := _OPEN.match(source)) and not _CLOSED.search(last[2]):
        end = {"{{": "}}", "{%": "%}"}[last[1]]
        hint = (
            f"write `{end}` after it, or `{{{{ '{last[1]}' }}}}` for the two characters themselves"
        )
        return TemplateFault(f"`{last[1]}` has no `{end}` after it", hint=hint)
    if block := _UNENDED.search(message):
        name = block[1] or block[2]
        hint = f"write `{{% end{name} %}}` where it ends"
        return TemplateFault(f"`{{% {name} %}}` has no end", hint=hint)
    if empty := _NOTHING.search(message):
        end = "}}" if empty[1] == "print" else "%}"
        hint = "write one there, such as the name of a variable"
        return TemplateFault(f"an expression is missing before `{end}`", hint=hint)
    if message == "tag name expected":
        return TemplateFault("`{%` begins no statement", hint="write one, such as `{% if theme %}`")
    return None


def _odd_character(message: str) -> TemplateFault | None:
    """The fault of an invisible character or a curly quote in an expression."""
    match = _CHARACTER.match(message)
    letter = str(literal_eval(match[1])) if match else ""
    if letter and (name := unseen(letter)):
        message = f"an invisible character, {name}, stands in an expression: `{letter}`"
        return TemplateFault(message, hint=unseen_hint(letter))
    if letter and letter in CURLY:
        return TemplateFault(
            f"a text stands between straight quotes in an expression, not `{letter}`"
        )
    return None


def _not_found(error: TemplateNotFound, nearby: Callable[[str], str]) -> TemplateFault:
    names = error.templates if isinstance(error, TemplatesNotFound) else [error.name]
    listed = ", ".join(f"`{brief(str(name))}`" for name in names)
    message = f"there is no template {listed or 'of that name'}"
    return TemplateFault(message, hint=nearby(str(next(iter(names), ""))))


def _named(message: str) -> TemplateFault:
    """A fault; an unknown filter or test, recognized by Jinja's message, gets a hint."""
    match = _NO_FILTER.search(message[:1].upper() + message[1:])
    if not match:
        return TemplateFault(message)
    family, name = match[1], match[2]
    available = FILTERS.keys() - REMOVED.keys() if family == "filter" else TESTS.keys()
    hint = REMOVED.get(name) or did_you_mean(name, available)
    return TemplateFault(f"there is no {family} `{name}`", hint=hint)


def _lowered(message: str) -> str:
    sentence = message.removesuffix(".")
    return sentence[:1].lower() + sentence[1:]


def _reason(
    fault: Unknown, visible: Mapping[str, object], file: str | None
) -> tuple[str, str | None]:
    """The message and the hint of an unknown name."""
    name, owner = fault.name, fault.owner
    if owner is not missing:
        called = (f"`{word}`" for word, value in visible.items() if value is owner)
        subject = next(called, f"a {kind(owner)}")
        return f"{subject} has no `{brief(name)}`", did_you_mean(brief(name), _members(owner))
    if name in visible:
        hint = f"import `{file}` with `with context` to let it see variables" if file else None
    elif _PLACEHOLDER.fullmatch(name):
        guide = f"`{{{{{name}}}}}` is how FLUX prompt guides mark a text to fill in"
        hint = f"{guide}; write that text, or define the name under `[vars]`"
    else:
        hint = did_you_mean(name, visible)
    return fault.message, hint


def _members(owner: object) -> set[str]:
    if isinstance(owner, Mapping):
        return {str(key) for key in owner}
    return {key for key in getattr(owner, "__dict__", {}) if not key.startswith("_")}
