"""What can be written is proved without leaving anything behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flux2build.errors import SystemFault
from flux2build.ledger.journal import Journal
from flux2build.storage import probe
from flux2build.storage.store import Store


def everything(folder: Path) -> list[Path]:
    """All that lies below a folder."""
    return sorted(folder.rglob("*"))


def test_proofs_leave_nothing_behind(tmp_path: Path) -> None:
    """Proofs create no missing folders, and remove what a killed proof had written."""
    tmp_path.joinpath(".flux2build-probe-0123.tmp").touch()

    for proof in (
        Store(tmp_path / "home/store").prove,
        Journal(tmp_path / "home/l").prove_writable,
    ):
        proof()

    assert everything(tmp_path) == []


def test_proofs_leave_files_as_they_are(tmp_path: Path) -> None:
    """The ledger keeps its bytes, and so does a file that is to be replaced."""
    path = tmp_path / "file"
    path.write_bytes(b"line\n")

    probe.takes_bytes(path)
    probe.can_be_replaced(path)

    assert path.read_bytes() == b"line\n"


@pytest.mark.parametrize("proof", [probe.takes_files, probe.takes_bytes, probe.can_be_replaced])
def test_what_cannot_be_written_is_named(proof: Callable[[Path], None], tmp_path: Path) -> None:
    """The error has the path and the cause."""
    path = tmp_path / "it"
    path.touch() if proof is probe.takes_files else path.mkdir()

    with pytest.raises(SystemFault, match=rf"`{path}`: (not a|is a) directory"):
        proof(path)


def test_room_is_asked_for(tmp_path: Path) -> None:
    """A disk with less room than is needed is reported in numbers, even for a missing folder."""
    probe.have_room((tmp_path / "missing",), 1)
    with pytest.raises(
        SystemFault, match=r"has \d+\.\d MiB left; 1000000000000000.0 MiB may be needed"
    ):
        probe.have_room((tmp_path / "missing", tmp_path), 10**15 * 2**19)
