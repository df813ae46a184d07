"""The settings of a deliverable's encoding, checked against its format."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.images.formats.contract import Encoder, PictureError
from flux2build.images.formats.lookup import formats, writable
from flux2build.tables.table import TableError

_UNKNOWN_KEY: Final = "extra_forbidden"


def read(settings: Mapping[str, Json]) -> Encoder:
    """The encoder that a recipe asks for: `{"format": "jpeg", "quality": 80}`.

    Raises:
        PictureError: a setting is wrong, the format does not have it, or two contradict each other.
    """
    name = str(settings["format"])
    try:
        return encoder_of(name).model_validate(dict(settings))
    except TableError as error:
        raise PictureError(*(_problem(name, fault) for fault in error.errors())) from error


def encoder_of(name: str) -> type[Encoder]:
    """The encoder of a format.

    Raises:
        PictureError: the format is unknown, or cannot be written.
    """
    format_ = formats().get(name)
    if format_ is None or format_.encoder is None:
        rows = (("formats", ", ".join(writable())),)
        raise PictureError(f"`{name}` is not a format that can be written", rows=rows)
    return format_.encoder


@cache
def having(setting: str) -> tuple[str, ...]:
    """The names of the formats that have a setting; none when there is no such setting."""
    return tuple(name for name in writable() if setting in encoder_of(name).model_fields)


def _problem(name: str, fault: Any) -> Problem:
    """A validation error of pydantic, in this program's words."""
    setting = ".".join(map(str, fault["loc"]))
    if fault["type"] != _UNKNOWN_KEY:
        message = fault["msg"].removeprefix("Value error, ")
        return Problem(f"{name}: {message}", rows=(("key", setting),) if setting else ())
    reason = encoder_of(name).lacks.get(setting)
    rows = (("formats", ", ".join(having(setting))),) if having(setting) else ()
    return Problem(f"{name} has no `{setting}`" + (f": {reason}" if reason else ""), rows=rows)
