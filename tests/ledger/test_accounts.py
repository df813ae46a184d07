"""What orders come to is the same, whether it was counted before or all lines are read."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build import ledger
from flux2build.digest import of_bytes
from flux2build.ledger import Entry, fold, line_index
from flux2build.ledger.accounts import Accounts, accounts
from flux2build.ledger.journal import Journal
from flux2build.ledger.lines import decoded, encoded
from flux2build.ledger.tally import GROUPS
from tests.journals import delivered, intended, kept, ticketed, voided

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
PROJECTS: Final = ("", "/one", "/two")
NAMES: Final = ("fox", "cat", "dog", "owl", "elk", "hen")


def life(name: str) -> list[Entry]:
    """All that may happen to an order, most of which contradicts itself."""
    number = NAMES.index(name)
    sent = intended(
        name,
        asset=f"animal[{name}]",
        project=PROJECTS[number % 3],
        month=f"2026-{9 + number % 2}",
        reserve=("0.03", "0.030", "0.1")[number % 3],
    )
    again = replace(sent, attempt=f"{name} again", reserve=Decimal("0.05"))
    return [
        sent,
        ticketed(sent, "0.0450" if number % 2 else None),
        delivered(sent),
        kept(sent, of_bytes(name.encode())),
        voided(sent, charged=False),
        replace(voided(sent, charged=True), refusal=ledger.LOST),
        replace(voided(sent, charged=True), refusal=ledger.RESUBMITTED),
        again,
        delivered(again),
    ]


ENTRIES: Final = [entry for name in NAMES for entry in life(name)]


def counted(path: Path) -> Accounts:
    """The accounts, of which everything is kept that can be."""
    return accounts(Journal(path, unindexed=1))


def told(of: Accounts) -> object:
    """All that accounts tell, to the last digit."""
    groups = [of.spent(by, each) for by in (*GROUPS, "project") for each in (None, *PROJECTS)]
    totals = [str(of.total(each)) for each in (None, *PROJECTS)]
    return [repr(group) for group in groups], totals, of.begun, Counter(of.paid())


def plain(path: Path) -> object:
    """The same, added up from all lines."""
    whole = fold(Journal(path).read())
    begun = [each for each in whole.attempts if each.intended]

    def spent(by: str, own: str | None) -> str:
        some = ledger.Ledger([each for each in begun if own in {None, ledger.project(each)}])
        return repr(ledger.spent(some, {**GROUPS, "project": ledger.project}[by]))

    def total(own: str | None) -> str:
        charges = [c for c in ledger.charges(whole) if own in {None, ledger.project(c.attempt)}]
        return str(sum((each.usd for each in charges), Decimal(0)))

    groups = [spent(by, each) for by in (*GROUPS, "project") for each in (None, *PROJECTS)]
    paid = Counter(each.output for each in whole.paid.values())
    return groups, [total(each) for each in (None, *PROJECTS)], len(begun), paid


def trusting(path: Path) -> None:
    """Let the index believe in the ledger as it is now, as if both were old."""
    index = line_index.load(path.with_suffix(".index"))
    if index is not None and path.exists():
        status = path.stat()
        seen = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        replace(index, signature=seen).save(path.with_suffix(".index"))


def trusted(path: Path) -> None:
    """Count, and let some time pass."""
    counted(path)
    trusting(path)


Step = Callable[[Path], object]


def appending(number: int) -> Step:
    """Append an entry, as any process does."""
    return lambda path: Journal(path).append(ENTRIES[number])


def cut(path: Path) -> None:
    """Take some bytes of the end away."""
    path.write_bytes(path.read_bytes()[:-20])


def rewritten(path: Path) -> None:
    """Take out the first line."""
    path.write_bytes(path.read_bytes().partition(b"\n")[2])


def salvaged(path: Path) -> None:
    """Damage a line, and write what can be saved of the rest."""
    data = path.read_bytes()
    path.write_bytes(data[:40].upper() + data[40:])
    Journal(path).rebuild(lambda _entries: [])


def repriced(path: Path) -> None:
    """Let every line have other prices, in as many bytes."""
    texts = map(decoded, path.read_bytes().splitlines())
    lines = [text.replace('"0.03', '"0.07').encode() for text in texts if text]
    path.write_bytes(b"".join(b"%08x %s\n" % (zlib.crc32(line), line) for line in lines))


def restored(path: Path) -> None:
    """Bring an older copy back."""
    if (copy := path.with_name("copy")).exists():
        path.write_bytes(copy.read_bytes())


def foreign(path: Path) -> None:
    """Bring in what was counted in another ledger."""
    other = path.with_name("other.jsonl")
    Journal(other).append(ENTRIES[0])
    counted(other)
    if (sums := other.with_suffix(".sums")).exists():
        path.with_suffix(".sums").write_bytes(sums.read_bytes())


def older(path: Path) -> None:
    """Look, and bring back what was counted before."""
    sums = path.with_suffix(".sums")
    before = sums.read_bytes() if sums.exists() else b""
    counted(path)
    sums.write_bytes(before)


def damaged(path: Path) -> None:
    """Change a byte of what was counted."""
    sums = path.with_suffix(".sums")
    data = bytearray((sums.read_bytes() if sums.exists() else b"") or b"nothing")
    data[len(data) // 2] ^= 1
    sums.write_bytes(data)


OTHERS: Final[dict[str, Step]] = {
    "count": counted,
    "count, index apart": lambda path: Journal(path, unindexed=1).ledger(),
    "trust": trusted,
    "cut": cut,
    "rewrite": rewritten,
    "salvage": salvaged,
    "copy": lambda path: path.with_name("copy").write_bytes(path.read_bytes()),
    "reprice": repriced,
    "restore": restored,
    "foreign": foreign,
    "older": older,
    "damage": damaged,
    "shorten": lambda path: path.with_suffix(".sums").write_bytes(b"\0" * 20),
}
STEPS: Final = st.one_of(st.integers(0, len(ENTRIES) - 1).map(str), st.sampled_from([*OTHERS]))


@settings(max_examples=400 if DEEP else 40, deadline=None)
@given(st.lists(STEPS, max_size=16))
@example(["0", "1", "trust", "2", "count", "6", "count"])
@example(["0", "2", "count", "9", "count, index apart", "12", "count, index apart", "6"])
@example(["0", "9", "count", "rewrite", "foreign", "18"])
@example(["0", "count", "count", "reprice", "count"])
def test_what_was_counted_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """Appended to, cut, rewritten, salvaged, restored, and whatever becomes of what was counted."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    path.touch()
    for step in steps:
        (OTHERS[step] if step in OTHERS else appending(int(step)))(path)

    assert told(counted(path)) == plain(path)
    assert told(counted(path)) == plain(path)


def test_lines_that_were_counted_are_not_read(tmp_path: Path) -> None:
    """Whatever stands in them, as long as nobody can have changed it; what follows them is read."""
    path = tmp_path / "ledger.jsonl"
    journal = Journal(path)
    for entry in life("fox")[:3]:
        journal.append(entry)
    counted(path)
    counted(path)
    first, rest = path.read_bytes().split(b"\n", 1)
    unread = first.upper() + b"\n" + rest
    for more, begun in ((b"", 1), (encoded(life("cat")[0]), 2)):
        path.write_bytes(unread + more)
        trusting(path)
        assert counted(path).begun == begun
