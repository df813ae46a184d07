"""The checks: one module each, ending in `CHECK`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.checks.contract import Check

CHECKS: Final[Family[Check]] = Family(
    "flux2build.checks", "CHECK", besides=frozenset({"contract", "facts", "finding"})
)
