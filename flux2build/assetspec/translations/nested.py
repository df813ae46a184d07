"""What catalogues in JSON and TOML share: nested tables, whose keys are joined by dots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError


def reason(fault: Exception) -> str:
    """Why a parser that names no place gave up."""
    return "this is nested too deeply" if isinstance(fault, RecursionError) else str(fault)


def strings(file: str, value: object) -> Strings:
    """The texts of a table of tables.

    Raises:
        SpecError: a value in it is not a text.
    """
    if not isinstance(value, Mapping):
        raise SpecError(Problem("a catalogue must be an object of texts", Place(file)))
    messages: dict[Key, Message] = {}
    problems: list[Problem] = []
    for name, text in _leaves(value):
        if isinstance(text, str):
            messages[name, None] = Message((text,), Place(file))
        else:
            problems.append(Problem(f"`{name[:60]}` must be a text", Place(file)))
    if problems:
        raise SpecError(*problems)
    return Strings(file, messages)


def _leaves(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item
