"""Every effect that a build can have, as the runner asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError
from flux2build.images.documents.contract import Fact
from flux2build.lockfile import Lockfile
from flux2build.model import Bought, Order, Output, Recipe, Write


class World(Protocol):
    """Every effect that a build can have."""

    @property
    def lanes(self) -> int:
        """The number of assets whose files can be derived at once."""

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Render an order, or collect it if it was submitted before.

        Raises:
            Flux2BuildError: the order was refused, failed, is over budget or in doubt.
        """

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is pending, kept aside or in doubt, or was bought in this build."""

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files whose first input is the same; one answer for each recipe."""

    async def write(self, task: Write, facts: Sequence[Fact]) -> bytes:
        """Compose the document that states these facts.

        Raises:
            Flux2BuildError: its options or the facts do not allow it.
        """

    async def fetch(self, digest: Digest) -> bytes:
        """Return bytes from the store or the work tree."""

    async def place(self, path: str, data: bytes | Digest, vacated: str | None) -> Output:
        """Write a file durably, and remove the file at the output's earlier path, if any.

        A digest stands for bytes from the store or the work tree.
        """

    def lock(self, lock: Lockfile) -> bytes:
        """Write the lock durably, and return its text."""
