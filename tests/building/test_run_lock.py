"""One build at a time: others wait, say for whom, and a dead holder holds nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flux2build.building.run_lock import held
from flux2build.errors import SystemFault
from flux2build.storage import locks

HOLDER = """
import sys
from pathlib import Path
from flux2build.building.run_lock import held
with held(Path(sys.argv[1]), "flux2build build", None, print):
    print("held", flush=True)
    sys.stdin.readline()
"""

COUNTER = """
import sys
from pathlib import Path
from flux2build.building.run_lock import held
folder = Path(sys.argv[1])
for _ in range(10):
    with held(folder, "flux2build build", None, lambda said: None):
        count = folder / "count"
        count.write_text(str(int(count.read_text()) + 1))
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to stop, or dies."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def taken(folder: Path, wait: float, say: Callable[[str], object]) -> None:
    """A build that is expected not to get the lock."""
    with held(folder, "flux2build build", wait, say):
        pytest.fail("held all the same")


def silent(text: str) -> None:
    """Nobody has to wait."""
    pytest.fail(text)


def test_a_free_tree_is_held_at_once_and_let_go(tmp_path: Path) -> None:
    """Nobody is told anything, the holder signs, and the next one gets it."""
    signed = tmp_path / ".flux2build" / "holder.json"
    for _ in range(2):
        with held(tmp_path, "flux2build build", 0, silent):
            holder = json.loads(signed.read_text())
            assert (holder["pid"], holder["command"]) == (os.getpid(), "flux2build build")
        assert not signed.exists()
    assert (tmp_path / ".flux2build" / ".gitignore").read_text() == "*\n"


def test_who_waits_is_told_for_whom_and_gives_up_in_time(tmp_path: Path) -> None:
    """A busy tree is the environment's fault, with the holder's process and command."""
    messages: list[str] = []
    with holder(tmp_path) as process, pytest.raises(SystemFault, match=r"waited 0\.1 s") as caught:
        taken(tmp_path, 0.1, messages.append)

    (line,) = messages
    assert line.startswith(f"waiting for another build: pid {process.pid} on ")
    assert "`flux2build build`, since " in line
    assert "--lock-timeout" in (caught.value.problems[0].hint or "")


def finish(process: subprocess.Popen[str]) -> None:
    """Let the holder come to its end."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.parametrize("end", [finish, subprocess.Popen.kill], ids=["finished", "killed"])
def test_the_next_one_goes_on_when_the_holder_ends(
    tmp_path: Path, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    """Finished or killed, the kernel lets the lock go; nothing is left to clean up."""
    messages: list[str] = []
    with holder(tmp_path) as process:

        def told(line: str) -> None:
            messages.append(line)
            end(process)

        with held(tmp_path, "flux2build build", 30, told):
            assert len(messages) == 1


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    """A build that fails does not keep the next one out."""
    with pytest.raises(KeyError), held(tmp_path, "flux2build build", 0, silent):
        raise KeyError
    with held(tmp_path, "flux2build build", 0, silent):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": 1}', '{"pid": "x", "since": "y"}'])
def test_a_holder_that_says_nothing_sensible_is_still_waited_for(tmp_path: Path, text: str) -> None:
    """What the holder says of itself is only shown, never believed."""
    messages: list[str] = []
    with holder(tmp_path):
        (tmp_path / ".flux2build" / "holder.json").write_text(text)
        with pytest.raises(SystemFault):
            taken(tmp_path, 0, messages.append)

    assert messages == ["waiting for another build"]


def test_a_hostile_holder_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    """Control codes in a holder's words are not passed on."""
    messages: list[str] = []
    words = {
        "pid": 1,
        "host": "h\x1b[2J",
        "command": "c\n::error::",
        "since": "2026-11-20T12:01:00",
    }
    with holder(tmp_path):
        (tmp_path / ".flux2build" / "holder.json").write_text(json.dumps(words))
        with pytest.raises(SystemFault):
            taken(tmp_path, 0, messages.append)

    assert messages == ["waiting for another build: pid 1 on h?[2J, `c?::error::`, since 12:01"]


def test_many_processes_take_turns(tmp_path: Path) -> None:
    """What is done under the lock is never interleaved."""
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNTER, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(5)]

    assert [process.wait() for process in processes] == [0] * 5
    assert (tmp_path / "count").read_text() == "50"


def test_a_disk_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks keep nobody out, or do not exist, nothing that costs money is started."""

    def missing(_: int) -> bool:
        raise OSError(38, "function not implemented")

    for broken in (lambda _: True, missing):
        with monkeypatch.context() as patch:
            patch.setattr(locks, "try_lock", broken)
            with pytest.raises(SystemFault, match="cannot be locked"):
                taken(tmp_path, 0, silent)


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A stranger's repository cannot have other files opened."""
    (tmp_path / ".flux2build").mkdir()
    (tmp_path / "victim").write_text("keep")
    (tmp_path / ".flux2build" / "lock").symlink_to("../victim")
    with pytest.raises(SystemFault, match="cannot lock"):
        taken(tmp_path, 0, silent)

    assert (tmp_path / "victim").read_text() == "keep"


def test_a_folder_that_cannot_be_written_in_is_named(tmp_path: Path) -> None:
    """Where the lock's folder cannot be made, the error says which."""
    (tmp_path / ".flux2build").write_text("a file")
    with pytest.raises(SystemFault, match=r"\.flux2build"):
        taken(tmp_path, 0, silent)
