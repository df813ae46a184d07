"""The five open families by the names of their members, and the catalogue of what a spec may ask for."""

from __future__ import annotations

from flux2build import checks, documents, ops, providers, registry
from flux2build.cards import load as load_cards
from flux2build.cards import shipped_text
from flux2build.catalog import Catalog, Form, Paper
from flux2build.check import Check
from flux2build.document import Document
from flux2build.op import Op
from flux2build.provider import Provider


def catalogue(own_cards: str = "") -> Catalog:
    """All models and operations; `own_cards` is TOML of the user's that goes over our cards."""
    known_ops = ops_by_name()
    known_providers = providers_by_name()
    cards = {name: provider.cards for name, provider in known_providers.items()}
    if own_cards:
        own = load_cards(shipped_text(), own_cards)
        cards |= {name: own[name] for name in cards if name in own}
    return Catalog(
        cards=cards,
        default_models={name: p.default_model for name, p in known_providers.items()},
        forms={name: Form(name, op.version, op.params) for name, op in known_ops.items()},
        checks={name: check.options for name, check in checks_by_name().items()},
        papers={
            name: Paper(name, one.version, one.options, one.endings)
            for name, one in documents_by_name().items()
        },
    )


def ops_by_name() -> dict[str, Op]:
    """Every operation, by its name in the spec."""
    found: list[Op] = registry.members(ops, "OP")
    return {op.name: op for op in found}


def documents_by_name() -> dict[str, Document]:
    """Every document, by its name in the spec."""
    found: list[Document] = registry.members(documents, "DOCUMENT")
    return {document.name: document for document in found}


def providers_by_name() -> dict[str, Provider]:
    """Every provider, by its name in the spec."""
    found: list[Provider] = registry.members(providers, "PROVIDER")
    return {provider.name: provider for provider in found}


def checks_by_name() -> dict[str, Check]:
    """Every check, by its name."""
    found: list[Check] = registry.members(checks, "CHECK")
    return {check.name: check for check in found}
