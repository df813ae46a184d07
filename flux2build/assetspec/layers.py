"""Precedence: defaults, styles in order, asset, profile, the asset's own profile table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flux2build.assetspec.tables import Settings
from flux2build.model import Key

DEFAULT_PROVIDER: Final = "sketch"


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings, and where in the spec they stand."""

    key: Key
    settings: Settings


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """What all layers together say: each setting with the key that decided it."""

    asset: Key
    values: Mapping[str, tuple[Any, Key]]

    def get(self, name: str) -> Any:
        """A setting, or None."""
        return self.values[name][0] if name in self.values else None

    def key(self, name: str) -> Key:
        """Where a setting was decided; the asset, when nobody said anything."""
        return self.values[name][1] if name in self.values else self.asset


def merge(asset: Key, variables: Mapping[str, Any], layers: Iterable[Layer]) -> MergedSettings:
    """The layers laid over each other: what a later one says replaces, `vars` merge by name."""
    values: dict[str, tuple[Any, Key]] = {"vars": (dict(variables), ("vars",))}
    for layer in layers:
        said = _said(layer.settings)
        for gone in _displaced(said):
            values.pop(gone, None)
        for name, value in said.items():
            merged = {**values["vars"][0], **value} if name == "vars" else value
            values[name] = (merged, (*layer.key, name))
    return MergedSettings(asset, values)


def _said(settings: Settings) -> dict[str, Any]:
    named = (name for name in Settings.model_fields if name in settings.model_fields_set)
    return {name: getattr(settings, name) for name in named}


def _displaced(said: Mapping[str, Any]) -> list[str]:
    """What lower layers said and this one makes void."""
    gone = []
    if "provider" in said:
        gone.append("model")
    if "prompt" in said or "template" in said:
        gone += ["prompt", "template"]
    return gone
