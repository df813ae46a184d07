"""The output formats of findings: one module each, ending in `FORMAT`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.console.findings.contract import OutputFormat

OUTPUT_FORMATS: Final[Family[OutputFormat]] = Family(
    "flux2build.console.findings", "FORMAT", besides=frozenset({"contract", "unusable", "wording"})
)
