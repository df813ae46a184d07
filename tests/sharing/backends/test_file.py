"""A folder as the team's store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import UsageError
from flux2build.sharing.backends.file import BACKEND
from flux2build.sharing.contract import Access, Unreachable

CLAIM = f"claims/{'1' * 64}"


def test_unmounted(tmp_path: Path) -> None:
    """A folder that is not there is never created, as its disk may only not be mounted."""
    folder = tmp_path / "our team"
    backend = BACKEND.open(folder.as_uri(), Access())
    for call in (
        lambda: backend.get(CLAIM),
        lambda: backend.has(CLAIM),
        lambda: backend.put(CLAIM, b""),
        lambda: backend.create(CLAIM, b""),
        lambda: backend.delete(CLAIM),
        lambda: list(backend.list("claims/")),
    ):
        with pytest.raises(Unreachable, match="is not there") as error:
            call()
        assert f"mkdir -p '{folder}'" in str(error.value.problems[0].hint)
    assert not folder.exists()


def test_shared(tmp_path: Path) -> None:
    """Whoever may write in the store's folder may write in those of its spaces."""
    tmp_path.chmod(0o2775)

    BACKEND.open(tmp_path.as_uri(), Access()).put(CLAIM, b"")

    assert (tmp_path / "claims").stat().st_mode & 0o7777 == 0o2775


def test_no_file_but_the_value(tmp_path: Path) -> None:
    """Nothing is left beside a value that was created, or that was there already."""
    backend = BACKEND.open(tmp_path.as_uri(), Access())
    backend.create(CLAIM, b"first")
    backend.create(CLAIM, b"second")

    assert [path.name for path in (tmp_path / "claims").iterdir()] == ["1" * 64]


def test_what_the_disk_refuses_is_said_with_what_helps(tmp_path: Path) -> None:
    """The hint is about what is wrong with the disk, whatever that is."""
    tmp_path.joinpath("claims").write_text("no folder")
    with pytest.raises(Unreachable, match="cannot be used") as error:
        BACKEND.open(tmp_path.as_uri(), Access()).put(CLAIM, b"")

    assert error.value.problems[0].hint == "a file stands where a folder should be"


def test_huge(tmp_path: Path) -> None:
    """A value larger than any of its space is refused unread."""
    backend = BACKEND.open(tmp_path.as_uri(), Access())
    backend.put(CLAIM, bytes(2**16 + 1))

    with pytest.raises(Unreachable, match="too large"):
        backend.get(CLAIM)


@pytest.mark.parametrize(
    "url",
    ["file://", "file://server/mnt", "file:team", "file:///a%00b", "file:///", "file:///mnt/.."],
)
def test_urls(url: str) -> None:
    """A URL names an absolute path of this machine, and not all of its disk."""
    with pytest.raises(UsageError, match="names no folder of this machine"):
        BACKEND.open(url, Access())


@pytest.mark.parametrize("url", ["file:///mnt/team#2", "file:///mnt/team?x=1", "file:///mnt/a?#b"])
def test_cut_urls(url: str) -> None:
    """What follows a `?` or `#` is never left out: another folder would be meant."""
    with pytest.raises(UsageError, match="more than a folder") as error:
        BACKEND.open(url, Access())
    assert "%23" in str(error.value.problems[0].hint)


WRITING: Final = """
import sys
from flux2build.sharing.backends.file import BACKEND
from flux2build.sharing.contract import Access

backend, key = BACKEND.open(sys.argv[1], Access()), sys.argv[2]
backend.put(key, b"a" * 500_000)
print(flush=True)
while True:
    for letter in b"ab":
        backend.put(key, bytes([letter]) * 500_000)
"""


def test_killed(tmp_path: Path) -> None:
    """A writer that is killed leaves a whole value, and nothing that is taken for one."""
    receipt, url = f"orders/{'1' * 64}", tmp_path.as_uri()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", WRITING, url, receipt]
    for _ in range(3):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.kill()
        backend = BACKEND.open(url, Access())
        assert backend.get(receipt) in {b"a" * 500_000, b"b" * 500_000}
        assert [each.key for each in backend.list("orders/")] == [receipt]
