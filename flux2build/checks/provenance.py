"""Pictures that were generated say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.checks.contract import Check, Current, Facts, Finding, Level, Options
from flux2build.images.provenance.c2pa import INVALID
from flux2build.model import Generate, Made

_MISSING: Final = "nothing in the file says that it was generated"
_INVALID: Final = "the C2PA manifest in the file does not fit it"


class ProvenanceOptions(Options):
    """Options of `provenance`."""

    severity: Level = Field(default="warning", description="how much its findings weigh")


@dataclass(frozen=True, slots=True)
class Provenance:
    """A file to be published, made of a rendered picture, that does not say how it came about.

    Looked at are deliverables, and masters of which nothing is derived. IPTC's mark
    in XMP counts, and in a master a C2PA manifest.
    """

    name: str = "provenance"
    options: type[Options] = ProvenanceOptions

    @property
    def codes(self) -> dict[str, str]:
        """The codes it reports."""
        return {"unmarked": _MISSING, "manifest-invalid": _INVALID}

    def findings(self, facts: Facts, _options: ProvenanceOptions) -> Iterator[Finding]:
        """One finding for each file."""
        for file in facts.shipped():
            manifest = file.output.manifest
            if manifest and manifest.state == INVALID:
                hint = "it was changed after it was signed; `take = 2` asks for another one"
                yield facts.about(file, "manifest-invalid", _INVALID, hint=hint)
            if _generated(file) and not facts.source_type(file.output):
                yield facts.about(file, "unmarked", _MISSING, hint=_mend(file))


def _generated(file: Current) -> bool:
    recipe = file.recipe
    return isinstance(recipe.task, Generate) or any(isinstance(i, Made) for i in recipe.inputs)


def _mend(file: Current) -> str:
    if isinstance(file.recipe.task, Generate):
        return "publish a file of `deliver`: it is marked, while a master stays as it was delivered"
    return "take `provenance = false` away, or switch the check `provenance` off"


CHECK: Final[Check] = Provenance()
