"""What a grown ledger adds to each command: 100,000 lines of other projects, beside an empty one.

python benchmarks/ledger.py
python benchmarks/ledger.py --lines 1000000 --rounds 5
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from changes import grow, life
from shots import written
from table import FLUX2BUILD, Goal, machine, markdown, milliseconds, timed

from flux2build.ledger.journal import Journal

COMMANDS = (
    "plan",
    "build",
    "check",
    "plan --json",
    "cost",
    "doctor",
    "orders list",
    "watch --max-cost 1",
)
MOST = 0.02
"""Seconds that a grown ledger may add."""
Figures = dict[str, float]
"""What one command took, in processor seconds."""


def main() -> None:
    """Measure every command beside both ledgers, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    print("\n".join(report(figures(asked.lines, asked.rounds), asked.lines, asked.rounds)))


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goals."""
    lines, rounds = 100_000, 3 if quick else 9
    took = figures(lines, rounds)
    yield from (*report(took, lines, rounds), "")
    for when, name in (("", "grown"), (" just after an order elsewhere", "after")):
        adds = {command: each[name] - each["empty"] for command, each in took.items()}
        worst = max(adds, key=lambda command: adds[command])
        what = f"a ledger of {lines:,} lines{when}, any command"
        figure = f"{milliseconds(adds[worst])} (`{worst}`)"
        yield Goal(what, f"{milliseconds(MOST)} more", figure, adds[worst] <= MOST)


def report(took: Mapping[str, Figures], lines: int, rounds: int) -> Iterator[str]:
    """The table."""
    yield f"Processor time, median of {rounds}; {lines:,} lines ({machine()})"
    yield ""
    rows = [
        (
            f"`{command}`",
            *(milliseconds(each[name]) for name in ("empty", "grown")),
            *(milliseconds(each[name] - each["empty"]) for name in ("grown", "after")),
        )
        for command, each in took.items()
    ]
    yield from markdown(("", "empty", "grown", "adds", "adds after an order elsewhere"), rows)


def figures(lines: int, rounds: int) -> dict[str, Figures]:
    """What each command takes beside an empty ledger and a grown one."""
    folder = Path(tempfile.mkdtemp())
    try:
        homes = {0: folder / "none", lines: folder / "grown"}
        for count, home in homes.items():
            grow(home, count)
            prepare(folder / f"tree-{count}", home)
        time.sleep(0.1)  # until the ledger's times are old enough to be trusted
        return {command: measured(folder, homes, command, rounds) for command in COMMANDS}
    finally:
        shutil.rmtree(folder)


def prepare(tree: Path, home: Path) -> None:
    """Build a tree, and let each command look at the ledger once."""
    tree.mkdir()
    written(tree, 1, 64, "sketch")
    for command in ("build", "cost", "cost"):
        timed([*FLUX2BUILD, command], tree, {"FLUX2BUILD_HOME": str(home)})


def measured(folder: Path, homes: Mapping[int, Path], command: str, rounds: int) -> Figures:
    """What one command takes beside each ledger, in turns."""
    (none, empty), (lines, grown) = homes.items()
    runs: dict[str, list[float]] = {"empty": [], "grown": [], "after": []}
    for number in range(rounds):
        runs["empty"].append(taken(folder / f"tree-{none}", empty, command))
        runs["grown"].append(taken(folder / f"tree-{lines}", grown, command))
        for entry in life(lines + number):
            Journal(grown / "ledger.jsonl").append(entry)
        runs["after"].append(taken(folder / f"tree-{lines}", grown, command))
        taken(folder / f"tree-{lines}", grown, "plan --json")  # it looks at the ledger
    return {name: statistics.median(each) for name, each in runs.items()}


def taken(tree: Path, home: Path, command: str) -> float:
    """The processor seconds of one command; `watch` is ended once it waits.

    `doctor` says that the pictures of those orders are missing, and exits with 5.
    """
    with subprocess.Popen(
        [*FLUX2BUILD, *command.split()],
        cwd=tree,
        env={**os.environ, "FLUX2BUILD_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("watching"):
                process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
