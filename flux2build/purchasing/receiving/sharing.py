"""Shares filed pictures with the team's store, like the machine that ordered them."""

from __future__ import annotations

from msgspec import Struct

from flux2build.images.formats.lookup import examine
from flux2build.ledger import Delivered
from flux2build.purchasing.teamwork import Teamwork
from flux2build.purchasing.webhooks import Called
from flux2build.sharing.records import SharedReceipt


def unshared(delivered: Delivered, called: Called | None) -> None:
    """Share nothing: there is no team, or this machine only reads its store."""
    del delivered, called


class TeamShare(Struct, frozen=True):
    """Shares bytes and receipts, and gives claims back; it blocks."""

    team: Teamwork

    def __call__(self, delivered: Delivered, called: Called | None) -> None:
        """Share a picture of an order that this machine has placed, or whose callback came here.

        Raises:
            SystemFault: the store cannot be reached.
        """
        if self.team.held.get(delivered.order):
            self.team.settle(delivered.order)
        elif called is not None:
            self._share(delivered, called)

    def _share(self, delivered: Delivered, called: Called) -> None:
        store, intended = self.team.store, called.intended
        data = self.team.pictures.get(delivered.output)
        store.put(data)
        header = examine(data)
        store.put_receipt(
            SharedReceipt(
                order=intended.order,
                payload=intended.payload,
                model=intended.model,
                params=called.params,
                inputs=called.inputs,
                take=called.take,
                output=delivered.output,
                bytes=len(data),
                width=header.width,
                height=header.height,
                format=header.format,
                receipt=delivered.receipt,
            )
        )
        store.release(intended.order, intended.attempt)
