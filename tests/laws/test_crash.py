"""Killed anywhere, the next build completes what was begun, and nothing is bought twice unseen.

The trials are enumerations: every effect of a situation's build, one after the other.
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
from tests.laws.conftest import MakeSandbox
from tests.laws.interception import Cut
from tests.laws.processes import ROOT
from tests.laws.situations import SITUATIONS, situation
from tests.laws.trials import RECOVERY, Sandbox, cuts

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
NAMES: Final = [each.name for each in SITUATIONS]


def some(points: Sequence[Cut], count: int, salt: str) -> Sequence[Cut]:
    """All points in a deep run; else a few, evenly spread, others for each situation."""
    if DEEP:
        return points
    step = max(1, len(points) // count)
    return points[zlib.crc32(salt.encode()) % step :: step]


def figures(sandbox: Sandbox, what: str) -> None:
    """Say what was tried, for whoever runs with `-s`."""
    print(  # noqa: T201 - figures are for people
        f"{sandbox.situation.name}, {what}: {sandbox.trials} trials at {len(sandbox.points)} points, "
        f"{sandbox.doubts} orders in doubt, {sandbox.charged_doubts} of them charged"
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_crash_buys_twice(make_sandbox: MakeSandbox, name: str) -> None:
    """Killed before, in or after any effect: the books are in order, and the next build finishes."""
    sandbox = make_sandbox(situation(name))
    whole = sandbox.whole()
    assert whole.code == sandbox.situation.exit, whole.err
    assert len(sandbox.server.bill()) - len(sandbox.paid) == sandbox.situation.orders
    assert not [each for each in whole.trace if each.kind == "unseen"]

    for cut in some(cuts(whole), 3, name):
        assert sandbox.trial([cut]) == []
    figures(sandbox, "killed")


@pytest.mark.parametrize("name", NAMES if DEEP else ["cold", "forced", "edited"])
def test_no_power_cut_buys_twice(make_sandbox: MakeSandbox, name: str) -> None:
    """What was not synced is gone: still nothing is bought twice, and nothing paid for is lost."""
    sandbox = make_sandbox(situation(name))
    for cut in some(cuts(sandbox.whole()), 3, name):
        assert sandbox.trial([cut], power=True) == []
    figures(sandbox, "power cut")


@pytest.mark.parametrize("name", NAMES if DEEP else ["cold", "resume"])
@pytest.mark.parametrize("power", [False, True])
def test_no_crash_of_a_recovery_buys_twice(
    make_sandbox: MakeSandbox, name: str, *, power: bool
) -> None:
    """The build that recovers is killed as well, at any effect; in one run of three its recovery too."""
    sandbox, chance = make_sandbox(situation(name)), random.Random(f"{name}{power}")
    points = cuts(sandbox.whole())
    for number in range(150 if DEEP else 3):
        chosen = [chance.choice(points) for _ in range(3 if number % 3 == 2 else 2)]
        assert sandbox.trial(chosen, power=power) == []
    figures(sandbox, f"killed again{', then a power cut' * power}")


@pytest.mark.parametrize("name", ["cold", "chain", "replicate"] if DEEP else ["cold"])
def test_no_crash_beside_another_tree_buys_twice(make_sandbox: MakeSandbox, name: str) -> None:
    """Two trees of one home build the same, and one is killed: both complete, and pay only once."""
    sandbox = make_sandbox(situation(name))
    for cut in some(cuts(sandbox.whole()), 3, name):
        assert sandbox.beside(cut) == []
    figures(sandbox, "killed beside another")


@pytest.mark.parametrize("name", ["cold", "at once", "forced", "resume"])
def test_ctrl_c_leaves_nothing_in_doubt(make_sandbox: MakeSandbox, name: str) -> None:
    """Interrupted at any effect, also between an order and its answer, a build ends in good order."""
    sandbox = make_sandbox(situation(name))
    for cut in some(cuts(sandbox.whole()), 2, name):
        sandbox.restore()
        sandbox.trials += 1
        before = sandbox.server.bill()
        outcome = sandbox.run(sandbox.words, replace(cut, torn=False, signal=signal.SIGINT))

        assert outcome.code in {sandbox.situation.exit, Exit.INTERRUPTED}, outcome.err
        assert "Traceback" not in outcome.err
        assert sandbox.ledger().doubts == {}
        assert sandbox.recovered(before) == []
    assert sandbox.doubts == 0
    figures(sandbox, "interrupted")


@pytest.mark.parametrize("name", ["cold", "at once", "forced"])
def test_no_kill_at_a_random_instant_buys_twice(make_sandbox: MakeSandbox, name: str) -> None:
    """Real processes, started as people start them, and `kill -9` after a while."""
    sandbox, chance = make_sandbox(situation(name)), random.Random(name)
    command = [sys.executable, "-m", "flux2build", *sandbox.words]
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT)}
    for _ in range(60 if DEEP else 1):
        sandbox.restore()
        sandbox.trials += 1
        before = sandbox.server.bill()
        with subprocess.Popen(
            command,
            cwd=sandbox.tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(chance.uniform(0.3, 2.5))
            except subprocess.TimeoutExpired:
                process.kill()
        assert sandbox.recovered(before) == []
    figures(sandbox, "kill -9")


@pytest.mark.skipif(not DEEP or shutil.which("strace") is None, reason="deep, and needs strace")
@pytest.mark.parametrize("call", ["fsync", "rename", "write", "connect", "sendto", "recvfrom"])
def test_no_kill_at_a_system_call_buys_twice(make_sandbox: MakeSandbox, call: str) -> None:
    """The kernel kills a real process at its nth call, whatever Python thinks of doing it."""
    sandbox = make_sandbox(situation("at once"))
    command = [sys.executable, "-m", "flux2build", *sandbox.words]
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    killed = 0
    for number in range(1, 40, 2):
        sandbox.restore()
        sandbox.trials += 1
        before = sandbox.server.bill()
        killing = f"inject={call}:signal=SIGKILL:when={number}"
        traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", killing]
        outcome = subprocess.run(
            [*traced, *command], cwd=sandbox.tree, env=environment, capture_output=True, check=False
        )
        killed += outcome.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
        assert sandbox.recovered(before) == []
    assert killed
    figures(sandbox, f"{killed} times killed by the kernel at {call}")


def test_a_forced_purchase_in_doubt_is_asked_about(make_sandbox: MakeSandbox) -> None:
    """Killed between the POST and its answer under `--force`: the next build does not say `up to date`."""
    sandbox = make_sandbox(situation("forced"))
    sandbox.restore()
    before = sandbox.server.bill()
    assert sandbox.run(sandbox.words, Cut(2, after="POST ")).killed

    outcome = sandbox.run(RECOVERY)

    assert outcome.code == Exit.DECIDE
    assert "`fox` may have been bought" in outcome.err
    assert len(sandbox.server.bill()) - len(before) <= 1


@pytest.mark.parametrize("moment", ['"ticketed"', '"delivered"'])
def test_a_forced_picture_survives_a_crash(make_sandbox: MakeSandbox, moment: str) -> None:
    """Killed under `--force` once it is paid for: the next build brings the new picture, not the old one."""
    sandbox = make_sandbox(situation("forced"))
    sandbox.restore()
    old = sandbox.tree.joinpath("img/fox.png").read_bytes()
    assert sandbox.run(sandbox.words, Cut(2, after=moment)).killed

    assert sandbox.run(RECOVERY).code == Exit.DONE

    assert sandbox.tree.joinpath("img/fox.png").read_bytes() != old


def test_a_new_folder_of_the_store_is_durable(make_sandbox: MakeSandbox) -> None:
    """A folder whose maker died before syncing its name is not trusted: the next one syncs it."""
    sandbox = make_sandbox(situation("cold"))
    whole = sandbox.whole()
    made_at = next(
        number
        for number, each in enumerate(whole.trace, 1)
        if each.kind == "mkdir" and each.path.endswith("/home/store/sha256")
    )
    last = len(whole.trace)

    for later in range(last - 60, last, 1 if DEEP else 20):
        assert sandbox.trial([Cut(made_at + 1), Cut(later)], power=True) == []
