"""The tools for a build's local work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from flux2build.images.provenance.signing import Signer

if TYPE_CHECKING:
    from flux2build.building.deriving import Deriving
    from flux2build.images.documents.contract import Document
    from flux2build.images.ops.contract import Networks, Op


class Toolbox(Struct, frozen=True):
    """The tools for local work: operations, documents, a signer, and this machine's networks."""

    ops: Mapping[str, type[Op]]
    documents: Mapping[str, Document]
    signer: Signer = field(default_factory=Signer)
    networks: Networks | None = None
    """Runs neural networks, if any operation may need one."""
    deriving: Deriving | None = None
    """The object that derives files, if they are not derived on this machine."""
    say: Callable[[str], None] = lambda _text: None
    """Tells a person which files are derived here nevertheless."""
