"""The providers of models: one module each, ending in `PROVIDER`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.providers.contract import Provider

PROVIDERS: Final[Family[Provider]] = Family(
    "flux2build.providers",
    "PROVIDER",
    besides=frozenset(
        {
            "callbacks",
            "capabilities",
            "cards",
            "contract",
            "outcomes",
            "predictions",
            "pricing",
            "protocol",
            "references",
            "replies",
        }
    ),
)
