"""Bounds on templates: steps, text, and the size of every value that they make.

A template may be a stranger's program. Operations that could make a huge value at once
are refused, and every value is measured, so that many small operations cannot make one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Self, TypeVar

from msgspec import Struct

LONGEST_TEXT: Final = 256 * 1024
"""Most characters of a value, and most bytes of a prompt: models read 32K tokens of up to 8."""
MOST_STEPS: Final = 100_000
MOST_TOGETHER: Final = 500_000
"""Steps that all renderings of a spec may take together, beyond the free ones."""
FREE_STEPS: Final = 1_000
"""Free steps of each rendering: a large spec has many small templates."""
MOST_FREE: Final = 4_000_000
"""Most free steps of all renderings together."""
REFUSING: Final = 10_000
"""Steps of refusing a template, which may have done uncounted work."""
MOST_WRITTEN: Final = 32 * 1024 * 1024
"""Most characters of all texts of a spec together."""
MOST_NODES: Final = 10_000
"""Most names, operators, tags and texts of one template."""
FREE_NODES: Final = 500
"""Parts of each template that are compiled for free."""
COMPILING: Final = 45
"""Steps of compiling one of them."""
PARSING: Final = 3
"""Steps of parsing a character of a template that turns out to be wrong."""
LOOKING: Final = 100
"""Steps of finding a template's file."""
MOST_TEXT: Final = 4 * 1024 * 1024
"""Most characters that one rendering may write, wherever they go."""
MOST_ITEMS: Final = 20_000
LARGEST_COUNT: Final = 10_000
"""Largest width, size or length of a range that a template may ask for."""
LARGEST_GROWTH: Final = 1024 * 1024
"""Largest value that one operation may make before it is measured."""
MOST_BITS: Final = 1024

T = TypeVar("T")
_WIDE: Final = r"\d{4,}"
_PERCENT: Final = r"%(?:\([^)]*\))?[-#0 +]*(\*|\d*)(?:\.(\*|\d*))?"
DATE_FORMAT: Final = r"(?s)(?:[^%]|%[YymdBbAajHMSGVuUW%]|%$)*"
"""Date directives with the same result on every machine; a final `%` belongs to a number."""

_LEAVES: Final = (str, int, float, type(None))
_VALUE_MODULES: Final = frozenset({"datetime", "decimal"})


_TOGETHER: Final = f"the templates of the spec take more than {MOST_TOGETHER:,} steps together"


class OverBoundError(Exception):
    """A template does more than templates may."""


class Budget(Struct):
    """The steps that all templates of a spec may take together, and what they may write."""

    left: int = MOST_TOGETHER
    free: int = MOST_FREE
    text: int = MOST_WRITTEN

    def begin(self) -> None:
        """Refuse a rendering if there have been too many small ones."""
        if self.free < 0:
            raise OverBoundError("the spec has too many templates for what they do")

    def small(self, steps: int) -> bool:
        """Count a rendering without Jinja; return whether one more is allowed."""
        self.free -= steps
        return self.free >= 0

    def settle(self, steps: int, free: int = FREE_STEPS) -> None:
        """Count the steps of a rendering; small ones are free."""
        self.free -= min(steps, free)
        self.left -= max(0, steps - free)

    def compiling(self, nodes: int) -> None:
        """Count the compilation of a template; small ones are free."""
        self.settle(nodes * COMPILING, FREE_NODES * COMPILING)
        if nodes > MOST_NODES:
            raise OverBoundError(f"the template has more than {MOST_NODES:,} parts")
        if self.left < 0:
            raise OverBoundError(_TOGETHER)

    def written(self, text: str) -> str:
        """Count a text of the spec."""
        self.text -= len(text)
        if self.text < 0:
            raise OverBoundError(
                f"the texts of the spec have more than {MOST_WRITTEN:,} characters"
            )
        return text


class Meter:
    """The steps and the text that one rendering has used.

    A step is about a microsecond of any work: text and items that an operation reads count as much
    as those that it makes. As a context manager, it meters one rendering by itself, and counts it
    in the budget.
    """

    __slots__ = ("_budget", "leaf", "most", "steps", "text")

    def __init__(self, leaf: Callable[[object], bool], budget: Budget) -> None:
        self.leaf, self._budget = leaf, budget
        self.most = min(MOST_STEPS, FREE_STEPS + max(0, budget.left))
        self.steps = 0
        self.text = 0

    def __enter__(self) -> Self:
        """Refuse the rendering if there have been too many small ones."""
        self._budget.begin()
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        """Count the steps of the rendering, and more if it was refused."""
        refused = fault is not None and issubclass(fault, OverBoundError)
        self.steps += REFUSING if refused else 0
        self._budget.settle(self.steps)

    def work(self, steps: int) -> None:
        """Count work that does not make text."""
        self.steps += steps
        if self.steps > self.most:
            alone = f"the template takes more than {MOST_STEPS:,} steps"
            raise OverBoundError(alone if self.most == MOST_STEPS else _TOGETHER)

    def read(self, value: T, per_item: int = 8) -> T:
        """A value, after counting the work of reading it."""
        if isinstance(value, str):
            self.work(len(value) // 256)
        elif isinstance(value, list | tuple | Mapping):
            for number, item in enumerate(_walk(value)):
                self.steps += len(item) // 256 if isinstance(item, str) else 0
                if not number % per_item:
                    self.work(1)
        elif isinstance(value, range):
            self.work(len(value) // per_item)
        return value

    def ticking(self, items: Iterator[object]) -> Iterator[object]:
        """The same items; each costs a step."""
        for item in items:
            self.work(1)
            yield item

    def spend(self, text: int = 0) -> None:
        """Count one step, and the text that it makes."""
        self.text += text
        self.work(1 + text // 256)
        if self.text > MOST_TEXT:
            raise OverBoundError("the template writes more than 4 MiB of text on its way")

    def size(self, value: object, leaf: Callable[[object], bool]) -> int:
        """Count the items of a nested value; return its characters and items.

        Raises:
            OverBoundError: it is too large, or something in it is not a `leaf`.
        """
        items, text = 0, 0
        for items, text in _sizes(value, leaf):  # noqa: B007 - the last ones count
            if not items % 8:
                self.work(4)
        self.work(text // 256)
        return items + text

    def kept(self, value: T) -> T:
        """The result of an operation, after measuring and counting it."""
        if isinstance(value, list | tuple | Mapping):
            self.size(value, self.leaf)
            return value
        text = len(value) if isinstance(value, str) else 0
        if text > LONGEST_TEXT:
            raise OverBoundError("a text grows beyond 256 KiB")
        if isinstance(value, int):
            _small(value.bit_length())
        finite(value)
        self.spend(text)
        return value


def _growing(length: int) -> None:
    if length > LARGEST_GROWTH:
        raise OverBoundError("a text or a list grows too large")


def _small(bits: int) -> None:
    if bits > MOST_BITS:
        raise OverBoundError("a number grows too large")


def finite(value: object) -> None:
    """Refuse infinity and NaN, which neither prompts nor JSON allow."""
    if isinstance(value, float) and not math.isfinite(value):
        raise OverBoundError(f"`{value}` is not a number that can be written")


def is_value(value: object) -> bool:
    """Whether a value is the same on every machine: not a function, generator or object."""
    return isinstance(value, _LEAVES) or type(value).__module__ in _VALUE_MODULES


def kind(value: object) -> str:
    """The kind of a value, in the words of people who write prompts."""
    words = (word for types, word in _KINDS if isinstance(value, types))
    return next(words, "function" if callable(value) else type(value).__name__.lower())


_KINDS: Final[Sequence[tuple[type | tuple[type, ...], str]]] = (
    (str, "text"),
    (bool, "truth value"),
    ((int, float), "number"),
    ((list, tuple), "list"),
    (Mapping, "mapping"),
    (Iterator, "lazy list"),
)


def size(value: object, leaf: Callable[[object], bool] = lambda _: True) -> int:
    """The characters and items of a nested value; `OverBoundError` for too many, or a bad leaf."""
    *_, (items, text) = _sizes(value, leaf)
    return items + text


def _sizes(value: object, leaf: Callable[[object], bool]) -> Iterator[tuple[int, int]]:
    """The items and characters so far, after each item of a nested value."""
    text = 0
    for items, item in enumerate(_walk(value), 1):
        if isinstance(item, str):
            text += len(item)
        elif not isinstance(item, list | tuple | Mapping) and not leaf(item):
            raise OverBoundError(f"a {kind(item)} cannot be put in a list or mapping")
        if items > MOST_ITEMS:
            raise OverBoundError(f"a list grows beyond {MOST_ITEMS:,} items")
        _growing(text)
        yield items, text


def _walk(value: object) -> Iterator[object]:
    waiting = [iter((value,))]
    while waiting:
        for item in waiting[-1]:
            yield item
            if isinstance(item, Mapping):
                waiting.append(iter([*item.keys(), *item.values()]))
                break
            if isinstance(item, list | tuple):
                waiting.append(iter(item))
                break
        else:
            waiting.pop()


def before_operator(operator: str, left: object, right: object) -> None:
    """Refuse arithmetic that would explode at once."""
    match operator, left, right:
        case "*", int(), int():
            _small(left.bit_length() + right.bit_length())
        case "*", int(), str() | list() | tuple():
            _growing(left * size(right))
        case "*", str() | list() | tuple(), int():
            _growing(size(left) * right)
        case "**", int(), int():
            _small(left.bit_length() * abs(right))
        case "%", str(), _:
            percent_format(left, right)
        case _:
            pass


def percent_format(template: str, values: object) -> None:
    """Refuse `%` formats with a wide field, or one whose width is an argument."""
    _growing(template.count("%") * _widest(values))
    for match in re.finditer(_PERCENT, template):
        if any(width == "*" or re.match(_WIDE, width or "") for width in match.groups()):
            raise OverBoundError(f"the format `{match[0][:40]}` asks for too wide a field")


def _widest(values: object) -> int:
    """The length of the longest of several values, as text."""
    if isinstance(values, Mapping):
        values = [*values.values()]
    parts = values if isinstance(values, list | tuple) else [values]
    return max((size(part) for part in parts), default=0)


def brace_format(template: str) -> None:
    """Refuse `{}` formats with a wide field, a nested one, or a machine's own date."""
    import string

    for _, field, spec, _ in string.Formatter().parse(template):
        if field and not field.replace("_", "").isalnum():
            raise OverBoundError(f"the field `{field[:40]}` of a format must be a plain name")
        if spec and (re.search(_WIDE, spec) or "{" in spec):
            raise OverBoundError(f"the format `{spec[:40]}` asks for too wide a field")
        date_format(spec or "")


def date_format(template: str) -> None:
    """Refuse date directives that depend on the machine, such as `%c` and `%s`."""
    if not re.fullmatch(DATE_FORMAT, template):
        raise OverBoundError(f"the date format `{template[:40]}` differs from machine to machine")


def before_method(owner: str, method: str, arguments: Sequence[object]) -> None:
    """Refuse a text's methods that would explode at once."""
    match method, arguments:
        case (("center" | "ljust" | "rjust" | "zfill"), [int() as width, *_]):
            count(width)
        case "expandtabs", [int() as width, *_]:
            _growing(owner.count("\t") * count(width))
        case "replace", [str() as old, str() as new, *_]:
            _growing(owner.count(old) * len(new))
        case "join", [list() | tuple() | str() | Mapping() as parts]:
            _growing(len(parts) * len(owner))
        case "format", _:
            _growing(owner.count("{") * _widest(arguments))
        case _:
            pass


def before_filter(name: str, value: object, arguments: Sequence[object]) -> None:
    """Refuse filters that would explode at once."""
    text = str(value) if is_value(value) else ""
    numbers = [argument for argument in arguments if isinstance(argument, int)]
    match name, [*arguments]:
        case (("center" | "batch" | "slice" | "round"), _):
            for number in numbers:
                count(number)
        case "indent", _:
            for number in numbers:
                _growing(count(number) * (text.count("\n") + 1))
            _growing(_longest(arguments) * (text.count("\n") + 1))
        case "wordwrap", _:
            _growing(_longest(arguments) * len(text))
        case "replace", [str() as old, str() as new, *_]:
            _growing(max(text.count(old) * len(new), text.count(new) * len(old)))
        case "format", [*values]:
            percent_format(text, values[0] if len(values) == 1 else values)
        case "join", [str() as separator, *_] if isinstance(value, list | tuple | str | Mapping):
            _growing(len(value) * len(separator))
        case "sum", [*values] if any(isinstance(one, list | tuple) for one in values):
            _growing(size(value) * size(value))
        case _:
            pass


def _longest(arguments: Sequence[object]) -> int:
    return max((len(text) for text in arguments if isinstance(text, str)), default=0)


def count(number: int) -> int:
    """A width or length in a template; `OverBoundError` if it is too large."""
    if abs(number) > LARGEST_COUNT:
        raise OverBoundError(f"{number:,} is too much; {LARGEST_COUNT:,} is the most"[:200])
    return number
