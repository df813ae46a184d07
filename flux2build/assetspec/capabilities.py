"""The capabilities that a spec may use: models, operations, documents and checks."""

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
    """The facts that the spec needs about a check."""

    @property
    def options(self) -> type[Table]:
        """The model of its options."""


class HasDefaultModel(Protocol):
    """The facts that the spec needs about a provider, apart from its cards."""

    @property
    def default_model(self) -> str:
        """The model for a spec that names only the provider."""


class Capabilities(Struct, frozen=True):
    """Everything that a spec may use, by name; unused members are not imported.

    Cards and checks are passed in: the user's own prices belong to the cards, and the checks depend
    on the spec.
    """

    cards: Mapping[str, Mapping[str, Card]]
    """The models of every provider, with the user's own cards merged in."""
    checks: Mapping[str, HasOptions]
    providers: Mapping[str, HasDefaultModel] = PROVIDERS
    ops: Mapping[str, type[Op]] = OPS
    documents: Mapping[str, Document] = DOCUMENTS
    installed: Container[str] = frozenset()
    """The providers of installed models, which differ between machines."""
    ordered_as: Callable[[str, str], str] = lambda _provider, model: model
    """The name of a provider's model in orders; that of local weights has their digest."""
    weights: Callable[[str, str], str] = lambda _op, _model: ""
    """The digest of the weights of an operation's model, by its name; empty if unknown here."""
    lora: Callable[[str], str] = lambda _name: ""
    """The digest of one of the user's LoRA, by its name; empty if it is unknown here."""
