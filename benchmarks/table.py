"""What the benchmarks share: a command's time and memory, a goal, and a table to paste."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_UNUSUAL = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"})
FLUX2BUILD = [sys.executable, "-m", "flux2build"]


@dataclass(frozen=True)
class Run:
    """What a command needed once."""

    seconds: float
    cpu: float
    """Processor seconds, its children's too."""
    peak: float
    """Largest resident set in MiB."""


@dataclass(frozen=True)
class Goal:
    """What flux2build is to reach, and what it took."""

    what: str
    goal: str
    measured: str
    reached: bool


def timed(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    codes: Collection[int] = frozenset({0}),
) -> Run:
    """Run a command to its end, in a folder; what it says is thrown away."""
    before = time.perf_counter()
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**_usual(), **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise SystemExit(f"{' '.join(words)} failed:\n{said.decode(errors='replace')[-2000:]}")
    seconds = time.perf_counter() - before
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _usual() -> dict[str, str]:
    """The environment; modules that were compiled once stay compiled, as they do for users."""
    return {name: value for name, value in os.environ.items() if name not in _UNUSUAL}


def machine() -> str:
    """What the figures were measured on, and when."""
    day = datetime.now(UTC).date()
    return f"{day}, {os.cpu_count()} cores, Python {platform.python_version()}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table; the first column is text, the others are figures."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def milliseconds(seconds: float) -> str:
    """A short time for people."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
