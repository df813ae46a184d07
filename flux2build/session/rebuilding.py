"""Rebuilds the ledger from the evidence of lost orders on this machine and in a project."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import SystemFault
from flux2build.ledger import Delivered, Entry, Intended
from flux2build.ledger.journal import Journal
from flux2build.ledger.salvage import Salvage
from flux2build.lockfile import Generated
from flux2build.model import Recipe
from flux2build.planning.candidates import orders
from flux2build.planning.plan import Inputs
from flux2build.planning.snapshot import row_of
from flux2build.purchasing import evidence
from flux2build.purchasing.recovery import Proof, Witnesses, additions
from flux2build.purchasing.settling import Purchase, purchases
from flux2build.session.project import Project, buys
from flux2build.storage.store import Store


class Rebuilding(Struct, frozen=True):
    """The entries that the ledger lacks, and a way to write it."""

    journal: Journal
    saved: Salvage
    witnesses: Witnesses
    damaged: bool
    """Whether builds refuse the current ledger, or read less of it than can be saved."""

    @classmethod
    def of(cls, journal: Journal, store: Store, project: Project | None) -> Rebuilding:
        """Look at the ledger, the claims and the store of this machine, and at a project.

        Raises:
            SpecError: the spec is wrong.
            LockError: the lock cannot be used.
            SystemFault: a file cannot be read, or a newer flux2build wrote to the ledger.
        """
        saved = journal.salvage()
        if saved.newer:
            raise SystemFault(
                "the ledger has entries of a newer flux2build, which this one cannot rebuild",
                hint="recover with the newest flux2build",
            )
        misread = saved.data is None or tuple(journal.read()) != saved.entries
        damaged = misread or bool(journal.problems())
        emptied = not damaged and not saved.entries and evidence.emptied(journal, store)
        claims = tuple(journal.claims.read())
        if project is None:
            return cls(journal, saved, Witnesses(claims, emptied=emptied), damaged)
        receipts, orders = _receipts(project), _wanted(project)
        witnesses = Witnesses(claims, receipts, orders, str(project.folder), emptied)
        return cls(journal, saved, witnesses, damaged)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.damaged and not self._additions(self.saved.entries)

    @property
    def purchases(self) -> tuple[Purchase, ...]:
        """The orders that get new entries, with these entries."""
        added = self._additions(self.saved.entries)
        names = {entry.attempt for entry in added}
        everything = purchases([*self.saved.entries, *added])
        return tuple(each for each in everything if each.attempt.name in names)

    def carry_out(self) -> Path | None:
        """Write the ledger; return the path of the old one if it was damaged.

        Raises:
            SystemFault: it cannot be written; the old one is still there.
        """
        return self.journal.rebuild(self._additions)

    def _additions(self, entries: Sequence[Entry]) -> tuple[Intended | Delivered, ...]:
        # Without damage, only the last line can be incomplete, after a crash.
        complete = self.saved.complete or not self.damaged
        return additions(entries, self.witnesses, complete=complete)


def _receipts(project: Project) -> dict[Digest, Proof]:
    """The paid pictures in the lock, including candidates, by order."""
    blocks = project.lock.blocks.values()
    several = [Proof(block.asset, each) for block in blocks for each in block.candidates]
    shipped = [Proof(block.asset, block.generated) for block in blocks if block.generated]
    spelled = {
        name: each
        for each in shipped
        if isinstance(each.row, Generated) and each.row.receipt.paid
        for name in each.row.order.spellings
    }
    named = {each.row.key: each for each in (*several, *shipped) if each.row.receipt.paid}
    return spelled | named


def _wanted(project: Project) -> dict[Digest, tuple[Recipe, Decimal | None]]:
    """The paid orders of the spec whose inputs are known."""
    inputs, prices = Inputs(project.files()), dict[Digest, tuple[Recipe, Decimal | None]]()
    for recipe in project.graph.ordered:
        block = project.lock.block(recipe.asset, project.spec.profile)
        row = row_of(recipe, block) if block else None
        inputs.note(recipe, row.output.sha256 if row else None)
        for each in (recipe, *orders(recipe, inputs.of(recipe), block, 0)):
            if (order := inputs.order(each)) and buys(each):
                price = (project.quotes.price(each) or (None, None))[1]
                prices |= dict.fromkeys(order.spellings, (each, price))
    return prices
