"""The journal survives torn ends and many writers, and reports damage."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flux2build.digest import Digest, of_bytes
from flux2build.errors import Place, Problem, SystemFault
from flux2build.ledger import Entry, Foreign, Intended, Ticketed, fold
from flux2build.ledger.journal import Journal
from flux2build.ledger.lines import encoded

WRITER = """
import sys
from decimal import Decimal
from pathlib import Path
from flux2build.digest import of_bytes
from flux2build.ledger.journal import Journal
from flux2build.ledger import Intended
journal, who = Journal(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    journal.append(Intended(order=of_bytes(b"o"), attempt=f"{who}-{number}", at="", provider="p",
        model="m", asset="a" * 300, reserve=Decimal(1), payload=of_bytes(b"p")))
"""


def intended(attempt: str) -> Intended:
    """An order about to be sent."""
    return Intended(
        order=of_bytes(b"fox"),
        attempt=attempt,
        at="2026-11-20T12:00:00Z",
        provider="bfl",
        model="flux-2-pro",
        asset="fox",
        reserve=Decimal("0.06"),
        payload=of_bytes(b"body"),
    )


def ticketed(attempt: str) -> Ticketed:
    """An order the server took."""
    return Ticketed(order=of_bytes(b"fox"), attempt=attempt, at="", task="t", poll="https://x/t")


FOX = of_bytes(b"fox")
ENTRIES: list[Entry] = [intended("1"), ticketed("1"), intended("2")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a journal that does not exist yet."""
    return tmp_path / "home" / "ledger.jsonl"


def written(path: Path) -> Journal:
    """A journal with three entries."""
    journal = Journal(path)
    for entry in ENTRIES:
        journal.append(entry)
    return journal


def failing(real: Callable[..., object], number: int) -> Callable[..., object]:
    """A system call that fails with an error of the disk."""

    def call(*_: object) -> object:
        raise OSError(number, os.strerror(number))

    return call if number else real


def test_what_was_appended_is_read(path: Path) -> None:
    """Every reader gets the entries in order; the file is private."""
    journal = written(path)

    assert journal.read() == ENTRIES
    assert Journal(path).read() == ENTRIES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_that_is_not_there_is_empty(path: Path) -> None:
    """Reading does not create a file."""
    assert Journal(path).read() == []
    assert not path.exists()


def test_claims_are_where_every_release_looks_for_them(path: Path) -> None:
    """Two releases that looked in two folders would buy one order twice."""
    assert Journal(path).claims.path(FOX).parent == path.with_name("claims")


def test_where_the_lines_end_that_a_ledger_is_about(path: Path) -> None:
    """It is the beginning of the file until a ledger is asked for, and then the end of its lines."""
    journal = written(path)

    assert journal.end == 0
    journal.ledger()
    assert journal.end == path.stat().st_size


def test_the_entries_of_one_order_are_found_at_once(path: Path) -> None:
    """Asking about one order gives what filtering all entries would give."""
    journal = written(path)
    other = Ticketed(order=of_bytes(b"owl"), attempt="8", at="", task="t", poll="https://x/t")
    journal.append(other, durable=False)
    journal.append(Foreign(kind="refund", schema=9, text='{"kind":"refund","schema":9}'))

    assert journal.about(of_bytes(b"fox")) == ENTRIES
    assert journal.about(of_bytes(b"owl")) == [other]
    assert journal.about(of_bytes(b"ant")) == []
    assert len(journal.read()) == 5


def test_a_journal_that_cannot_be_read_is_named(path: Path) -> None:
    """A folder in the journal's place is an error of the environment."""
    path.mkdir(parents=True)
    with pytest.raises(SystemFault, match=r"cannot read .*ledger\.jsonl"):
        Journal(path).read()


def test_reading_goes_on_where_it_stopped(path: Path) -> None:
    """A reader sees what another process appended since, and a journal that was swapped."""
    reader, writer = Journal(path), Journal(path)
    writer.append(ENTRIES[0])
    assert reader.read() == ENTRIES[:1]
    writer.append(ENTRIES[1])
    assert reader.read() == ENTRIES[:2]
    path.write_bytes(encoded(ENTRIES[2]))
    assert reader.read() == ENTRIES[2:]
    path.unlink()
    assert reader.read() == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.binary(max_size=20), st.booleans())
@example(100, b"", False)  # noqa: FBT003 - drawn
def test_a_torn_end_is_passed_over_and_repaired(cut: int, noise: bytes, warm: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever part of the last line got to the disk, whole lines stay and the next one fits."""
    whole = b"".join(encoded(entry) for entry in ENTRIES)[:cut]
    kept = ENTRIES[: whole.count(b"\n")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        path.write_bytes(whole + noise.replace(b"\n", b""))
        journal = Journal(path)
        if warm:
            assert journal.read() == kept
        journal.append(ticketed("9"))

        assert journal.read() == [*kept, ticketed("9")]
        assert Journal(path).read() == [*kept, ticketed("9")]
        assert noise or Journal(path).problems() == ()


def test_a_last_line_of_noise_is_torn_too(path: Path) -> None:
    """A power cut may leave a whole line of zeros; nobody was promised what stood there."""
    written(path)
    with path.open("ab") as file:
        file.write(bytes(90) + b"\n" + bytes(10) + b"\n")
    journal = Journal(path)

    assert journal.read() == ENTRIES
    journal.append(intended("9"))
    assert Journal(path).read() == [*ENTRIES, intended("9")]
    assert Journal(path).problems() == ()


def test_killed_at_any_step_the_entry_is_there_or_not(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step of an append is the last, whole entries are read and the next one fits."""
    written(path)
    for point in range(30):
        steps = iter(range(100))

        def watched(
            real: Callable[..., object], steps: Iterator[int] = steps, point: int = point
        ) -> Callable[..., object]:
            def call(*args: object, **named: object) -> object:
                if next(steps) == point:
                    raise KeyboardInterrupt
                return real(*args, **named)

            return call

        before = Journal(path).read()
        with monkeypatch.context() as patch:
            for name in ("open", "write", "fsync", "fstat", "lseek"):
                patch.setattr(os, name, watched(getattr(os, name)))
            with suppress(KeyboardInterrupt):
                Journal(path).append(intended(f"point {point}"))

        assert Journal(path).read() in (before, [*before, intended(f"point {point}")])


def test_damage_in_the_middle_is_reported_with_its_line(path: Path) -> None:
    """A bad line with good ones after it stops buyers, not readers, nor the noting of facts."""
    written(path)
    path.write_bytes(path.read_bytes().replace(b'"task"', b'"tusk"'))
    journal = Journal(path)
    with pytest.raises(SystemFault) as caught:
        journal.prove()

    assert journal.read() == journal.about(of_bytes(b"fox")) == [ENTRIES[0], ENTRIES[2]]
    assert str(caught.value.problems[0].place) == f"{path}:2"
    assert caught.value.problems[0].rows == (("lines", "2"),)
    with pytest.raises(SystemFault):
        Journal(path).append(intended("3"))
    size = path.stat().st_size
    Journal(path).append(ticketed("1"))
    assert path.stat().st_size == size + len(encoded(ticketed("1")))


def test_facts_are_noted_after_a_torn_end_of_a_damaged_journal(path: Path) -> None:
    """A fact gets a line of its own even where nothing can be repaired."""
    written(path)
    path.write_bytes(path.read_bytes().replace(b'"task"', b'"tusk"') + b"torn")
    Journal(path).append(ticketed("7"))

    assert path.read_bytes().endswith(b"torn\n" + encoded(ticketed("7")))


def test_a_line_that_is_no_entry_is_damage(path: Path) -> None:
    """A sound checksum around something else is not thrown away as torn."""
    written(path)
    text = b"[1]"
    with path.open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(text), text))
    with pytest.raises(SystemFault, match=r"is damaged: not a ledger entry: \w"):
        Journal(path).prove()


def rewritten(path: Path, entries: list[Entry], edit: Callable[[bytes], bytes]) -> Journal:
    """A journal that somebody changed behind its back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(edit(b"".join(map(encoded, entries))))
    return Journal(path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda whole: whole.replace(b"\n", b"\r\n"),
        lambda whole: b"\xef\xbb\xbf" + whole,
        lambda whole: b"\xef\xbb\xbf" + whole.replace(b"\n", b"\r\n"),
        lambda whole: whole.replace(b"\n", b"\n\n"),
    ],
    ids=["crlf", "mark", "crlf and mark", "blank lines"],
)
def test_line_ends_change_no_meaning(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Line ends, blank lines and the mark of an editor are read as what they are."""
    journal = rewritten(path, ENTRIES, edit)

    assert journal.read() == ENTRIES
    journal.append(intended("9"))
    for reader in (journal, Journal(path)):
        assert reader.read() == [*ENTRIES, intended("9")]
        assert reader.problems() == ()


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (lambda whole: whole.replace(b"\n", b" \n"), "1-3"),
        (lambda whole: whole.replace(b"\n", b"\r"), "1"),
        (lambda whole: whole.replace(b"\n", b""), "1"),
        (lambda whole: whole.decode().encode("utf-16"), "1-4"),
        (lambda whole: whole[:-2] + b"?\n", "3"),
        (lambda whole: whole[:-2] + b"?\n" + whole[:9], "3-4"),
        (lambda whole: whole.replace(b"i", b"j", 1), "1"),
        (lambda whole: b"".join(line + b"\n?\n" for line in whole.split(b"\n")[:-1]), "2, 4, 6"),
    ],
)
def test_what_cannot_be_read_is_damage(
    path: Path, edit: Callable[[bytes], bytes], lines: str
) -> None:
    """No crash leaves such lines, so they count as orders that may be paid for: nothing is bought."""
    journal = rewritten(path, ENTRIES, edit)
    before = path.read_bytes()
    with pytest.raises(SystemFault, match="damaged") as caught:
        journal.append(intended("9"))

    assert caught.value.problems == journal.problems() == Journal(path).problems()
    assert caught.value.problems[0].rows == (("lines", lines),)
    assert path.read_bytes() == before
    journal.append(ticketed("9"))
    assert path.read_bytes().startswith(before)
    assert journal.read()[-1] == Journal(path).read()[-1] == ticketed("9")


def test_entries_of_a_newer_version_keep_from_buying(path: Path) -> None:
    """What a newer flux2build wrote may be an order: it is kept, named, and nothing is bought."""
    entries = [ENTRIES[0], Foreign(kind="refund", schema=1, text='{"kind":"refund","schema":1}')]
    journal = rewritten(
        path,
        [*entries, Foreign(kind="ticketed", schema=2, text='{"kind":"ticketed","schema":2}')],
        bytes,
    )
    with pytest.raises(SystemFault, match="newer flux2build") as caught:
        journal.append(intended("9"))

    assert caught.value.problems[0].rows == (("lines", "2-3"),)
    journal.append(ticketed("1"))
    assert len(journal.read()) == 4


def test_what_was_repaired_is_read_again(path: Path) -> None:
    """A reader that saw damage sees the repair, too."""
    journal = rewritten(path, ENTRIES, lambda whole: whole.replace(b"task", b"tusk"))
    assert journal.problems()
    rewritten(path, ENTRIES, bytes)

    assert journal.problems() == ()
    assert journal.read() == ENTRIES


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_an_intention_that_is_not_on_disk_is_taken_back(
    path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails, the error names the file, and no order seems to have been sent."""
    journal = written(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), errno.ENOSPC))
        with pytest.raises(SystemFault, match=r"ledger\.jsonl"):
            journal.append(intended("3"))

    assert Journal(path).read() == ENTRIES
    assert set(fold(journal.read()).doubts) == {of_bytes(b"fox")}


def test_a_fact_that_may_not_last_is_kept_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket is worth having even where the disk does not promise to keep it."""
    journal = written(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync, errno.EIO))
        with pytest.raises(SystemFault):
            journal.append(ticketed("2"))

    assert journal.read() == [*ENTRIES, ticketed("2")]


def test_a_short_write_leaves_no_half_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up in the middle of a line gets back its old end."""
    journal, real = written(path), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:10]))
        with pytest.raises(SystemFault, match="space") as caught:
            journal.append(ticketed("2"))

    assert caught.value.problems[0].hint is not None
    assert path.read_bytes() == b"".join(encoded(entry) for entry in ENTRIES)


def test_many_processes_append_without_loss(path: Path) -> None:
    """Eight writers at once lose nothing and tear nothing."""
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(n), "25"]) for n in range(8)]

    assert [writer.wait() for writer in writers] == [0] * 8
    attempts = [entry.attempt for entry in Journal(path).read() if isinstance(entry, Intended)]
    assert sorted(attempts) == sorted(f"{n}-{m}" for n in range(8) for m in range(25))
    for n in range(8):
        assert [a for a in attempts if a.startswith(f"{n}-")] == [f"{n}-{m}" for m in range(25)]


def test_writers_that_are_killed_lose_nothing_that_was_promised(path: Path) -> None:
    """After kill -9 at any moment the journal reads, and goes on."""
    command = [sys.executable, "-c", WRITER, str(path)]
    for round_ in range(4):
        writers = [subprocess.Popen([*command, f"{round_}-{n}", "5000"]) for n in range(3)]
        before = len(Journal(path).read())
        reader = Journal(path)
        while len(reader.read()) < before + 20:
            pass
        for writer in writers:
            writer.kill()
            writer.wait()
        promised = reader.read()

        assert Journal(path).read()[: len(promised)] == promised
    Journal(path).append(intended("last"))
    assert Journal(path).read()[-1] == intended("last")


def claimed(journal: Journal, text: str, order: Digest = FOX) -> None:
    """Write a text into the claim on an order."""
    path = journal.claims.path(order)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


FOREIGN = Foreign(kind="refund", schema=9, text='{"kind":"refund","schema":9}')


@pytest.mark.parametrize(
    ("entries", "claim", "unrecorded"),
    [
        ([], "", False),
        ([], "1", True),
        ([intended("1")], "1", False),
        ([intended("1")], "2", True),
        ([intended("17")], "1", False),
        ([intended("1")], "17", True),
        ([intended("1"), intended("2")], "1", False),
        ([intended("1"), ticketed("1")], "", False),
        ([ticketed("1")], "", True),
        ([ticketed("1")], "1", True),
        ([intended("1"), ticketed("2")], "1", True),
        ([FOREIGN], "", False),
        ([FOREIGN], "1", True),
    ],
)
def test_an_attempt_that_the_journal_does_not_hold(
    path: Path, entries: list[Entry], claim: str, *, unrecorded: bool
) -> None:
    """It is unrecorded if its claim names it, or if it has a ticket without its beginning."""
    journal = rewritten(path, entries, bytes)
    other = of_bytes(b"owl")
    claimed(journal, "", other)
    claimed(journal, claim)

    for reader in (journal, Journal(path)):
        assert reader.unrecorded(FOX) is unrecorded
        assert reader.unrecorded(other) is False
        assert list(reader.missing()) == [FOX] * unrecorded


def test_what_another_process_begins_is_recorded(path: Path) -> None:
    """A claim that names an attempt is compared with the journal as it is now."""
    journal, builder = Journal(path), Journal(path)
    claimed(journal, "")
    assert not journal.unrecorded(FOX)
    builder.append(intended("1"))

    assert builder.claims.attempt(FOX) == "1"
    assert not journal.unrecorded(FOX)


@pytest.mark.parametrize(
    ("written", "claim", "after", "emptied"),
    [
        (True, True, b"", True),
        (True, True, b"\n\n", True),
        (True, True, None, True),
        (True, False, b"", False),
        (False, True, b"", False),
        (True, True, encoded(FOREIGN), False),
        (True, True, encoded(intended("1")), False),
        (True, True, b"bad\n", False),
        (True, True, b"bad\n" + encoded(intended("1")), False),
        (True, True, b"%08x [1]\n" % zlib.crc32(b"[1]"), False),
    ],
)
def test_nothing_is_left_of_a_journal(
    path: Path, after: bytes | None, *, written: bool, claim: bool, emptied: bool
) -> None:
    """A journal is emptied if it had entries and claims, and its file is blank or missing, not damaged."""
    journal = Journal(path)
    if written:
        journal.append(intended("0"))
    if claim:
        claimed(journal, "")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if after is not None:
        path.write_bytes(after)

    assert journal.emptied() is Journal(path).emptied() is emptied


def test_rebuilding_a_whole_journal_adds_at_its_end(path: Path) -> None:
    """Nothing is put aside; new attempts are named in their claims."""
    journal = written(path)
    claimed(journal, "")
    before, offered = path.read_bytes(), list[Sequence[Entry]]()

    def added(entries: Sequence[Entry]) -> Sequence[Entry]:
        offered.append(entries)
        return [ticketed("3"), intended("9")]

    assert journal.rebuild(added) is None

    assert offered == [tuple(ENTRIES)]
    assert path.read_bytes() == before + encoded(ticketed("3")) + encoded(intended("9"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert journal.read() == Journal(path).read() == [*ENTRIES, ticketed("3"), intended("9")]
    assert journal.claims.attempt(FOX) == "9"


def test_rebuilding_keeps_what_it_leaves_out(path: Path) -> None:
    """The sound lines stay word for word, and the damaged file lies beside the journal."""
    damaged = b"noise\n" + b"".join(map(encoded, [*ENTRIES, FOREIGN]))
    journal = rewritten(path, [], lambda _: damaged)

    aside = journal.rebuild(lambda entries: entries[:0])

    assert aside is not None
    assert aside.parent == path.parent
    assert aside.read_bytes() == damaged
    assert journal.read() == [*ENTRIES, FOREIGN]
    assert path.read_bytes() == damaged.removeprefix(b"noise\n")
    assert rewritten(path, [], lambda _: damaged).rebuild(lambda entries: entries[:0]) == aside


@pytest.mark.parametrize("what", ["nothing", "folder", "link", "loop", "dangling"])
def test_rebuilding_where_no_file_lies(path: Path, what: str) -> None:
    """What lies there instead is put aside; a link to a journal stays a link."""
    path.parent.mkdir()
    real = path.with_name("real")
    if what == "folder":
        path.mkdir()
    elif what == "link":
        real.write_bytes(encoded(ENTRIES[0]))
        path.symlink_to(real)
    elif what in {"loop", "dangling"}:
        path.symlink_to(path if what == "loop" else real)
    journal = Journal(path)
    before = journal.salvage()

    aside = journal.rebuild(lambda _: [intended("9")])

    assert (aside is not None) == (what in {"folder", "loop", "dangling"})
    assert (before.data is None) == (not before.complete) == (aside is not None)
    assert path.is_symlink() == (what == "link")
    assert Journal(path).read() == [*ENTRIES[: what == "link"], intended("9")]


@pytest.mark.parametrize("what", ["folder", "loop", "pipe"])
def test_something_else_in_the_journals_place(path: Path, what: str) -> None:
    """The error names the path and what to do, since no file can be read there."""
    path.parent.mkdir()
    if what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path)
    else:
        os.mkfifo(path)

    with pytest.raises(SystemFault, match=rf"^cannot read `{path}`: ") as caught:
        Journal(path).read()

    assert caught.value.problems[0].hint == RECOVER


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file fails to be read")
def test_a_journal_that_the_disk_fails_to_read_is_left_alone(path: Path) -> None:
    """It may be whole, so nothing is saved of it, nothing replaces it, and no hint says to recover it."""
    path.parent.mkdir()
    path.symlink_to("/proc/self/mem")
    journal = Journal(path)

    for use in (journal.salvage, journal.read, journal.prove, journal.ledger):
        with pytest.raises(SystemFault, match=rf"^cannot read `{path}`: ") as caught:
            use()
        assert caught.value.problems[0].hint is None
    with pytest.raises(SystemFault, match=r"^cannot read `"):
        journal.rebuild(lambda _: [intended("9")])
    assert path.readlink() == Path("/proc/self/mem")
    assert sorted(path.parent.iterdir()) == [path, journal.lock_path]


def test_what_keeps_a_journal_from_being_used_is_told(path: Path) -> None:
    """Where a file takes the place of its folder, nothing is to be read, and nothing can be written."""
    path.parent.touch()
    assert list(Journal(path).read()) == []
    with pytest.raises(SystemFault) as caught:
        Journal(path).append(intended("1"))
    assert caught.value.problems[0].hint == "a file stands where a folder should be"
    path.parent.unlink()
    journal = Journal(path)
    journal.lock_path.mkdir(parents=True)
    with pytest.raises(SystemFault, match=rf"^cannot write `{journal.lock_path}`: is a directory$"):
        journal.append(intended("1"))


@pytest.mark.parametrize("name", ["ledger.jsonl", "ledger.jsonl.lock", "claims"])
def test_a_journal_that_cannot_be_written_is_told_beforehand(path: Path, name: str) -> None:
    """Proving leaves nothing behind, and names what stands in the way."""
    Journal(path).prove_writable()
    assert not path.parent.exists()
    journal = written(path)
    before = sorted(path.parent.rglob("*"))
    journal.prove_writable()
    assert sorted(path.parent.rglob("*")) == before

    obstacle = path.with_name(name)
    obstacle.unlink(missing_ok=True)
    if name == "claims":
        obstacle.touch()
    else:
        obstacle.mkdir()
    with pytest.raises(SystemFault, match=rf"^cannot write( to)? `{obstacle}`: "):
        journal.prove_writable()


RECOVER = (
    "bring it back from a backup; if there is none, `flux2build orders recover` shows what can be "
    "rebuilt"
)


def test_what_damage_and_newer_entries_say(path: Path) -> None:
    """Both are reported, each with its first line, all its lines, and what to do."""
    journal = rewritten(
        path, ENTRIES, lambda whole: whole + encoded(FOREIGN) * 2 + b"bad\n" + encoded(FOREIGN)
    )

    assert journal.problems() == (
        Problem(
            "the journal of orders is damaged: its checksum does not fit; nothing is bought until "
            "it is settled",
            Place(str(path), 6),
            rows=(("lines", "6"),),
            hint=RECOVER,
        ),
        Problem(
            "the journal of orders has entries of a newer flux2build, which this one cannot read; "
            "nothing is bought with it",
            Place(str(path), 4),
            rows=(("lines", "4-5, 7"),),
            hint="build with the newest flux2build",
        ),
    )


def test_only_the_first_line_may_have_a_mark(path: Path) -> None:
    """Two files that were put together are not one journal; neither is a file with two marks."""
    mark = b"\xef\xbb\xbf"
    journal = rewritten(path, ENTRIES[:1], lambda whole: mark + whole)
    assert journal.read() == ENTRIES[:1]
    first, second, third = map(encoded, ENTRIES)
    with path.open("ab") as file:
        file.write(mark + second)
    assert journal.problems() == Journal(path).problems() != ()

    for data in (mark + first + mark + second + third, mark + mark + first + second):
        path.write_bytes(data)
        assert journal.problems() == Journal(path).problems() != ()


@pytest.mark.skipif(sys.platform != "linux", reason="where open files are listed")
def test_folders_and_files_are_synced_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must last is synced with its folder, which need not be synced a second time."""
    synced, real = list[str](), os.fsync

    def fsync(file: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{file}").readlink()))
        real(file)

    journal = Journal(path)
    monkeypatch.setattr(os, "fsync", fsync)
    journal.append(intended("1"), durable=False)
    assert str(path) not in synced
    journal.append(intended("2"))
    assert {str(path), str(path.parent)} <= set(synced)
    synced.clear()
    journal.append(intended("3"))
    assert synced == [str(path)]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(journal.lock_path.stat().st_mode) == 0o600
