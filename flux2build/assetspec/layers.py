"""Precedence: defaults, styles in order, asset, profile, the asset's own profile table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flux2build.assetspec.tables import Settings
from flux2build.model import Key

DEFAULT_PROVIDER: Final = "sketch"


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings, and where in the spec they stand."""

    key: Key
    settings: Settings
    profile: bool = False
    """Whether it belongs to a profile, which says where pictures come from."""


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """The settings of all layers together, each with the key of the layer that decided it."""

    asset: Key
    values: Mapping[str, tuple[Any, Key]]
    ranks: Mapping[str, int] = field(default_factory=dict)
    """How late the layer of each setting comes."""
    brought: bool = False
    """Whether a profile names a provider for a model that was named without it."""

    def get(self, name: str) -> Any:
        """A setting, or None."""
        return self.values[name][0] if name in self.values else None

    def key(self, name: str) -> Key:
        """Where a setting was decided; the asset's key if no layer has it."""
        return self.values[name][1] if name in self.values else self.asset


def merge(asset: Key, variables: Mapping[str, Any], layers: Iterable[Layer]) -> MergedSettings:
    """Merges layers: a later setting replaces an earlier one, but `vars` merge by name."""
    values: dict[str, tuple[Any, Key]] = {"vars": (variables, ("vars",))}
    ranks: dict[str, int] = {}
    brought = False
    for rank, layer in enumerate(layers):
        written = layer.settings.model_fields_set
        gone = {_DISPLACED[name] for name in written if name in _DISPLACED}
        if layer.profile:
            gone.discard("model")
        if written & {"provider", "model"}:
            brought = layer.profile and "model" not in written
        values = {name: value for name, value in values.items() if name not in gone}
        ranks |= dict.fromkeys(written, rank)
        for name in Settings.model_fields:
            if name in written:
                value = getattr(layer.settings, name)
                merged = {**values["vars"][0], **value} if name == "vars" else value
                values[name] = (merged, (*layer.key, name))
    return MergedSettings(asset, values, ranks, brought)


_DISPLACED: Final = {"provider": "model", "prompt": "template", "template": "prompt"}
"""The setting of earlier layers that a setting voids; a profile's provider voids no model."""
