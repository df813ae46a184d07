"""What catalogues in JSON and TOML share: nested as deep as one likes, keys joined by dots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError


def said(fault: Exception) -> str:
    """Why a parser gave up without a place."""
    return "this is nested too deeply" if isinstance(fault, RecursionError) else str(fault)


def strings(file: str, value: object) -> Strings:
    """The texts of a table of tables.

    Raises:
        SpecError: something in it is no text.
    """
    if not isinstance(value, Mapping):
        raise SpecError(Problem("a catalogue must be an object of texts", Place(file)))
    messages: dict[Key, Message] = {}
    wrong: list[Problem] = []
    for name, text in _leaves(value):
        if isinstance(text, str):
            messages[name, None] = Message((text,), Place(file))
        else:
            wrong.append(Problem(f"`{name[:60]}` must be a text", Place(file)))
    if wrong:
        raise SpecError(*wrong[:20])
    return Strings(file, messages)


def _leaves(value: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{before}{key}.")
        else:
            yield before + key, item
