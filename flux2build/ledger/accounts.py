"""The sums of all orders of a machine; only orders that are new since the last count are read."""

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

    def __init__(self, earlier: KeptTally | None, since: Tally) -> None:
        """`since` is added to the `earlier` tally; its numbers may be negative."""
        self._earlier, self._since = earlier, since

    @property
    def begun(self) -> int:
        """How many attempts there are whose beginnings are known."""
        return self._since.begun + (self._earlier.begun if self._earlier else 0)

    def spent(self, by: str, project: str | None = None) -> dict[str, Sum]:
        """The charges by `project` or one of `GROUPS`, of one project or of all.

        Only attempts whose beginnings are known count.
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
        early = list(self._earlier.paid) if self._earlier else []
        if removed := -self._since.paid:
            early = list((Counter(early) - removed).elements())
        return [*early, *self._since.paid.elements()]

    def _projects(self) -> Iterable[str]:
        early = self._earlier.projects if self._earlier else []
        return dict.fromkeys([*early, *(project for project, _ in self._since.sections)])

    def _section(self, project: str, by: str) -> Section:
        section = self._earlier.section(project, by) if self._earlier else {}
        added(section, self._since.sections.get((project, by), {}))
        return section


def accounts(journal: Journal) -> Accounts:
    """Return the sums of the orders in a journal.

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
    """The tally of an index's lines; it is counted if there is none, or one of fewer lines."""
    place = path.with_suffix(".sums")
    before = tally_file.load(place)
    if before is not None and (before.end, before.digest) == (index.end, index.digest):
        return before
    now = tally_file.kept(index.end, index.digest, _counted(path, index, before))
    tally_file.save(place, now)
    return now


def _counted(path: Path, index: LineIndex, before: KeptTally | None) -> Tally:
    """Count the lines of an index; an earlier tally of its first lines saves counting those."""
    data = _lines(path, index)
    if before is not None and hashlib.sha256(data[: before.end]).hexdigest() == before.digest:
        new = list(_entries(data[before.end :]))
        return before.whole().plus(_difference(path, index, new, within=True))
    return tally(fold(_entries(data.removeprefix(BYTE_ORDER_MARK))))


def _since(path: Path, index: LineIndex, tail: Iterable[Entry]) -> Tally:
    """The change by the entries after the lines of an index."""
    return _difference(path, index, list(tail), within=False)


def _difference(path: Path, index: LineIndex, new: list[Entry], *, within: bool) -> Tally:
    """The change by new entries, which are `within` the lines of an index or after them."""
    orders: dict[Digest, list[Entry]] = {}
    for entry in new:
        if not isinstance(entry, Foreign):
            orders.setdefault(entry.order, []).append(entry)
    early, all_ = list[Entry](), list[Entry]()
    for order, entries in orders.items():
        own = _about(index.entries(path, [order]), order)
        before = own[: len(own) - len(entries)] if within else own
        early += before
        all_ += [*before, *entries]
    return tally(fold(all_)).plus(tally(fold(early)), -1)


def _about(entries: Iterable[Entry], order: Digest) -> list[Entry]:
    return [each for each in entries if not isinstance(each, Foreign) and each.order == order]


def _lines(path: Path, index: LineIndex) -> bytes:
    """The lines of an index.

    Raises:
        MisledError: the ledger has changed.
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
