"""Pictures that were generated say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Current, Facts
from flux2build.checks.finding import Finding
from flux2build.images.provenance.c2pa import INVALID
from flux2build.model import Generate

_MISSING: Final = "nothing in the file says that it was generated"
_INVALID: Final = "the C2PA manifest in the file does not match it"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A published file that is made of a rendered picture and does not say so.

    Deliverables are published, and masters from which nothing is derived. IPTC's mark in XMP counts
    and, in a master, a C2PA manifest. A picture that a person adopted need not have a mark.
    """
    for file in facts.published:
        manifest = file.output.manifest
        if manifest and manifest.state == INVALID:
            hint = f"it was changed after it was signed; {facts.another(file)}"
            yield facts.about(file.recipe, "manifest-invalid", _INVALID, hint=hint)
        term = file.output.source_type
        if not term and facts.generated(file) and not facts.source_type(file.output):
            yield facts.about(file.recipe, "unmarked", _MISSING, hint=_hint(file))


def _hint(file: Current) -> str:
    if isinstance(file.recipe.task, Generate):
        return "publish a file of `deliver`: it is marked, while a master stays as it was delivered"
    return "take `provenance = false` away, or switch the check `provenance` off"


CHECK: Final[Check] = Check(
    {"unmarked": _MISSING, "manifest-invalid": _INVALID},
    findings,
    Warnings,
    subject=Subject.PICTURES,
)
