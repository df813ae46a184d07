"""Files are what their names say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.assetspec.outputs import format_of
from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A published picture whose format is not the one in its name.

    Some models ignore the format they are asked for. Such a master stays as it was
    delivered, because its signature would break; files derived from it have the
    format of their names.
    """
    for file in facts.published:
        named, actual = format_of(file.recipe.output), file.output.format
        if named is not None and actual not in {"", named}:
            message = f"it is {actual}, and its name says {named}"
            hint = f'`deliver = [{{ formats = ["{named}"] }}]` makes a file that is {named}'
            yield facts.about(file.recipe, "wrong-format", message, hint=hint)


CHECK: Final[Check] = Check(
    {"wrong-format": "the file has another format than its name says"},
    findings,
    Warnings,
    subject=Subject.PICTURES,
)
