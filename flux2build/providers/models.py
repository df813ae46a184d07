"""The models of all providers, with the user's own cards merged over the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from flux2build.providers.capabilities import Card
from flux2build.providers.cards import Cards, merged
from flux2build.providers.contract import PROVIDERS


@dataclass(frozen=True)
class Models(Mapping[str, Mapping[str, Card]]):
    """Cards by provider and model; a provider is imported when its cards are asked for."""

    own: str = ""
    """TOML of the user's own cards."""
    file: str = "cards.toml"
    """The file that holds it, for messages."""

    @cached_property
    def _merged(self) -> Cards:
        return merged(self.own, self.file) if self.own else {}

    def __getitem__(self, provider: str) -> Mapping[str, Card]:
        """The cards of one provider.

        Raises:
            KeyError: there is no such provider.
            UsageError: the user's own cards cannot be read.
        """
        own = PROVIDERS[provider].cards
        return self._merged.get(provider, own)

    def __contains__(self, provider: object) -> bool:
        """Whether there is such a provider, without importing it."""
        return provider in PROVIDERS

    def __iter__(self) -> Iterator[str]:
        """The names of the providers, sorted."""
        return iter(PROVIDERS)

    def __len__(self) -> int:
        """How many providers there are."""
        return len(PROVIDERS)
