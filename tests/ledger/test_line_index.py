"""With an index or without one, the ledger is the same, whatever became of either file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import of_bytes
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.ledger import LOST, RESUBMITTED, Delivered, Entry, Ledger, fold, line_index
from flux2build.ledger.excerpt import Excerpt
from flux2build.ledger.journal import Journal
from flux2build.ledger.line_index import LineIndex, News, margin, signature
from flux2build.ledger.lines import BYTE_ORDER_MARK
from flux2build.storage import continuation
from flux2build.storage.continuation import attributes
from tests.journals import delivered, intended, kept, ticketed, voided
from tests.laws.test_ledger_damage import DEEP, damaged

NAMES: Final = ("bee", "fox", "owl")
ORDERS: Final = tuple(of_bytes(name.encode()) for name in (*NAMES, "gnu", "cat"))
PICTURE: Final = of_bytes(b"picture")


def lives(name: str) -> list[Entry]:
    """Everything that can be said of an attempt."""
    sent = intended(name)
    lost = replace(voided(sent, charged=True), refusal=LOST)
    given_up = replace(voided(sent, charged=False), refusal=RESUBMITTED)
    return [
        sent,
        ticketed(sent),
        delivered(sent),
        kept(sent, PICTURE),
        voided(sent, charged=False),
        lost,
        given_up,
        replace(delivered(sent), attempt=f"{name}-again"),
        replace(sent, attempt=f"{name}-again"),
    ]


ENTRIES: Final = [entry for name in NAMES for entry in lives(name)]


def unsettled() -> list[Entry]:
    """An attempt that is pending, one whose picture is kept aside, and two that are lost."""
    waits, aside, loss, gone = map(intended, ("cat", "dog", "eel", "gnu"))
    lost = replace(voided(loss, charged=True), refusal=LOST)
    given_up = replace(voided(gone, charged=True), refusal=RESUBMITTED)
    early: list[Entry] = [waits, aside, loss, gone]
    return [*early, ticketed(waits), kept(aside, PICTURE), lost, delivered(gone), given_up]


def indexed(path: Path) -> Journal:
    """A journal that writes its index as soon as it can."""
    return Journal(path, unindexed=1)


def told(journal: Journal) -> object:
    """Everything that a journal tells of some orders, or what keeps it from telling."""
    try:
        ledger = journal.ledger()
        maps = (ledger.delivered, ledger.paid, ledger.refusals)
        opened = (ledger.pending, ledger.kept, ledger.lost, ledger.doubts, ledger.unsettled)
        tasks = {delivered(intended(name)).receipt.task for name in NAMES}
        return (
            [[each.get(order) for order in ORDERS] for each in maps],
            [list(each.items()) for each in opened],
            [PICTURE in ledger.outputs, ORDERS[0] in ledger.outputs],
            [each in ledger.resubmitted for each in (*ORDERS, *product(ORDERS, tasks))],
            ledger.open,
            ledger.foreign,
            journal.problems(),
            [journal.about(order) for order in ORDERS],
            [journal.unrecorded(order) for order in ORDERS],
            journal.emptied(),
            [list(map(dict, (each,))) for each in maps],
            list(ledger.attempts),
        )
    except Flux2BuildError as error:
        return error.problems


def plain(path: Path) -> object:
    """The same from the lines alone."""
    path.with_suffix(".index").unlink(missing_ok=True)
    path.with_suffix(".seen").unlink(missing_ok=True)
    return told(Journal(path))


def trusting(path: Path) -> None:
    """Let the index believe in the ledger as it is now, as if both were old."""
    index = line_index.load(path.with_suffix(".index"))
    if index is not None:
        status = path.stat()
        seen = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        replace(index, signature=seen).save(path.with_suffix(".index"))
        continuation.note(str(path), attributes(status), "", index.digest)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger in which something of each kind happened, with an index of all but three lines."""
    path = tmp_path / "ledger.jsonl"
    journal = Journal(path)
    for entry in (*unsettled(), *ENTRIES[:-3]):
        journal.append(entry)
    indexed(path).ledger()
    trusting(path)
    for entry in ENTRIES[-3:]:
        journal.append(entry)
    return path


def test_whatever_happened_to_the_ledger_an_index_changes_nothing(path: Path) -> None:
    """Each class of damage: what is told with the index is what the lines alone tell."""
    whole, index = path.read_bytes(), path.with_suffix(".index").read_bytes()
    cells = dict(damaged(path))
    for name, damage in list(cells.items())[:: 1 if DEEP else 7]:
        if name in {"missing", "unreadable"} or "folder" in name or "link" in name:
            continue
        path.write_bytes(whole)
        path.with_suffix(".index").write_bytes(index)
        damage(path)

        assert told(indexed(path)) == plain(path), name
    assert len(cells) > 180


@pytest.mark.parametrize("odd", ["missing", "a folder", "a link to nothing", "a link to itself"])
def test_an_index_beside_no_ledger_tells_nothing(path: Path, odd: str) -> None:
    """Where something other than a ledger lies, it is the same error as without an index."""
    dict(damaged(path))[odd](path)

    assert told(indexed(path)) == plain(path)


def test_a_damaged_index_is_left_aside(path: Path) -> None:
    """Cut off, or with any byte changed, it says nothing."""
    index = path.with_suffix(".index")
    whole, wanted = index.read_bytes(), plain(path)
    for at in range(0, len(whole), 1 if DEEP else 29):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            index.write_bytes(data)
            assert line_index.load(index) is None
    assert told(indexed(path)) == wanted


def test_an_index_that_misleads_is_found_out(path: Path) -> None:
    """One that a trusted signature belongs to, and that leads to other lines, is read around."""
    index = line_index.load(path.with_suffix(".index"))
    assert index is not None
    rows = [index.rows[at : at + 40] for at in range(0, len(index.rows), 40)]
    swapped = [one[:32] + other[32:] for one, other in zip(rows, reversed(rows), strict=True)]
    replace(index, rows=b"".join(swapped)).save(path.with_suffix(".index"))
    trusting(path)

    assert told(indexed(path)) == plain(path)


def test_a_trusted_ledger_is_not_read(path: Path) -> None:
    """Where size, times and inode are those of old, the index alone tells of its lines.

    Where they are not, and the lines are the same, it gets the new ones.
    """
    whole = path.read_bytes()
    trusting(path)
    index = line_index.load(path.with_suffix(".index"))
    assert index is not None
    replace(index, digest="0" * 64).save(path.with_suffix(".index"))

    assert told(Journal(path, unindexed=999)) == told(Journal(path, unindexed=999))
    with path.open("rb") as file:
        assert replace(index, digest="0" * 64).compared(file) is not None
        renewed = replace(index, signature=(1, 1, 1, 1)).compared(file)
        assert renewed is not None
        assert renewed.signature in {(0, 0, 0, 0), index.signature}
        path.write_bytes(whole + b"\n")
        assert replace(index, digest="0" * 64).compared(file) is None
        assert index.compared(file) is not None


@pytest.mark.parametrize(("seconds", "trusted"), [(0.01, False), (0.05, False), (60, True)])
def test_a_ledger_that_changed_just_before_is_hashed_again(
    path: Path,
    seconds: float,
    trusted: bool,  # noqa: FBT001 - parametrized
) -> None:
    """Its times could not show another change within the same tick of the disk's clock."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        now = status.st_ctime_ns + round(seconds * 1e9)

        assert any(signature(file, status, now)) is trusted


@pytest.mark.parametrize(
    ("changed", "nanoseconds"),
    [(7_000_000_000, 2_100_000_000), (7_010_000_000, 2_100_000_000), (7_012_345_678, 50_000_000)],
)
def test_times_without_fractions_are_trusted_later(changed: int, nanoseconds: int) -> None:
    """A disk that counts seconds, or every second one, shows a later change no sooner."""
    assert margin(changed) == nanoseconds


def test_the_deliveries_of_a_picture_are_found_by_it(path: Path) -> None:
    """The index leads to them, so the ledger need not be read for it."""
    index, picture = line_index.load(path.with_suffix(".index")), of_bytes(b"picture")
    wanted = [each for each in Journal(path).read() if isinstance(each, Delivered)]

    assert index is not None
    assert index.entries(path, [picture]) == wanted[: len(wanted) - 1]


def test_what_is_appended_meanwhile_is_left_to_the_next_index(path: Path) -> None:
    """An index tells of the lines that were read, although the ledger has more of them by now."""
    index, read = line_index.load(path.with_suffix(".index")), path.read_bytes()
    assert index is not None
    news = News(index.lines + 3, len(read), 1, sha256(read[index.end :]), [], ())
    path.write_bytes(read + b"\n")

    with path.open("rb") as file:
        longer = line_index.extended(index, file, news)

    assert longer is not None
    assert (longer.lines, longer.end) == (index.lines + 3, len(read))
    assert longer.digest == sha256(read).hexdigest()
    path.write_bytes(read)
    with path.open("rb") as file:
        assert longer.compared(file) is not None


@pytest.mark.parametrize("mark", [b"", BYTE_ORDER_MARK])
def test_only_what_is_asked_for_is_read(path: Path, mark: bytes) -> None:
    """Orders and pictures are looked up, known or not; the ledger is never read as a whole."""
    path.write_bytes(mark + path.read_bytes())
    indexed(path).ledger()
    index = line_index.load(path.with_suffix(".index"))
    assert index is not None

    def whole() -> Ledger:
        pytest.fail("it was read as a whole")

    ledger = Excerpt(index, partial(index.entries, path), [], whole).ledger()

    assert ledger.pending.keys() == {of_bytes(b"cat")}
    assert [order in ledger.delivered for order in ORDERS] == [True, True, True, True, False]
    assert [each in ledger.outputs for each in (of_bytes(b"picture"), ORDERS[0])] == [True, False]


def test_a_ledger_that_is_taken_away_meanwhile_is_named(path: Path) -> None:
    """What was not looked up in time cannot be told; it does not seem to be missing."""
    ledger = indexed(path).ledger()
    path.unlink()

    with pytest.raises(SystemFault, match=rf"^cannot read `{path}`: "):
        ledger.delivered.get(ORDERS[0])


Step = Callable[[Path], None]


def appending(number: int) -> Step:
    """Append an entry, by a journal with an index; a damaged one takes no orders."""

    def append(path: Path) -> None:
        with suppress(SystemFault):
            indexed(path).append(ENTRIES[number])

    return append


def restoring(path: Path) -> None:
    """Bring an older copy back."""
    copy = path.with_name("copy")
    if copy.exists():
        path.write_bytes(copy.read_bytes())


def copying(path: Path) -> None:
    """Make a copy for later."""
    path.with_name("copy").write_bytes(path.read_bytes())


def looking(path: Path) -> None:
    """Write the index."""
    indexed(path).ledger()


def looking_with_trust(path: Path) -> None:
    """Write the index, and let some time pass."""
    looking(path)
    trusting(path)


def editing(share: float) -> Step:
    """Change a letter somewhere, by an editor that keeps nobody out."""
    return lambda path: overwrite(path, round(share * path.stat().st_size))


def overwrite(path: Path, at: int) -> None:
    """Change one byte of a file in its place."""
    with path.open("r+b") as file:
        file.seek(at)
        if byte := file.read(1):
            file.seek(at)
            file.write(bytes([byte[0] ^ 1]))


STEPS: Final = st.one_of(
    st.integers(0, len(ENTRIES) - 1).map(appending),
    st.floats(0, 1).map(editing),
    st.sampled_from([restoring, copying, looking, looking_with_trust]),
)


@settings(max_examples=200 if DEEP else 12, deadline=None)
@given(st.lists(STEPS, max_size=12))
@example([appending(1), looking])  # a ticket whose order was not written down
@example([appending(0), looking_with_trust, appending(1), editing(0.3), appending(2)])
def test_whatever_is_done_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """Appended to, looked at, copied and restored: the index never changes what is told."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    path.touch()
    for step in steps:
        step(path)

    assert told(indexed(path)) == plain(path)


def test_orders_elsewhere_leave_an_index_believed(path: Path) -> None:
    """Where only journals added lines, and somebody had looked at the others, nobody hashes them again."""
    unseen = "0" * 64  # no line has this digest
    index = line_index.load(path.with_suffix(".index"))
    assert index is not None
    replace(index, digest=unseen).save(path.with_suffix(".index"))
    continuation.note(str(path), attributes(path.stat()), "", unseen)
    for entry in ENTRIES[:3]:
        Journal(path).append(entry)

    with path.open("rb") as file:
        assert line_index.taken_up(path.with_suffix(".index"), file) is not None
        path.with_suffix(".seen").unlink()
        assert line_index.taken_up(path.with_suffix(".index"), file) is None


@pytest.mark.parametrize("byte", [9, -9])
def test_an_edit_in_the_same_tick_as_an_order_is_noticed(path: Path, byte: int) -> None:
    """The note that a journal leaves holds for no other bytes, however soon they are changed."""
    trusting(path)
    for _ in range(200):
        Journal(path).append(ENTRIES[1], durable=False)
        overwrite(path, byte % path.stat().st_size)

        assert continuation.held(str(path), path.stat()) == ("", "")


def test_lines_are_read_once_they_are_many(path: Path) -> None:
    """A few lines are read again and again; the index is written when there are many."""
    path.with_suffix(".index").unlink()
    lines = len(path.read_bytes().splitlines())
    for unindexed, written in ((lines + 1, False), (lines, True)):
        Journal(path, unindexed=unindexed).ledger()
        assert path.with_suffix(".index").exists() is written
    before = path.with_suffix(".index").read_bytes()
    Journal(path).append(ENTRIES[0])
    for unindexed, written in ((2, False), (1, True)):
        Journal(path, unindexed=unindexed).ledger()
        assert (path.with_suffix(".index").read_bytes() != before) is written


def test_a_ledger_is_the_same_for_those_who_read_it_at_once(path: Path) -> None:
    """What is told does not change when others append."""
    journal = indexed(path)
    ledger, before = journal.ledger(), fold(journal.read())
    indexed(path).append(delivered(intended("cat")))

    assert ledger.delivered.get(ORDERS[-1]) is None
    assert ledger.unsettled == before.unsettled


def test_an_index_can_be_read_again(path: Path) -> None:
    """What is written is what is read; it is private, like the ledger."""
    index = line_index.load(path.with_suffix(".index"))

    assert isinstance(index, LineIndex)
    index.save(path.with_suffix(".index"))
    assert line_index.load(path.with_suffix(".index")) == index
    assert stat.S_IMODE(path.with_suffix(".index").stat().st_mode) == 0o600
