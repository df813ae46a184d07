"""Catalogues in JSON and TOML: nested tables, whose keys are joined by dots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flux2build.assetspec import spec_text, strict_json
from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError


def of_json(file: str, text: str) -> Strings:
    """The texts of a JSON object; `SpecError` if it is not one, or a value is not a text."""
    try:
        value = strict_json.DECODER.decode(text)
    except (ValueError, RecursionError) as fault:
        message, line, column = strict_json.explained(fault)
        raise SpecError(Problem(message, Place(file, line, column))) from None
    return _strings(file, value)


def of_toml(file: str, text: str) -> Strings:
    """The texts of a TOML file; `SpecError` if it is not one, or a value is not a text."""
    return _strings(file, spec_text.parsed(spec_text.SpecFile(file, text)))


def _strings(file: str, value: object) -> Strings:
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
