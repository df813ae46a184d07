"""Files do not have more bytes than the spec allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.images.formats.lookup import formats, writable
from flux2build.tables.marks import Among
from flux2build.tables.table import Field, rule

FormatName = Annotated[str, Among(lambda: [n for n in writable() if formats()[n].on_pages])]


class MaxBytesOptions(Options):
    """Options of `max-bytes`, which is off until it is named."""

    severity: Level = "off"
    bytes: int | None = Field(default=None, ge=1, description="the most that a file may have")
    formats: dict[FormatName, int] = Field(
        default={}, description="the most by format, instead: `{ png = 500_000 }`"
    )

    @rule
    def _has_limits(self) -> None:
        if self.severity != "off" and self.bytes is None and not self.formats:
            raise ValueError("give `bytes`, the most that a file may have")


def findings(facts: Facts, options: MaxBytesOptions) -> Iterator[Finding]:
    """A published file that is larger than a limit.

    Deliverables are published, and masters from which nothing is derived.
    """
    limits: Mapping[str, int] = dict(options.formats.items())
    for file in facts.published:
        limit = limits.get(file.output.format, options.bytes)
        if limit is not None and file.output.bytes > limit:
            message = f"it has {file.output.bytes:,} bytes; {limit:,} are allowed"
            hint = (
                "deliver fewer pixels or another format, or set `max_bytes` there: the "
                "quality is lowered until it fits"
            )
            yield facts.about(file.recipe, "too-large", message, hint=hint)


CHECK: Final[Check] = Check(
    {"too-large": "the file has more bytes than the check allows"},
    findings,
    MaxBytesOptions,
    subject=Subject.PICTURES,
)
