"""How fast sketches are drawn, and on how many cores: real builds, from nothing.

    python benchmarks/sketches.py                    # 50 and 250 sketches of 512 by 512 pixels

What one more sketch needs is told without what starting takes. A loop that needs one core runs at the
same time: the cores that a build uses are told in what the loop gets, which other work on the machine
makes smaller for both.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from shots import tree
from table import FLUX2BUILD, Goal, Run, machine, markdown, timed

LOOP = "while True: pass"


@dataclass(frozen=True)
class Drawn:
    """What so many sketches more needed, in seconds each, and on how many cores."""

    more: int
    cpu: float
    seconds: float
    cores: float
    peak: float


def main() -> None:
    """Draw few and many, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sketches", type=int, nargs=2, default=[50, 250])
    parser.add_argument("--side", type=int, default=512)
    asked = parser.parse_args()
    print("\n".join(report(measured(*asked.sketches, asked.side), asked.side)))


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goals."""
    drawn, cores = measured(*((10, 50) if quick else (50, 250)), 512), os.cpu_count() or 1
    yield from (*report(drawn, 512), "")
    told = f"{drawn.cpu * 1000:.0f} ms"
    yield Goal("a sketch of 512²", "60 ms of processor time", told, drawn.cpu <= 0.06)
    least, told = 0.9 * cores, f"{drawn.cores:.2f}"
    yield Goal("sketches", f"{least:.1f} of {cores} cores", told, drawn.cores >= least)


def report(drawn: Drawn, side: int) -> Iterator[str]:
    """The table."""
    yield f"Sketches of {side} by {side} pixels ({machine()})"
    yield ""
    head = ("", "CPU each", "each takes", f"cores of {os.cpu_count()}", "peak")
    row = (f"one of {drawn.more} more", f"{drawn.cpu * 1000:.1f} ms")
    figures = (f"{drawn.seconds * 1000:.1f} ms", f"{drawn.cores:.2f}", f"{drawn.peak:.0f} MiB")
    yield from markdown(head, [[*row, *figures]])


def measured(few: int, many: int, side: int) -> Drawn:
    """What the sketches need by which two builds differ."""
    (less, a_loop), (most, loop) = built(few, side), built(many, side)
    more, cpu = many - few, most.cpu - less.cpu
    cores = min(cpu / (loop - a_loop), os.cpu_count() or 1)
    return Drawn(more, cpu / more, (most.seconds - less.seconds) / more, cores, most.peak)


def built(count: int, side: int) -> tuple[Run, float]:
    """A build of so many sketches, and the processor seconds of a loop that ran beside it."""
    with tree(count, side) as folder, subprocess.Popen([sys.executable, "-c", LOOP]) as loop:
        home = {"FLUX2BUILD_HOME": str(folder / "home")}
        run = timed([*FLUX2BUILD, "build", "--quiet"], folder, home)
        loop.kill()
        _, _, usage = os.wait4(loop.pid, 0)
        loop.returncode = -signal.SIGKILL
        return run, usage.ru_utime


if __name__ == "__main__":
    main()
