"""A remote of git as the team's store."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux2build.errors import UsageError
from flux2build.sharing.backends.git import BACKEND
from flux2build.sharing.contract import Access, Unreachable
from tests.sharing.places import Place, remote

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


def test_no_value(place: Place) -> None:
    """A blob that is too large, or a commit in its place, is refused; other values are still read."""
    backend, other = place.open(), f"claims/{'2' * 64}"
    backend.put(other, b"claimed")
    backend.put(CLAIM, bytes(2**16 + 1))
    with pytest.raises(Unreachable, match="no blob that a value can be"):
        backend.get(CLAIM)
    commit = [
        "git",
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        "commit",
        "--allow-empty",
        "-qm",
        "x",
    ]
    subprocess.run(commit, cwd=place.folder, check=True)
    push = ["git", "push", "-qf", "origin", f"HEAD:refs/flux2build/{CLAIM}"]
    subprocess.run(push, cwd=place.folder, check=True)
    with pytest.raises(Unreachable, match="no blob that a value can be"):
        place.open().get(CLAIM)
    assert place.open().get(other) == b"claimed"


def test_many(place: Place) -> None:
    """Many values take two ways to the remote, whatever bytes they are."""
    writer, reader = place.open(), place.open()
    values = {f"orders/{number:064x}": b"\n%d\0" % number * number for number in range(12)}
    for key, value in values.items():
        writer.put(key, value)
    with reader.at_once():
        assert {key: reader.get(key) for key in values} == values


def refusing(place: Place) -> None:
    """Let the remote refuse what is pushed."""
    hook = place.folder.parent / "bare" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no pushing >&2\nexit 1\n")
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
