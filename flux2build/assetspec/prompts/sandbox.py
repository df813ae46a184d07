"""The Jinja environment of prompts, which limits a template's names and work."""

from __future__ import annotations

import functools
import math
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

from jinja2 import FunctionLoader, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace

from flux2build.assetspec.prompts import bounds
from flux2build.assetspec.prompts.bounds import Budget, Meter, OverBoundError
from flux2build.assetspec.prompts.fault import TemplateFault
from flux2build.assetspec.prompts.faults import CAUGHT, REMOVED, Knowing, Strict
from flux2build.assetspec.prompts.metering import Metering
from flux2build.digest import canonical

_Load = Callable[[str], tuple[str, str, None] | None]

# fmt: off
_TEXTUAL: Final = frozenset({
    "capitalize", "center", "format", "indent", "lower", "replace", "string", "striptags", "title",
    "trim", "truncate", "upper", "urlencode", "wordcount", "wordwrap",
})
"""Filters that turn any value into a text."""

_OF_TEXT: Final = frozenset({
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format",
    "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric",
    "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit",
    "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
})
_OF_DATES: Final = frozenset({
    "year", "month", "day", "hour", "minute", "second", "isoformat", "isoweekday", "strftime",
    "weekday",
})
# fmt: on
_AT_ONCE: Final = frozenset({"count", "d", "default", "first", "join", "last", "length"})
"""Filters that do not look at every item, or have looked at them already."""
_BY_LETTER: Final = frozenset({"striptags", "title", "urlencode", "wordcount", "wordwrap"})
"""Filters of text that look at it letter by letter, in Python."""
_SPLITTING: Final = frozenset({"rsplit", "split", "splitlines"})
"""Methods of text that may return a piece for every letter."""
_OF_EACH: Final[tuple[tuple[Any, frozenset[str]], ...]] = (
    (str, _OF_TEXT),
    (Mapping, frozenset({"get", "items", "keys", "values"})),
    ((list, tuple), frozenset({"count", "index", "grouper", "list"})),
    ((int, float, types.NoneType, type, Macro), frozenset()),
    ((types.GeneratorType, types.FunctionType, types.MethodType), frozenset()),
    (types.BuiltinFunctionType, frozenset()),
)
"""The attributes of each type that templates may use; Jinja's rules are for others."""


def _is_leaf(value: object) -> bool:
    return bounds.is_value(value) or isinstance(value, Undefined)


def _is_json(value: object) -> bool:
    if isinstance(value, Undefined):
        str(value)  # raises the fault about the undefined name
    bounds.finite(value)
    return isinstance(value, str | int | float | None)


@pass_context
def _printed(context: Context, value: object) -> str:
    """The output of `{{ … }}`: texts, numbers and dates, but not Python representations."""
    text: str = value if isinstance(value, str) else _plain(value, context)
    environment = context.environment
    assert isinstance(environment, Sandbox)
    environment.meter.spend(len(text))
    return text


def _plain(value: object, context: Context | None = None) -> str:
    """A text, number or date as a text; anything else is a `TemplateFault`."""
    if value is None:
        raise TemplateFault(
            "there is nothing to write here (None)", hint="use `default('…', true)`"
        )
    if isinstance(value, Undefined) or bounds.is_value(value):
        return str(value)
    hint = _as_text(value, context.get_all() if context else {})
    raise TemplateFault(f"a {bounds.kind(value)} has no text of its own", hint=hint)


def _as_text(value: object, visible: Mapping[str, object]) -> str:
    """A hint that says how to turn a value into text."""
    if callable(value):
        return "call it with `()`"
    if isinstance(value, Mapping):
        own = next((name for name, each in _named("", visible) if each is value), None)
        texts = (name for name, each in _named(f"{own}.", value) if bounds.is_value(each))
        if own is not None and (text := next(texts, None)):
            return f"name one of its values, as in `{{{{ {text} }}}}`, or use `tojson`"
        return "name one of its values, or use `tojson`"
    return "use `join(', ')` or `tojson`"


def _named(start: str, values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The names of values, and of the values in them, in a template; outer ones first."""
    levels = deque([(start, values)])
    while levels:
        start, inner = levels.popleft()
        for key, value in inner.items():
            if str(key).isidentifier():
                yield f"{start}{key}", value
                if isinstance(value, Mapping):
                    levels.append((f"{start}{key}.", value))


class _Template(Template):
    """A template that notes when it is evaluated for all templates that import it."""

    def make_module(self, *args: Any) -> TemplateModule:
        """What a template defines; Jinja keeps it, so that it asks for other templates only once."""
        assert isinstance(self.environment, Sandbox)
        self.environment.modules.add(str(self.name))
        return super().make_module(*args)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without clock, chance, environment or unbounded work.

    Compilation does not evaluate anything, so that all work is metered.
    """

    template_class = _Template
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, load: _Load, budget: Budget, note: Callable[[str], None]) -> None:
        super().__init__(
            undefined=Strict,
            finalize=_printed,
            loader=FunctionLoader(load),
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            auto_reload=False,
            cache_size=-1,
        )
        self.budget, self._note = budget, note
        self.reached: dict[str, set[str]] = {}
        """The templates that each template asked for."""
        self.modules: set[str] = set()
        """The templates that are evaluated once for all that import them."""
        self._wrong: dict[tuple[str, str | None], Exception] = {}
        """Templates that cannot be compiled, and why."""
        self.meter = Meter(_is_leaf, self.budget)
        self.globals = {
            "range": self._range,
            "dict": dict,
            "namespace": Namespace,
            "cycler": Cycler,
            "joiner": Joiner,
        }
        self.filters = {
            name: self._bounded(name, self.filters[name])
            for name in self.filters.keys() - REMOVED.keys() - {"tojson"}
        }
        self.filters |= {
            "tojson": self._to_json,
            "kept!": self._kept,
            "read!": self._read,
            "plain!": _plain,
            "stored!": self._stored,
            "tick!": self._tick,
        }
        self.tests = {name: self._measured(test) for name, test in TESTS.items()}

    @contextmanager
    def metered(self) -> Iterator[None]:
        """Meters one rendering by itself."""
        with Meter(_is_leaf, self.budget) as meter:
            outer, self.meter = self.meter, meter
            try:
                yield
            finally:
                self.meter = outer

    # Which templates it reads.

    def join_path(self, template: str, parent: str) -> str:
        """The name of a template that another one uses, which is noted."""
        if isinstance(template, str):
            self.reached.setdefault(parent, set()).add(template)
        return super().join_path(template, parent)

    def get_template(self, *args: Any, **options: Any) -> Template:
        """A template that a text asks for, which is noted."""
        return self._noted(super().get_template(*args, **options))

    def select_template(self, *args: Any, **options: Any) -> Template:
        """The first template there is of several names, which is noted."""
        return self._noted(super().select_template(*args, **options))

    def _noted(self, template: Template) -> Template:
        self._note(str(template.name))
        return template

    # The names that a template may use.

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether an attribute is known to be pure; a date's `today()`, for one, is not."""
        allowed = _allowed(obj)
        return super().is_safe_attribute(obj, attr, value) if allowed is None else attr in allowed

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """An unsafe attribute is treated as undefined."""
        return self.undefined(obj=obj, name=attribute)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute or a key: `row.items` is the column, if there is one of that name."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            if isinstance(obj, Knowing) and attribute in obj.columns:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format` with bounds; `format_map` is not reachable."""
        owner = getattr(value, "__self__", None)
        if not isinstance(owner, str) or value.__name__ != "format":
            return None
        bounds.brace_format(owner)
        return super().wrap_str_format(value)

    # The limits of its work.

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function for a template, and measure the result."""
        self.meter.spend()
        values = self._arguments(obj, [*args, *kwargs.values()])
        self.meter.work(len(values))
        positional, named = values[: len(args)], values[len(args) :]
        keywords = dict(zip(kwargs, named, strict=True))
        return self.meter.kept(super().call(context, obj, *positional, **keywords))

    def _arguments(self, obj: Any, values: list[Any]) -> list[Any]:
        name = getattr(obj, "__name__", "")
        owner = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
        if isinstance(owner, str):
            values = [self._whole(value) for value in values]
            self.meter.read([owner, *values])
            self.meter.work(len(owner) // 8 if name in _SPLITTING else 0)
            bounds.before_method(owner, name, values)
        elif name == "strftime":
            bounds.date_format("".join(map(str, values)))
        elif obj is Namespace:
            values = [self._stored(value) for value in values]
        return values

    def _whole(self, value: Any) -> Any:
        """A value that is safe to write: generators become lists, opaque objects are refused."""
        if isinstance(value, Iterator):
            value = list(value)
        self.meter.size(value, _is_leaf)
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate for a template, with bounds on the operands and on the result."""
        if operator == "%" and isinstance(left, str):
            right = self._whole(right)
        bounds.before_operator(operator, left, right)
        return self.meter.kept(super().call_binop(context, operator, left, right))

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        first = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            value, rest = args[first], [*args[first + 1 :], *kwargs.values()]
            if name in _TEXTUAL:
                value = _plain(value)
            elif name == "join":
                value = self._whole(value)
            if name == "format":
                rest = [self._whole(item) for item in rest]
            if name not in _AT_ONCE:
                self.meter.read(value, per_item=1)
            if name in _BY_LETTER:
                self.meter.work(len(value) // 2)
            bounds.before_filter(name, value, rest)
            result = self.meter.kept(function(*args[:first], value, *args[first + 1 :], **kwargs))
            return self.meter.ticking(result) if isinstance(result, Iterator) else result

        return bounded

    def _measured(self, test: Any) -> Any:
        @functools.wraps(test)
        def measured(*args: Any, **kwargs: Any) -> Any:
            self.meter.work(1)
            for value in (*args, *kwargs.values()):
                self.meter.read(value)
            return test(*args, **kwargs)

        return measured

    def _kept(self, value: Any) -> Any:
        return self.meter.kept(value)

    def _read(self, value: Any) -> Any:
        return self.meter.read(value)

    def _range(self, *ends: int) -> range:
        for end in ends:
            bounds.count(end)
        return range(*ends)

    def _to_json(self, value: Any) -> str:
        self.meter.size(value, _is_json)
        text = canonical(value)
        self.meter.spend(len(text))
        return text

    def _tick(self, value: Any, text: int) -> Any:
        self.meter.spend(max(0, text))
        return value

    def _stored(self, value: Any) -> Any:
        if isinstance(value, Namespace):
            raise OverBoundError("a namespace cannot be put in another one")
        return value

    # The places where work is counted.

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A copy of the names that all templates can use, which never change."""
        return {**self.globals, **(d or {})}

    def compile(self, source: Any, name: Any = None, filename: Any = None, *args: Any) -> Any:
        """The code of a template; a faulty one is parsed only once."""
        if (earlier := self._wrong.get((source, filename))) is not None:
            raise earlier.with_traceback(None)
        try:
            return super().compile(source, name, filename, *args)
        except CAUGHT as error:
            self._wrong[source, filename] = _copied(error)
            self.budget.settle(len(source) * bounds.PARSING)
            raise

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        self.budget.compiling(0)
        parsed = super()._parse(source, name, filename)
        self.budget.compiling(sum(1 for _ in parsed.find_all(nodes.Node)))
        for number in parsed.find_all(nodes.Const):
            if isinstance(number.value, float) and not math.isfinite(number.value):
                raise TemplateFault(
                    "a number is too large", number.lineno, filename if name else None
                )
        tree = Metering().visit(parsed)
        assert isinstance(tree, nodes.Template)
        tree.set_environment(self)
        return tree


def _copied(error: Exception) -> Exception:
    """The same error without its frames, which hold much memory."""
    if isinstance(error, TemplateSyntaxError):
        copy = TemplateSyntaxError(error.message or "", error.lineno, error.name, error.filename)
        copy.source = error.source
        return copy
    return type(error)(*error.args)


def _allowed(obj: object) -> frozenset[str] | None:
    """The attributes of an object that templates may use; None leaves it to Jinja's rules."""
    others = _OF_DATES if type(obj).__module__ == "datetime" else None
    return next((names for kinds, names in _OF_EACH if isinstance(obj, kinds)), others)
