"""The note that a ledger was only added to holds for one state of it, and for no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flux2build.storage.continuation import attributes, held, note, sealed

DIGEST = "5" * 64


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger of one line."""
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"a line\n")
    return path


def test_a_note_is_about_one_state(ledger: Path) -> None:
    """While size, times and inode are those that it names, it says name and digest; the name stays."""
    note(str(ledger), attributes(ledger.stat()), "", DIGEST)
    name, digest = held(str(ledger), ledger.stat())
    assert (len(name), digest) == (16, DIGEST)
    ledger.write_bytes(b"a line\nanother\n")
    assert held(str(ledger), ledger.stat()) == ("", "")

    note(str(ledger), attributes(ledger.stat()), name, "")

    assert held(str(ledger), ledger.stat()) == (name, "")
    ledger.with_suffix(".copy").write_bytes(ledger.read_bytes())
    ledger.with_suffix(".copy").replace(ledger)
    assert held(str(ledger), ledger.stat()) == ("", "")


def test_a_damaged_note_says_nothing(ledger: Path) -> None:
    """Cut off, or with any letter changed, it is as if there were none."""
    note(str(ledger), attributes(ledger.stat()), "", DIGEST)
    place = ledger.with_suffix(".seen")
    whole = place.read_bytes()
    for at in range(len(whole.rstrip())):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            place.write_bytes(data)
            assert held(str(ledger), ledger.stat()) == ("", "")


@pytest.mark.skipif(os.utime not in os.supports_fd, reason="the system sets no times of open files")
def test_a_seal_shows_later_writes_in_the_same_tick(ledger: Path) -> None:
    """It is a time that the disk's clock did not give; a file of another size gets no seal."""
    with ledger.open("ab") as file:
        written = ledger.stat().st_mtime_ns
        seen = sealed(file.fileno(), len(b"a line\n"))

        assert seen == attributes(ledger.stat())
        assert seen[1] != written
        assert sealed(file.fileno(), 6) is None


@pytest.mark.parametrize("odd", ["a folder", "nothing"])
def test_a_place_that_cannot_be_written_is_left_alone(ledger: Path, odd: str) -> None:
    """There is no note, and no error."""
    place = ledger.with_suffix(".seen")
    if odd == "a folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere/at/all")

    note(str(ledger), attributes(ledger.stat()), "", DIGEST)

    assert held(str(ledger), ledger.stat()) == ("", "")
