"""Catalogues in JSON and TOML: nested tables, whose keys are joined by dots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from flux2build.assetspec import spec_text, strict_json
from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.assetspec.validation_errors import kind_of
from flux2build.errors import Place, Problem, SpecError
from flux2build.storage.text_files import MOST_WEIGHT, weight
from flux2build.storage.toml_file import TomlFile


def of_json(file: str, text: str) -> Strings:
    """The texts of a JSON object, the last of each name; `SpecError` if it is not one."""
    _refuse_large(file, text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as fault:
        message, line, column = strict_json.explained(fault)
        raise SpecError(Problem(message, Place(file, line, column))) from None
    return _strings(file, value)


def of_toml(file: str, text: str) -> Strings:
    """The texts of a TOML file; `SpecError` if it is not one."""
    _refuse_large(file, text)
    return _strings(file, spec_text.parsed(TomlFile(file, text)))


def _refuse_large(file: str, text: str) -> None:
    if weight(text) > MOST_WEIGHT:
        raise SpecError(Problem("this catalogue has too many texts", Place(file)))


def _strings(file: str, value: object) -> Strings:
    if not isinstance(value, Mapping):
        raise SpecError(Problem("a catalogue must be an object of texts", Place(file)))
    leaves = dict(_leaves(value))
    messages: dict[Key, Message] = {
        (name, None): Message((text,), Place(file))
        for name, text in leaves.items()
        if isinstance(text, str)
    }
    others = {name: kind_of(item) for name, item in leaves.items() if item is not None}
    return Strings(
        file, messages, others={n: k for n, k in others.items() if (n, None) not in messages}
    )


def _leaves(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item
