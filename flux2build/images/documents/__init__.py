"""The texts about files: one module each, ending in `DOCUMENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.images.documents.contract import Document

DOCUMENTS: Final[Family[Document]] = Family(
    "flux2build.images.documents", "DOCUMENT", besides=frozenset({"contract", "srcset"})
)
