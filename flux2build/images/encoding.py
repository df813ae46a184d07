"""The settings of a deliverable's encoding, checked against its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.images.colour.notation import Colour
from flux2build.images.formats.contract import (
    Encoder,
    EncoderOptions,
    LossyOptions,
    PictureError,
)
from flux2build.images.formats.lookup import formats, writable

_UNKNOWN_KEY: Final = "extra_forbidden"


class SharedOptions(BaseModel):
    """Settings that every format has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    matte: Colour | None = None
    """Colour put behind transparent pixels; a format without alpha uses white."""
    max_bytes: int | None = Field(default=None, ge=1)
    """Largest file; the quality is lowered until it fits."""
    source_type: str | None = Field(default=None, pattern=r"^[A-Za-z]+$")
    """IPTC's term for where the picture comes from, embedded as XMP."""
    sign: bool = False
    """Whether the file is signed afterwards, with the user's certificate."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format, and the settings of a file in it."""

    format: str
    shared: SharedOptions
    options: EncoderOptions

    @property
    def encoder(self) -> Encoder:
        """The encoder of the format."""
        return encoder_of(self.format)


def read(asked: Mapping[str, Json]) -> Encoding:
    """The encoding that a recipe asks for: `{"format": "jpeg", "quality": 80}`.

    Raises:
        PictureError: a setting is wrong, the format does not have it, or two contradict each other.
    """
    name = str(asked["format"])
    encoder = encoder_of(name)
    given = {key: value for key, value in asked.items() if key != "format"}
    common = {key: given.pop(key) for key in list(given) if key in SharedOptions.model_fields}
    try:
        encoding = Encoding(
            name, SharedOptions.model_validate(common), encoder.options.model_validate(given)
        )
    except ValidationError as error:
        raise PictureError(*(_problem(name, fault) for fault in error.errors())) from error
    options, limit = encoding.options, encoding.shared.max_bytes
    if limit and isinstance(options, LossyOptions) and options.quality < options.min_quality:
        message = "`quality` is below `min_quality`, where `max_bytes` would stop"
        raise PictureError(f"{name}: {message}")
    return encoding


def encoder_of(name: str) -> Encoder:
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
    if setting in SharedOptions.model_fields:
        return writable()
    return tuple(name for name in writable() if setting in encoder_of(name).options.model_fields)


def signable(name: str) -> bool:
    """Whether files of a format can be signed."""
    return encoder_of(name).signable


def _problem(name: str, fault: Any) -> Problem:
    """A fault of pydantic's, in words."""
    setting = ".".join(map(str, fault["loc"]))
    if fault["type"] != _UNKNOWN_KEY:
        message = fault["msg"].removeprefix("Value error, ")
        return Problem(f"{name}: {message}", rows=(("key", setting),) if setting else ())
    reason = encoder_of(name).lacks.get(setting)
    rows = (("formats", ", ".join(having(setting))),) if having(setting) else ()
    return Problem(f"{name} has no `{setting}`" + (f": {reason}" if reason else ""), rows=rows)
