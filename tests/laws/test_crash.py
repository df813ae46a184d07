"""Killed anywhere, the next build completes what was begun, and nothing is bought twice unseen.

The trials are enumerations: every effect of a scene's build, one after the other.
A few of them run always, all of them with `FLUX2BUILD_DEEP=1`; `-s` shows the figures.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from flux2build.errors import Exit
from tests.laws.conftest import Staging
from tests.laws.crash import RECOVERY, ROOT, Play, cuts
from tests.laws.doors import Cut
from tests.laws.scenes import SCENES, scene

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
NAMES: Final = [each.name for each in SCENES]


def some(points: Sequence[Cut], count: int, salt: str) -> Sequence[Cut]:
    """All points in a deep run; else a few, evenly spread, others for each scene."""
    if DEEP:
        return points
    step = max(1, len(points) // count)
    return points[zlib.crc32(salt.encode()) % step :: step]


def figures(play: Play, what: str) -> None:
    """Say what was tried, for whoever runs with `-s`."""
    print(  # noqa: T201 - figures are for people
        f"{play.scene.name}, {what}: {play.trials} trials at {len(play.points)} points, "
        f"{play.doubts} orders in doubt, {play.charged_doubts} of them charged"
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_crash_buys_twice(stage: Staging, name: str) -> None:
    """Killed before, in or after any effect: the books are in order, and the next build finishes."""
    play = stage(scene(name))
    whole = play.whole()
    assert whole.code == play.scene.exit, whole.err
    assert len(play.server.bill()) - len(play.paid) == play.scene.orders
    assert not [each for each in whole.trace if each.kind == "unseen"]

    for cut in some(cuts(whole), 3, name):
        assert play.trial([cut]) == []
    figures(play, "killed")


@pytest.mark.parametrize("name", NAMES if DEEP else ["cold", "forced", "edited"])
def test_no_power_cut_buys_twice(stage: Staging, name: str) -> None:
    """What was not synced is gone: still nothing is bought twice, and nothing paid for is lost."""
    play = stage(scene(name))
    for cut in some(cuts(play.whole()), 3, name):
        assert play.trial([cut], power=True) == []
    figures(play, "power cut")


@pytest.mark.parametrize("name", NAMES if DEEP else ["cold", "resume"])
@pytest.mark.parametrize("power", [False, True])
def test_no_crash_of_a_recovery_buys_twice(stage: Staging, name: str, *, power: bool) -> None:
    """The build that recovers is killed as well, at any effect; in one run of three its recovery too."""
    play, chance = stage(scene(name)), random.Random(f"{name}{power}")
    points = cuts(play.whole())
    for number in range(60 if DEEP else 3):
        chosen = [chance.choice(points) for _ in range(3 if number % 3 == 2 else 2)]
        assert play.trial(chosen, power=power) == []
    figures(play, f"killed again{', then a power cut' * power}")


@pytest.mark.parametrize("name", ["cold", "at once", "forced", "resume"])
def test_ctrl_c_leaves_nothing_in_doubt(stage: Staging, name: str) -> None:
    """Interrupted at any effect, also between an order and its answer, a build ends in good order."""
    play = stage(scene(name))
    for cut in some(cuts(play.whole()), 2, name):
        play.restore()
        play.trials += 1
        before = play.server.bill()
        ended = play.run(play.scene.words, replace(cut, torn=False, signal=signal.SIGINT))

        assert ended.code in {play.scene.exit, Exit.INTERRUPTED}, ended.err
        assert "Traceback" not in ended.err
        assert play.ledger().doubts == {}
        assert play.recovered(before) == []
    assert play.doubts == 0
    figures(play, "interrupted")


@pytest.mark.parametrize("name", ["cold", "at once", "forced"])
def test_no_kill_at_a_random_instant_buys_twice(stage: Staging, name: str) -> None:
    """Real processes, started as people start them, and `kill -9` after a while."""
    play, chance = stage(scene(name)), random.Random(name)
    command = [sys.executable, "-m", "flux2build", *play.scene.words]
    environment = {**play.environment, "PYTHONPATH": str(ROOT)}
    for _ in range(60 if DEEP else 1):
        play.restore()
        play.trials += 1
        before = play.server.bill()
        with subprocess.Popen(
            command,
            cwd=play.tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(chance.uniform(0.3, 2.5))
            except subprocess.TimeoutExpired:
                process.kill()
        assert play.recovered(before) == []
    figures(play, "kill -9")


@pytest.mark.skipif(not DEEP or shutil.which("strace") is None, reason="deep, and needs strace")
@pytest.mark.parametrize("call", ["fsync", "rename", "write", "connect", "sendto", "recvfrom"])
def test_no_kill_at_a_system_call_buys_twice(stage: Staging, call: str) -> None:
    """The kernel kills a real process at its nth call, whatever Python thinks of doing it."""
    play = stage(scene("at once"))
    command = [sys.executable, "-m", "flux2build", *play.scene.words]
    environment = {**play.environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    killed = 0
    for number in range(1, 40, 2):
        play.restore()
        play.trials += 1
        before = play.server.bill()
        killing = f"inject={call}:signal=SIGKILL:when={number}"
        traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", killing]
        ended = subprocess.run(
            [*traced, *command], cwd=play.tree, env=environment, capture_output=True, check=False
        )
        killed += ended.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
        assert play.recovered(before) == []
    assert killed
    figures(play, f"{killed} times killed by the kernel at {call}")


def test_a_forced_purchase_in_doubt_is_asked_about(stage: Staging) -> None:
    """Killed between the POST and its answer under `--force`: the next build does not say `up to date`."""
    play = stage(scene("forced"))
    play.restore()
    before = play.server.bill()
    assert play.run(play.scene.words, Cut(2, after="POST ")).killed

    ended = play.run(RECOVERY)

    assert ended.code == Exit.DECIDE
    assert "`fox` may have been bought" in ended.err
    assert len(play.server.bill()) - len(before) <= 1


@pytest.mark.parametrize("moment", ['"ticketed"', '"delivered"'])
def test_a_forced_picture_survives_a_crash(stage: Staging, moment: str) -> None:
    """Killed under `--force` once it is paid for: the next build brings the new picture, not the old one."""
    play = stage(scene("forced"))
    play.restore()
    old = play.tree.joinpath("img/fox.png").read_bytes()
    assert play.run(play.scene.words, Cut(2, after=moment)).killed

    assert play.run(RECOVERY).code == Exit.DONE

    assert play.tree.joinpath("img/fox.png").read_bytes() != old


def test_a_new_shelf_of_the_store_is_durable(stage: Staging) -> None:
    """A folder whose maker died before syncing its name is not trusted: the next one syncs it."""
    play = stage(scene("cold"))
    whole = play.whole()
    shelf = next(
        number
        for number, each in enumerate(whole.trace, 1)
        if each.kind == "mkdir" and each.path.endswith("/home/store/sha256")
    )
    last = len(whole.trace)

    for later in range(last - 60, last, 1 if DEEP else 20):
        assert play.trial([Cut(shelf + 1), Cut(later)], power=True) == []
