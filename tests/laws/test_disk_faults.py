"""On a disk that fails, at any call and in any way, nothing is bought twice and nothing is lost.

The calls of a build are counted first; then each of them fails, alone or with all that follow. A few
of these trials run always, all of them with `FLUX2BUILD_DEEP=1`; `-s` shows the figures.
"""

from __future__ import annotations

import errno
import zlib
from dataclasses import replace
from typing import Final

import pytest

from flux2build.errors import Exit
from tests.laws.conftest import MakeSandbox
from tests.laws.interception import KINDS, Cut, Fault
from tests.laws.situations import HEAD, situation
from tests.laws.test_crash import DEEP, figures, some
from tests.laws.trials import Sandbox, Situation

_NEVER: Final = 10**6
_SPEC: Final = (
    HEAD
    + """\
[asset.fox]
prompt = "a fox"
[asset.den]
prompt = "its den"
refs = [{ asset = "fox" }]
[[asset.den.deliver]]
path = "den-{{ width }}.webp"
widths = [32, 48]
[asset.owl]
prompt = "an owl"
"""
)
CASES: Final = (
    Situation("references and files", _SPEC, orders=3),
    *map(situation, ("resume", "forced", "restored", "edited", "kept aside") if DEEP else ()),
    *map(situation, ("unwanted", "resubmit", "write off", "adopt", "recover") if DEEP else ()),
)
PARTS: Final = ("home", "tree", "")
"""The disks that fail: that of ledger and store, that of the project, and all."""
NAMES: Final = {number: errno.errorcode[number] for number in KINDS}


def faults(sandbox: Sandbox, number: int, part: str) -> list[Fault]:
    """All faults of a kind on one disk, or just one: a call fails alone, or with all later ones."""
    under = str(sandbox.folder / "live" / part).rstrip("/")
    dry = Fault(number, under, _NEVER)
    sandbox.restore()
    trace = sandbox.run(sandbox.words, fault=dry).trace
    count = sum(each.kind == "concerned" for each in trace)
    every = [
        replace(dry, at=at, lasting=lasting)
        for at in range(1, count + 1)
        for lasting in (False, True)
    ]
    return every if DEEP else [every[zlib.crc32(f"{number}{part}".encode()) % len(every)]]


@pytest.mark.parametrize("number", sorted(KINDS), ids=NAMES.get)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_fault_of_a_disk_buys_twice(
    make_sandbox: MakeSandbox, case: Situation, number: int
) -> None:
    """The error names the path; the next build on a whole disk completes, and pays for nothing twice."""
    sandbox = make_sandbox(case)
    parts = PARTS if DEEP else [PARTS[number % len(PARTS)]]
    points = [fault for part in parts for fault in faults(sandbox, number, part)]
    complaints = [each for fault in points for each in sandbox.failing(fault)]
    figures(sandbox, NAMES[number])
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=NAMES.get)
def test_no_power_cut_after_a_fault_loses_a_picture(make_sandbox: MakeSandbox, number: int) -> None:
    """What a build says to have kept, in the store or in the spool, is there after a power cut."""
    sandbox = make_sandbox(CASES[0])
    points = [fault for fault in faults(sandbox, number, "home") if fault.lasting or not DEEP]
    complaints = [each for fault in points for each in sandbox.failing(fault, power=True)]
    figures(sandbox, f"{NAMES[number]}, then a power cut")
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", ["unwanted", "resume"])
def test_what_is_paid_for_is_collected_on_a_full_disk(make_sandbox: MakeSandbox, name: str) -> None:
    """Nothing can be written where ledger and store lie: the spool takes what was under way."""
    sandbox = make_sandbox(situation(name))
    full = Fault(errno.ENOSPC, str(sandbox.home), at=1, lasting=True)
    assert sandbox.failing(full) == []


def storeless(sandbox: Sandbox) -> Fault:
    """The disk of ledger and store is full once the first picture arrives."""
    dry = Fault(errno.ENOSPC, str(sandbox.home), _NEVER, lasting=True)
    trace = sandbox.run(sandbox.words, fault=dry).trace
    mkdir = f"mkdir {sandbox.home}/store"
    sandbox.restore()
    calls = (each for each in trace if each.kind == "concerned" and each.path.startswith(mkdir))
    return replace(dry, at=next(calls).offset)


def test_a_build_that_spools_nothing_is_caught(make_sandbox: MakeSandbox) -> None:
    """The trial complains of what a broken build left at the provider, and clears an honest one."""
    guilty, honest = make_sandbox(CASES[0], "nothing spooled"), make_sandbox(CASES[0])

    assert any("not collected" in each for each in guilty.failing(storeless(guilty)))
    assert honest.failing(storeless(honest)) == []


def test_no_power_cut_while_spooling_loses_a_picture(make_sandbox: MakeSandbox) -> None:
    """The store fails for good; at each later barrier, everything that was not synced is gone."""
    sandbox = make_sandbox(CASES[0])
    fault = storeless(sandbox)
    trace = sandbox.run(sandbox.words, fault=fault).trace
    effects = [each for each in trace if each.kind != "concerned"]
    barriers = [Cut(n + 1) for n, each in enumerate(effects, 1) if each.kind == "sync"]
    assert any("/tmp/flux2build-" in each.path for each in effects if each.kind == "sync")

    for cut in some(barriers, 2, "spool"):
        assert sandbox.failing(fault, cut, power=True) == []
    figures(sandbox, "cut off while spooling")


@pytest.mark.parametrize("part", ["home", "tree"])
def test_a_full_disk_is_told_before_anything_is_bought(
    make_sandbox: MakeSandbox, part: str
) -> None:
    """The first order of a run is not sent if its picture could not be written."""
    sandbox = make_sandbox(CASES[0])
    live, before = sandbox.folder / "live", sandbox.server.bill()
    full = Fault(errno.ENOSPC, str(live / part), at=1, lasting=True)

    outcome = sandbox.run(sandbox.words, fault=full)

    assert outcome.code == Exit.SYSTEM
    assert str(live / part) in outcome.err
    assert sandbox.server.bill() == before
