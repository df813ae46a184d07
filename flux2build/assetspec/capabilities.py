"""What a spec may ask for: models, operations, documents and checks."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from flux2build.images.documents import DOCUMENTS
from flux2build.images.ops import OPS
from flux2build.providers import PROVIDERS

if TYPE_CHECKING:
    from flux2build.images.documents.contract import Document
    from flux2build.images.ops.contract import Op
    from flux2build.providers.capabilities import Card
    from flux2build.tables.table import Table


class HasOptions(Protocol):
    """What the spec needs to know of a check."""

    @property
    def options(self) -> type[Table]:
        """The model of its options."""


class HasDefaultModel(Protocol):
    """What the spec needs to know of a provider beside its cards."""

    @property
    def default_model(self) -> str:
        """The model meant when a spec names the provider only."""


class Capabilities(Struct, frozen=True):
    """All that a spec may ask for, by name; what is not asked for is not imported.

    Cards and checks are handed in: the user's own prices belong to the cards, and
    the checks are written in terms of the spec.
    """

    cards: Mapping[str, Mapping[str, Card]]
    """The models of every provider, with the user's own cards merged in."""
    checks: Mapping[str, HasOptions]
    providers: Mapping[str, HasDefaultModel] = PROVIDERS
    ops: Mapping[str, type[Op]] = OPS
    documents: Mapping[str, Document] = DOCUMENTS
    installed: Container[str] = frozenset()
    """Providers of models that lie on one machine or another, and are not for all to judge."""
    ordered_as: Callable[[str, str], str] = lambda _provider, model: model
    """What orders call a provider's model: weights on this machine are named by their digest."""
    weights: Callable[[str, str], str] = lambda _op, _model: ""
    """The digest of the weights of an operation's model, by its name; empty if it is not known here."""
    lora: Callable[[str], str] = lambda _name: ""
    """The digest of one of the user's LoRA, by its name; empty if it is not known here."""
