"""A remote of git as the team's store."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux2build.errors import UsageError
from flux2build.sharing.backends.git import BACKEND
from flux2build.sharing.contract import Access, Unreachable
from flux2build.sharing.records import RecordError
from flux2build.sharing.team_store import TeamStore
from tests.repositories import git
from tests.sharing.places import Place, remote
from tests.sharing.test_team_store import CLAIM as CLAIMED
from tests.sharing.test_team_store import ORDER

CLAIM = f"claims/{'1' * 64}"
BYTES = f"cas/{'1' * 64}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A bare repository, and a clone of it."""
    with remote(tmp_path) as place:
        yield place


def files(folder: Path) -> set[Path]:
    """Every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


def test_the_clone_stays_as_it_is(place: Place) -> None:
    """Nothing is written into the clone, and none of its hooks runs."""
    hook = place.folder / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before, writer, reader = files(place.folder), place.open(), place.open()
    assert writer.create(CLAIM, b"claimed")
    writer.put(CLAIM, b"ticketed")
    assert reader.get(CLAIM) == b"ticketed"
    writer.delete(CLAIM)

    assert files(place.folder) == before


def test_at_once(place: Place) -> None:
    """What is asked at once is answered from one list of refs."""
    writer, reader = place.open(), place.open()
    with reader.at_once():
        assert reader.get(CLAIM) is None
        writer.put(CLAIM, b"claimed")
        assert reader.get(CLAIM) is None
    assert reader.get(CLAIM) == b"claimed"


def test_keeps_no_bytes(place: Place) -> None:
    """Bytes come from committed files, never from here."""
    backend = place.open()

    assert backend.get(BYTES) is None
    assert not backend.has(BYTES)
    with pytest.raises(Unreachable, match="keeps no bytes"):
        backend.put(BYTES, b"")
    with pytest.raises(Unreachable, match="keeps no bytes"):
        backend.create(BYTES, b"")


def test_many(place: Place) -> None:
    """Many values take two ways to the remote, whatever bytes they are."""
    writer, reader = place.open(), place.open()
    values = {f"orders/{number:064x}": b"\n%d\0" % number * number for number in range(12)}
    for key, value in values.items():
        writer.put(key, value)
    with reader.at_once():
        assert {key: reader.get(key) for key in values} == values


def refusing(place: Place, script: str = "echo no pushing >&2\nexit 1") -> None:
    """Let the remote refuse what is pushed."""
    hook = place.folder.parent / "bare" / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_refused(place: Place) -> None:
    """What the remote refuses is never taken for written, nor for claimed by somebody else."""
    backend = place.open()
    refusing(place)
    with pytest.raises(Unreachable, match="`git\\+origin` cannot be used"):
        backend.create(CLAIM, b"claimed")
    with pytest.raises(Unreachable):
        backend.put(CLAIM, b"claimed")
    assert backend.get(CLAIM) is None


@pytest.mark.parametrize("url", ["https://me:secret@127.0.0.1:1/x.git", "/nowhere", "nowhere"])
def test_no_remote(place: Place, url: str) -> None:
    """A remote that cannot be asked is told, without the password in its URL."""
    backend = BACKEND.open(f"git+{url}", Access(folder=place.folder))
    for call in (
        lambda: backend.get(CLAIM),
        lambda: backend.create(CLAIM, b""),
        lambda: backend.delete(CLAIM),
        lambda: list(backend.list("claims/")),
    ):
        with pytest.raises(Unreachable) as error:
            call()
        assert "secret" not in repr(error.value.problems)


def test_silent_remote(place: Place) -> None:
    """A remote that does not answer is given up."""
    (place.folder / "silent").write_text("#!/bin/sh\nsleep 60\n")
    (place.folder / "silent").chmod(0o755)
    subprocess.run(
        ["git", "config", "remote.origin.uploadpack", str(place.folder / "silent")],
        cwd=place.folder,
        check=True,
    )
    backend = BACKEND.open(place.url, Access(folder=place.folder, patience=0.3))
    with pytest.raises(Unreachable, match=r"takes longer than 0\.3 seconds"):
        backend.get(CLAIM)


def test_no_repository(tmp_path: Path) -> None:
    """Outside of a clone there is no remote."""
    with pytest.raises(Unreachable) as error:
        BACKEND.open("git+origin", Access(folder=tmp_path)).get(CLAIM)
    assert error.value.problems[0].hint == "see whether `git ls-remote origin` works here"


@pytest.mark.parametrize("url", ["git+", "git+--upload-pack=x", "git+a\nb"])
def test_urls(url: str) -> None:
    """A URL names a remote, and no option."""
    with pytest.raises(UsageError, match="names no remote"):
        BACKEND.open(url, Access())


@pytest.mark.parametrize(
    "script",
    ["exit 1", 'read old new ref; test "$new" != 0000000000000000000000000000000000000000'],
    ids=["everything", "removal"],
)
def test_reaching_a_remote_that_declines(place: Place, script: str) -> None:
    """A remote that takes no claim, or lets none be given back, is told as such, used before or not."""
    TeamStore(place.open(), "git+origin").reach()
    refusing(place, script)

    with pytest.raises(Unreachable, match="hook declined"):
        TeamStore(place.open(), "git+origin").reach()


def test_reaching_leaves_nothing(place: Place, tmp_path: Path) -> None:
    """What was pushed to see whether that is possible is gone, apart from the proof."""
    for _ in range(2):
        TeamStore(place.open(), "git+origin").reach()

    (ref,) = git(tmp_path / "bare", "for-each-ref", "--format=%(refname)").splitlines()
    assert ref == f"refs/flux2build/claims/{'0' * 63}1"


def test_a_ref_that_vanishes(place: Place, tmp_path: Path) -> None:
    """Refs that vanish between the list and the fetch take nothing with them."""
    keys = [f"claims/{number:064x}" for number in range(1, 5)]
    writer, reader = place.open(), place.open()
    for key in keys:
        writer.put(key, key.encode())
    with reader.at_once():
        assert reader.has(keys[0])
        for key in keys[:-1]:
            git(tmp_path / "bare", "update-ref", "-d", f"refs/flux2build/{key}")

        assert reader.get(keys[-1]) == keys[-1].encode()
        assert reader.get(keys[0]) is None


def test_what_is_no_blob(place: Place, tmp_path: Path) -> None:
    """A ref at a commit, or at what is too large, is a damaged value, and seen as one at once."""
    store, bare = TeamStore(place.open(), "git+origin"), tmp_path / "bare"
    tree = git(bare, "hash-object", "-t", "tree", "-w", "/dev/null")
    commit = git(bare, "commit-tree", tree, "-m", "not a claim")
    large = subprocess.run(
        ("git", "hash-object", "-w", "--stdin"),
        cwd=bare,
        input=bytes(2**17),
        capture_output=True,
        check=True,
    )
    for name in (commit, large.stdout.decode().strip()):
        git(
            bare,
            "update-ref",
            f"refs/flux2build/claims/{ORDER.digest.removeprefix('sha256:')}",
            name,
        )
        with pytest.raises(RecordError, match="holds a damaged claim"):
            store.claim(ORDER.digest)

        assert store.replace(CLAIMED)
        assert store.claim(ORDER.digest) == CLAIMED
