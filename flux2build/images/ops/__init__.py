"""The operations on pictures: one module each, ending in `OP`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flux2build.registry import Family

if TYPE_CHECKING:
    from flux2build.images.ops.contract import Op

OPS: Final[Family[type[Op]]] = Family(
    "flux2build.images.ops", "OP", besides=frozenset({"contract", "inputs", "words"})
)
