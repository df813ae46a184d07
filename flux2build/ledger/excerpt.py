"""A ledger that reads only what is needed: the open orders, and then one order at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, overload

from flux2build.digest import Digest
from flux2build.ledger.entries import Delivered, Entry, Foreign
from flux2build.ledger.fold import Attempt, Ledger, fold
from flux2build.ledger.line_index import LineIndex, MisledError

T = TypeVar("T")


class Excerpt:
    """The ledger from an index and the lines after it, at one moment."""

    def __init__(
        self,
        index: LineIndex,
        read: Callable[[Sequence[Digest]], list[Entry]],
        tail: Sequence[Entry],
        whole: Callable[[], Ledger],
    ) -> None:
        self._index, self._read, self._tail = index, read, tuple(tail)
        self._by_order: dict[Digest, list[Entry]] = {}
        for entry in tail:
            if not isinstance(entry, Foreign):
                self._by_order.setdefault(entry.order, []).append(entry)
        self._outputs = {entry.output for entry in tail if isinstance(entry, Delivered)}
        self._read_whole = whole
        self._whole: Ledger | None = None
        self._ledgers: dict[Digest, Ledger] = {}

    def ledger(self) -> Ledger:
        """The ledger; open orders are read now, and the others when they are needed."""
        opened = self._fold([*self._index.open, *self._by_order], self._tail)
        return Ledger(
            attempts=_Attempts(self),
            delivered=_ByOrder(self, lambda ledger: ledger.delivered),
            outputs=_Outputs(self),
            paid=_ByOrder(self, lambda ledger: ledger.paid),
            resubmitted=_Resubmitted(self),
            pending=opened.pending,
            kept=opened.kept,
            lost=opened.lost,
            doubts=opened.doubts,
            unsettled=opened.unsettled,
            refusals=_ByOrder(self, lambda ledger: ledger.refusals),
            open=opened.open,
            foreign=opened.foreign,
        )

    def about(self, order: Digest) -> Ledger:
        """The ledger of one order."""
        if self._whole is not None:
            return self._whole
        if order not in self._ledgers:
            self._ledgers[order] = self._fold([order], self._by_order.get(order, []))
        return self._ledgers[order]

    def delivered(self, picture: Digest) -> bool:
        """Whether a picture was delivered for any order."""
        if picture in self._outputs:
            return True
        if (early := self._early([picture])) is None:
            return picture in self.whole().outputs
        return any(isinstance(end, Delivered) and end.output == picture for end in early)

    def whole(self) -> Ledger:
        """The ledger, read from its beginning to its end."""
        if self._whole is None:
            self._whole = self._read_whole()
        return self._whole

    def _fold(self, orders: Sequence[Digest], tail: Sequence[Entry]) -> Ledger:
        early = self._early(orders)
        return self.whole() if early is None else fold([*early, *tail])

    def _early(self, digests: Sequence[Digest]) -> list[Entry] | None:
        """The entries that the index leads to; None if it misleads."""
        try:
            return self._read(digests)
        except MisledError:
            return None


class _ByOrder(Mapping[Digest, T]):
    """One map of a ledger; iterating over it reads the whole ledger."""

    def __init__(self, excerpt: Excerpt, of: Callable[[Ledger], Mapping[Digest, T]]) -> None:
        self._excerpt, self._of = excerpt, of

    def __getitem__(self, order: Digest) -> T:
        return self._of(self._excerpt.about(order))[order]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._of(self._excerpt.whole()))

    def __len__(self) -> int:
        return len(self._of(self._excerpt.whole()))


class _Attempts(Sequence[Attempt]):
    """All attempts of a ledger; looking at them reads it whole."""

    def __init__(self, excerpt: Excerpt) -> None:
        self._excerpt = excerpt

    @overload
    def __getitem__(self, at: int) -> Attempt: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Attempt]: ...
    def __getitem__(self, at: int | slice) -> Attempt | Sequence[Attempt]:
        return self._excerpt.whole().attempts[at]

    def __len__(self) -> int:
        return len(self._excerpt.whole().attempts)


class _Outputs:
    """The pictures of all deliveries."""

    def __init__(self, excerpt: Excerpt) -> None:
        self._excerpt = excerpt

    def __contains__(self, picture: object) -> bool:
        return isinstance(picture, str) and self._excerpt.delivered(Digest(picture))


class _Resubmitted:
    """The orders that may be bought again, each with its task."""

    def __init__(self, excerpt: Excerpt) -> None:
        self._excerpt = excerpt

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple):
            return False
        return pair in self._excerpt.about(Digest(pair[0])).resubmitted
