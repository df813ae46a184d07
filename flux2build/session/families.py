"""The five open families by the names of their members, and the catalogue of what a spec may ask for."""

from __future__ import annotations

from flux2build.assetspec.capabilities import Catalog, Form, Paper
from flux2build.checks.contract import CHECKS, Check
from flux2build.images.documents.contract import DOCUMENTS, Document
from flux2build.images.ops.contract import OPS, Op
from flux2build.providers.cards import load as load_cards
from flux2build.providers.cards import shipped_text
from flux2build.providers.contract import PROVIDERS, Provider


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
    return {op.name: op for op in OPS.members()}


def documents_by_name() -> dict[str, Document]:
    """Every document, by its name in the spec."""
    return {document.name: document for document in DOCUMENTS.members()}


def providers_by_name() -> dict[str, Provider]:
    """Every provider, by its name in the spec."""
    return {provider.name: provider for provider in PROVIDERS.members()}


def checks_by_name() -> dict[str, Check]:
    """Every check, by its name."""
    return {check.name: check for check in CHECKS.members()}
