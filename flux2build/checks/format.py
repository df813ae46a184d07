"""Files are what their names say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.assetspec.outputs import format_of
from flux2build.checks.contract import Check, Facts, Finding, Level, Options


class FormatOptions(Options):
    """Options of `format`."""

    severity: Level = Field(default="warning", description="how much its findings weigh")


@dataclass(frozen=True, slots=True)
class Format:
    """A picture to be published whose name says another format than it has.

    Some models make what they like. Such a master stays as it was delivered, since
    its signature would break; what is derived of it has the format of its name.
    """

    name: str = "format"
    options: type[Options] = FormatOptions

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"wrong-format": "the file has another format than its name says"}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """One finding for each file."""
        for file in facts.shipped():
            named, found = format_of(file.recipe.output), file.output.format
            if named is not None and found not in {"", named}:
                message = f"it is {found}, and its name says {named}"
                hint = f'`deliver = [{{ formats = ["{named}"] }}]` makes a file that is {named}'
                yield facts.about(file, "wrong-format", message, hint=hint)


CHECK: Final[Check] = Format()
