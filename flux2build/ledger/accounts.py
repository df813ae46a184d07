"""What all orders of a machine come to, of which only those are read that are new since it was counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from flux2build.digest import Digest
from flux2build.ledger import tally_file
from flux2build.ledger.charge import Sum
from flux2build.ledger.codec import entry_from_json
from flux2build.ledger.entries import Entry, Foreign
from flux2build.ledger.fold import fold
from flux2build.ledger.journal import Journal
from flux2build.ledger.line_index import LineIndex, MisledError
from flux2build.ledger.lines import BYTE_ORDER_MARK, decoded
from flux2build.ledger.tally import EVERYTHING, Section, Tally, added, sums, tally
from flux2build.ledger.tally_file import KeptTally
from flux2build.storage import durable, regular


class Accounts:
    """The sums of a ledger."""

    def __init__(self, kept: KeptTally | None, since: Tally) -> None:
        """`since` is what is to be added to a tally that was kept; it may take away from it, too."""
        self._kept, self._since = kept, since

    @property
    def begun(self) -> int:
        """How many attempts there are whose beginnings are known."""
        return self._since.begun + (self._kept.begun if self._kept else 0)

    def spent(self, by: str, project: str | None = None) -> dict[str, Sum]:
        """Charges added up by `project` or one of `GROUPS`, of one project or of all of them.

        Only attempts count whose beginnings are known.
        """
        groups: Section = {}
        for each in self._projects() if project is None else [project]:
            if by == "project":
                for counts in self._section(each, "month").values():
                    added(groups, {each: counts})
            else:
                added(groups, self._section(each, by))
        return sums(groups)

    def total(self, project: str | None = None) -> Decimal:
        """All charges of one project or of all, with what may still be charged."""
        groups: Section = {}
        for each in self._projects() if project is None else [project]:
            added(groups, self._section(each, EVERYTHING))
        return sum((each.spent + each.reserved for each in sums(groups).values()), Decimal(0))

    def paid(self) -> list[Digest]:
        """The newest picture of each order that was bought and not `resubmitted` since."""
        early = list(self._kept.paid) if self._kept else []
        if gone := -self._since.paid:
            early = list((Counter(early) - gone).elements())
        return [*early, *self._since.paid.elements()]

    def _projects(self) -> Iterable[str]:
        early = self._kept.projects if self._kept else []
        return dict.fromkeys([*early, *(project for project, _ in self._since.sections)])

    def _section(self, project: str, by: str) -> Section:
        section = self._kept.section(project, by) if self._kept else {}
        added(section, self._since.sections.get((project, by), {}))
        return section


def accounts(journal: Journal) -> Accounts:
    """Return what the orders of a journal come to.

    Raises:
        SystemFault: the journal cannot be read.
    """
    journal.ledger()
    index, tail = journal.position()
    if index is None:
        return Accounts(None, tally(fold(tail)))
    try:
        return Accounts(_kept(journal.path, index), _since(journal.path, index, tail))
    except MisledError:
        return Accounts(None, tally(fold(journal.read())))


def _kept(path: Path, index: LineIndex) -> KeptTally:
    """The tally of the lines of an index; it is made if it is not there, or tells of fewer lines."""
    place = path.with_suffix(".sums")
    before = tally_file.load(place)
    if before is not None and (before.end, before.digest) == (index.end, index.digest):
        return before
    now = tally_file.kept(index.end, index.digest, _counted(path, index, before))
    tally_file.save(place, now)
    return now


def _counted(path: Path, index: LineIndex, before: KeptTally | None) -> Tally:
    """Count the lines of an index, those that were not counted before, if they are the same lines."""
    data = _lines(path, index)
    if before is not None and hashlib.sha256(data[: before.end]).hexdigest() == before.digest:
        new = list(_entries(data[before.end :]))
        return before.whole().plus(_difference(path, index, new, within=True))
    return tally(fold(_entries(data.removeprefix(BYTE_ORDER_MARK))))


def _since(path: Path, index: LineIndex, tail: Iterable[Entry]) -> Tally:
    """What the entries behind the lines of an index change."""
    return _difference(path, index, list(tail), within=False)


def _difference(path: Path, index: LineIndex, new: list[Entry], *, within: bool) -> Tally:
    """What new entries change, which may be `within` the lines of an index, or behind them."""
    orders: dict[Digest, list[Entry]] = {}
    for entry in new:
        if not isinstance(entry, Foreign):
            orders.setdefault(entry.order, []).append(entry)
    early, all_ = list[Entry](), list[Entry]()
    for order, entries in orders.items():
        known = _about(index.entries(path, [order]), order)
        before = known[: len(known) - len(entries)] if within else known
        early += before
        all_ += [*before, *entries]
    return tally(fold(all_)).plus(tally(fold(early)), -1)


def _about(entries: Iterable[Entry], order: Digest) -> list[Entry]:
    return [each for each in entries if not isinstance(each, Foreign) and each.order == order]


def _lines(path: Path, index: LineIndex) -> bytes:
    """The lines of an index.

    Raises:
        MisledError: the ledger has other lines by now.
        SystemFault: it cannot be read.
    """
    try:
        with regular.opened(path) as file:
            data = file.read(index.end)
    except OSError as error:
        raise durable.fault("read", path, error) from error
    if hashlib.sha256(data).hexdigest() != index.digest:
        raise MisledError
    return data


def _entries(data: bytes) -> Iterator[Entry]:
    """The entries of sound lines."""
    for line in data.split(b"\n"):
        if text := decoded(line):
            yield entry_from_json(text)
