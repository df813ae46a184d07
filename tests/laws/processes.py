"""Commands in forked processes, each of which can be traced and killed at an effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

from tests.laws.interception import Cut, Effect, Fault, read_trace

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 60.0
"""Seconds without any work after which a command counts as hanging."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to."""

    code: int
    """Minus the signal that killed it."""
    hung: bool
    out: str
    err: str
    trace: tuple[Effect, ...] = ()

    @property
    def killed(self) -> bool:
        """Whether it was cut."""
        return self.code == -9


class ForkServer:
    """Runs commands in forked processes that have flux2build in memory already."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process, self._scratch = process, scratch
        self._started = 0

    def ask(self, **asked: Any) -> dict[str, int]:
        """One question, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer

    def start(
        self,
        words: Sequence[str],
        folder: Path,
        environment: dict[str, str],
        cut: Cut | None = None,
        mutant: str | None = None,
        *,
        fault: Fault | None = None,
        traced: bool = True,
    ) -> Child:
        """Start a command."""
        self._started += 1
        paths = [str(self._scratch / f"{self._started}.{name}") for name in ("out", "err", "trace")]
        run = {
            "words": list(words),
            "folder": str(folder),
            "environment": environment,
            "out": paths[0],
            "err": paths[1],
            "trace": paths[2] if traced else None,
            "cut": astuple(cut) if cut else None,
            "fault": astuple(fault) if fault else None,
            "mutant": mutant,
        }
        return Child(self, self.ask(run=run)["child"], paths)


@dataclass(frozen=True, slots=True)
class Child:
    """A command that was started."""

    fork_server: ForkServer
    number: int
    paths: Sequence[str]

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.fork_server.ask(kill=self.number, signal=number)

    def end(self) -> Outcome:
        """Wait for its end."""
        answer = self.fork_server.ask(wait=self.number, patience=PATIENCE)
        out, err = (Path(path).read_text("utf-8", "replace") for path in self.paths[:2])
        trace = tuple(read_trace(self.paths[2])) if Path(self.paths[2]).exists() else ()
        for path in self.paths:
            Path(path).unlink(missing_ok=True)
        return Outcome(answer["code"], bool(answer["hung"]), out, err, trace)


@contextmanager
def running_fork_server(scratch: Path) -> Iterator[ForkServer]:
    """Run a fork server, and close it at the end."""
    command = [sys.executable, "-m", "tests.laws.fork_server"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield ForkServer(process, scratch)
        finally:
            assert process.stdin is not None
            process.stdin.close()
