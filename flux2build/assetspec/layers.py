"""Precedence: defaults, styles in order, asset, profile, the asset's own profile table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.tables import Settings
from flux2build.model import Key

DEFAULT_PROVIDER: Final = "sketch"


class Layer(Struct, frozen=True):
    """Settings, and where in the spec they stand."""

    key: Key
    settings: Settings


class MergedSettings(Struct, frozen=True):
    """The merged settings of all layers, each with the key of the layer that decided it."""

    asset: Key
    values: Mapping[str, tuple[Any, Key]]
    layers: tuple[Key, ...] = ()
    """The layers, from the weakest to the strongest."""
    variables: Mapping[str, Key] = field(default_factory=dict)
    """The key that decided each variable of the asset's layers; other variables are the spec's."""
    consumed: set[Key] = field(default_factory=set)
    """The keys that have had an effect: reading a setting consumes its key."""

    def get(self, name: str) -> Any:
        """A setting, which counts as used, or None."""
        if name not in self.values:
            return None
        value, key = self.values[name]
        self.consumed.add(key)
        return value

    def only(self, names: Iterable[str]) -> MergedSettings:
        """These settings without all others, in the order of the names."""
        values = {name: self.values[name] for name in names if name in self.values}
        return replace(self, values=values)

    def consume(self) -> None:
        """Count all keys as consumed, if only another machine can tell."""
        self.consumed.update(key for _, key in self.values.values())
        for index, entry in enumerate(self.peek("deliver") or ()):
            key = (*self.key("deliver"), index)
            self.consumed.update((*key, name) for name in entry.model_fields_set)

    def peek(self, name: str) -> Any:
        """A setting, which does not count as used, or None."""
        return self.values[name][0] if name in self.values else None

    def key(self, name: str) -> Key:
        """The key that decided a setting; the asset's key if no layer has it."""
        return self.values[name][1] if name in self.values else self.asset

    def variable_keys(self, names: Iterable[str]) -> Iterator[Key]:
        """The keys that decided variables, of some names that may be variables."""
        variables = self.peek("vars")
        for name in names:
            if name in variables:
                yield self.variables.get(name, ("vars", name))

    @property
    def prompt_key(self) -> Key:
        """The key that decided the prompt, or the template that makes it."""
        return self.key("prompt" if self.peek("prompt") is not None else "template")

    def profiled(self) -> set[str]:
        """The settings that a profile, or the asset's own table for one, decided."""
        places = ((name, key) for name, (_, key) in self.values.items())
        return {name for name, key in places if "profile" in {key[0], *key[2:3]}}

    def profiled_variables(self) -> set[str]:
        """The variables that a profile, or the asset's own table for one, decided."""
        decided = self.variables.items()
        return {name for name, key in decided if "profile" in {key[0], *key[2:3]}}

    def rank(self, name: str) -> int:
        """The rank of the layer that decided a setting; -1 if no layer has it."""
        return self.layers.index(self.key(name)[:-1]) if name in self.values else -1


def merge(
    asset: Key,
    variables: Mapping[str, Any],
    layers: Iterable[Layer],
    consumed: set[Key] | None = None,
) -> MergedSettings:
    """Merges layers: a later setting replaces an earlier one, but `vars` merge by name."""
    values: dict[str, tuple[Any, Key]] = {"vars": (variables, ("vars",))}
    decided: dict[str, Key] = {}
    keys: list[Key] = []
    for layer in layers:
        keys.append(layer.key)
        written = layer.settings.model_fields_set
        for name in DISPLACED.keys() & written:
            values.pop(DISPLACED[name], None)
        for name in sorted(_PLACES.keys() & written, key=_PLACES.__getitem__):
            value = getattr(layer.settings, name)
            if name == "vars":
                decided |= {word: (*layer.key, name, word) for word in value or ()}
                value = {**values["vars"][0], **(value or {})}
            values[name] = (value, (*layer.key, name))
    consumed = set() if consumed is None else consumed
    return MergedSettings(asset, values, tuple(keys), decided, consumed)


DISPLACED: Final = {
    "prompt": "template",
    "template": "prompt",
    "candidates": "seeds",
    "seeds": "candidates",
}
"""The setting of earlier layers that a setting voids."""
_PLACES: Final = {name: place for place, name in enumerate(Settings.model_fields)}
"""The settings, in their order."""
