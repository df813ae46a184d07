"""The store gives back exactly what was put into it, or says that it cannot."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.storage.store import LostError, Store

PUTTER = """
import sys
from pathlib import Path
from flux2build.storage.store import Store
store = Store(Path(sys.argv[1]))
for number in range(40):
    store.put(b"picture %d" % number * 2000)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


def damage(path: Path, data: bytes) -> None:
    """Put other bytes in a stored file, as a failing disk would."""
    path.chmod(0o600)
    path.write_bytes(data)


def test_bytes_come_back_by_their_digest(store: Store) -> None:
    """What is put is there, read-only, under its digest, and listed."""
    digest = store.put(b"fox")

    assert digest == of_bytes(b"fox")
    assert store.has(digest)
    assert store.get(digest) == b"fox"
    assert list(store.digests()) == [digest]
    assert stat.S_IMODE(store.path(digest).stat().st_mode) == 0o444
    assert store.path(digest).parts[-3:] == ("sha256", digest[7:9], digest[9:])


def test_what_is_not_there_is_an_error_of_its_own(store: Store) -> None:
    """Missing bytes are told apart from a broken disk."""
    assert not store.has(of_bytes(b"owl"))
    with pytest.raises(LostError, match="no intact bytes"):
        store.get(of_bytes(b"owl"))


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(min_size=1, max_size=200), at=st.integers(0, 199), kind=st.sampled_from("fct")
)
def test_every_damage_is_found_on_reading(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, kind: str
) -> None:
    """A flipped, cut or emptied file is never given out; it is moved aside and can be put again."""
    store = Store(tmp_path_factory.mktemp("store"))
    digest = store.put(data)
    at %= len(data)
    flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    bad = {"f": flipped, "c": data[:at], "t": data + b"\0"}[kind]
    damage(store.path(digest), bad)
    with pytest.raises(LostError):
        store.get(digest)

    assert not store.has(digest)
    assert [path.read_bytes() for path in store.damaged()] == [bad]
    assert store.put(data) == digest
    assert store.get(digest) == data


def test_putting_again_mends_what_was_damaged(store: Store) -> None:
    """Good bytes in hand replace bad ones on the disk."""
    digest = store.put(b"fox")
    damage(store.path(digest), b"fix")
    store.put(b"fox")

    assert store.get(digest) == b"fox"


def test_putting_again_writes_nothing(store: Store) -> None:
    """What is there and intact is left alone."""
    before = store.path(store.put(b"fox")).stat()

    assert store.path(store.put(b"fox")).stat() == before


@pytest.mark.parametrize("digest", ["sha256:../../x", "md5:00", "sha256:" + "A" * 64])
def test_only_digests_name_files(store: Store, digest: str) -> None:
    """No name from a lock can reach outside the store."""
    with pytest.raises(ValueError, match="no digest"):
        store.path(Digest(digest))


def test_what_is_no_file_is_not_opened_to_wait_on(store: Store) -> None:
    """A FIFO in a picture's place is damage, and does not block."""
    digest = of_bytes(b"fox")
    store.path(digest).parent.mkdir(parents=True)
    os.mkfifo(store.path(digest))
    with pytest.raises(LostError):
        store.get(digest)


def test_other_files_are_not_listed(store: Store) -> None:
    """Unfinished files of a killed process are no objects."""
    digest = store.put(b"fox")
    (store.path(digest).parent / ".flux2build-1.tmp").write_bytes(b"half")

    assert list(store.digests()) == [digest]


def test_what_a_crash_left_is_removed(tmp_path: Path) -> None:
    """Whoever is alone in a store removes what others left unfinished."""
    half = tmp_path / "sha256" / ".flux2build-1.tmp"
    half.parent.mkdir()
    half.write_bytes(b"half")

    Store(tmp_path).put(b"fox")

    assert not half.exists()


def test_what_others_write_stays(tmp_path: Path) -> None:
    """As long as another process keeps bytes there, nothing unfinished is removed."""
    first = Store(tmp_path)
    first.put(b"fox")
    half = tmp_path / "sha256" / ".flux2build-1.tmp"
    half.write_bytes(b"half")

    Store(tmp_path).put(b"owl")

    assert half.exists()


def test_pictures_may_lie_on_another_disk(store: Store) -> None:
    """A store takes bytes also where a link leads its pictures to another disk."""
    with TemporaryDirectory(dir=_another_disk(store.folder.parent)) as folder:
        store.folder.mkdir()
        (store.folder / "sha256").symlink_to(folder)

        assert store.get(store.put(b"fox")) == b"fox"


def _another_disk(folder: Path) -> Path:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == folder.stat().st_dev:
        pytest.skip("this machine has no other disk")
    return memory


def test_a_full_disk_names_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When bytes cannot be kept, the error says where, and nothing half-written is left."""

    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SystemFault, match="no space left") as caught:
            store.put(b"fox")

    assert "make room" in (caught.value.problems[0].hint or "")
    assert not store.has(of_bytes(b"fox"))
    assert list(store.path(of_bytes(b"fox")).parent.iterdir()) == []
    assert not list(store.folder.rglob("*.tmp"))


def test_what_cannot_be_read_is_not_missing(store: Store) -> None:
    """A failing disk is not taken for a picture that was never bought."""
    digest = store.put(b"fox")
    path = store.path(digest)
    path.unlink()
    path.symlink_to(path.name)
    with pytest.raises(SystemFault, match="cannot read") as caught:
        store.get(digest)

    assert not isinstance(caught.value, LostError)


def test_damage_on_a_read_only_disk_is_refused_where_it_lies(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be moved aside is still never given out."""
    digest = store.put(b"fox")
    damage(store.path(digest), b"fix")

    def fail(*_: object) -> None:
        raise OSError(30, os.strerror(30))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(LostError):
            store.get(digest)

    assert store.path(digest).read_bytes() == b"fix"


def test_what_another_process_put_is_synced_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are there count as kept only once their name is durable."""
    store.put(b"fox")

    def fail(_: int) -> None:
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SystemFault, match="cannot write"):
            store.put(b"fox")


def test_many_processes_put_the_same_bytes(tmp_path: Path) -> None:
    """Processes that keep the same pictures at once do not get in each other's way."""
    command = [sys.executable, "-c", PUTTER, str(tmp_path)]
    putters = [subprocess.Popen(command) for _ in range(4)]

    assert [putter.wait() for putter in putters] == [0] * 4
    store = Store(tmp_path)
    assert len([store.get(digest) for digest in store.digests()]) == 40
    assert store.damaged() == []
