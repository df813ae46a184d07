"""Real processes in one tree: they wait for each other, can be interrupted, and are completed."""

from __future__ import annotations

import re
import signal
from typing import Final

import pytest

from flux2build import lockfile
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.storage.disk import home
from tests.conftest import Site
from tests.spawned import flux2build

MANY: Final = 24


@pytest.fixture
def wall(empty: Site) -> Site:
    """A site with many pictures, each with a file derived from it."""
    assets = "".join(
        f'[asset.p{number}]\nprompt = "picture {number}"\n'
        f'[[asset.p{number}.deliver]]\npath = "p{number}.webp"\n'
        for number in range(MANY)
    )
    empty.write(
        "assets.toml",
        f'[project]\noutput = "img"\n[defaults]\nwidth = 256\nheight = 256\n{assets}',
    )
    return empty


def consistent(site: Site) -> lockfile.Lockfile:
    """The lock, once everything it says is found true, and nothing unfinished lies about."""
    lock = lockfile.loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    for block in lock.blocks.values():
        for row in (block.generated, *block.derived):
            if row is not None:
                data = site.folder.joinpath(row.output.path).read_bytes()
                assert of_bytes(data) == row.output.sha256
    unfinished = [*site.folder.rglob(".flux2build-*"), *home().rglob(".flux2build-*")]
    assert unfinished == []
    return lock


def test_a_second_build_waits_and_then_reuses(wall: Site) -> None:
    """It says for whom it waits, and finds everything made when its turn comes."""
    with flux2build(wall.folder, "build") as first:
        first.until("render ")
        first.signal(signal.SIGSTOP)
        with flux2build(wall.folder, "build") as second:
            output = second.until("`flux2build build`, since")
            assert f"waiting for another build: pid {first.pid} on " in output
            first.signal(signal.SIGCONT)
            assert first.ended() == Exit.DONE
            assert second.ended() == Exit.DONE

    assert f"Built: {MANY} rendered, {MANY} derived, 0 up to date." in first.said
    assert f"Up to date (default): {2 * MANY} files. Nothing to do." in second.said
    assert "render " not in second.said
    consistent(wall)


def test_a_second_build_waits_no_longer_than_told(wall: Site) -> None:
    """`--lock-timeout` ends the waiting with the environment's exit code; nothing was done."""
    with flux2build(wall.folder, "build") as first:
        first.until("render ")
        first.signal(signal.SIGSTOP)
        with flux2build(wall.folder, "build", "--lock-timeout", "0.1") as second:
            assert second.ended() == Exit.SYSTEM
        first.signal(signal.SIGCONT)
        assert first.ended() == Exit.DONE

    assert f"waited 0.1 s for another build: pid {first.pid}" in second.said
    assert "`--lock-timeout SECONDS`" in second.said


def test_a_build_that_is_killed_lets_go(wall: Site) -> None:
    """The kernel drops the lock of a dead process: the waiting one goes on and completes."""
    with flux2build(wall.folder, "build") as first:
        first.until("render ")
        first.signal(signal.SIGSTOP)
        with flux2build(wall.folder, "build") as second:
            second.until("waiting for another build")
            first.signal(signal.SIGKILL)
            assert second.ended() == Exit.DONE

    assert wall.run("check").code == Exit.DONE
    assert len(consistent(wall).blocks) == MANY


@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupted_build_is_completed_by_the_next(wall: Site, *, terminal: bool) -> None:
    """After Ctrl-C lock and files agree, and no picture that is there is drawn again."""
    with flux2build(wall.folder, "-v", terminal=terminal) as process:
        process.until("render ")
        process.interrupt()
        assert process.ended() == Exit.INTERRUPTED
    assert "the next build goes on from here" in process.said
    assert "Traceback" not in process.said
    blocks = len(consistent(wall).blocks)
    assert 0 < blocks < MANY

    ran = wall.run("build")
    assert ran.code == Exit.DONE
    drawn = re.findall(r"^render +(\S+)", ran.err, re.MULTILINE)
    assert len(drawn) == MANY - blocks
    assert len(consistent(wall).blocks) == MANY
    assert wall.run("check").code == Exit.DONE


def test_commands_that_only_read_wait_for_nobody(wall: Site) -> None:
    """While a build holds the tree, looking at it goes on."""
    with flux2build(wall.folder, "build") as first:
        first.until("render ")
        first.signal(signal.SIGSTOP)
        for words in (["plan"], ["list"], ["check"], ["graph"], ["doctor"]):
            with flux2build(wall.folder, *words) as other:
                assert other.ended() in {Exit.DONE, Exit.DRIFT}
            assert "waiting" not in other.said
