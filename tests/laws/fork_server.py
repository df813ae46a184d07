"""A fork server: it has flux2build in memory, and forks a child for each command.

Starting Python a thousand times is what makes crash tests slow. The server reads
one JSON object per line: `{"run": …}` starts a child and answers with its process
id, `{"wait": id}` answers with its exit code, or minus the signal that killed it.

A child is a real process: it runs the whole command line, and is killed for real.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

from PIL import Image

import flux2build
from flux2build.cli.entry import main
from flux2build.purchasing.http import clock, pool
from tests.laws import mutants
from tests.laws.interception import Cut, Fault, Interceptor

_ROUNDS: Final = 15
"""How often the work of a child is looked at before it is said never to end."""
_PACE: Final = 0.01
"""The share of its real waiting time that a build waits between two polls."""


class Run(TypedDict):
    """One command, and how it is to end."""

    words: list[str]
    folder: str
    environment: dict[str, str]
    out: str
    err: str
    trace: str | None
    """The file to which effects are recorded; without it, effects are not intercepted."""
    cut: tuple[int, bool, str, int] | None
    fault: tuple[int, str, int, bool] | None
    mutant: str | None
    """The mutant to run, to see whether the tests notice."""


def _preload() -> None:
    """Import what any build needs, so that no child has to."""
    worker = "flux2build.purchasing.weights.pipelines"  # imports what an extra installs
    skipped = ("flux2build.simulator", "flux2build.__main__", worker)
    for module in pkgutil.walk_packages(flux2build.__path__, "flux2build."):
        if not module.name.startswith(skipped):
            importlib.import_module(module.name)
    for name in ("anyio._backends._asyncio", "httpcore", "encodings.utf_8_sig"):
        importlib.import_module(name)
    Image.init()
    pool._certificates()
    gc.collect()
    gc.freeze()


async def _hurried(_: clock.Monotonic, seconds: float) -> None:
    await asyncio.sleep(seconds * _PACE)


def _child(run: Run) -> None:
    """Run a command as if this process had been started for it."""
    os.chdir(run["folder"])
    os.environ.clear()
    os.environ.update(run["environment"])
    for number, (path, flags) in enumerate(
        (
            (os.devnull, os.O_RDONLY),
            (run["out"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
            (run["err"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
        )
    ):
        os.dup2(os.open(path, flags), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1)
    faulthandler.enable()  # a crash of the interpreter says where
    setattr(clock.Monotonic, "sleep", _hurried)  # noqa: B010 - a simulator need not be waited for
    changed = mutants.MUTANTS[run["mutant"]] if run["mutant"] else None
    if run["trace"] is not None:
        syncing = changed is None or changed.syncing
        cut = Cut(*run["cut"]) if run["cut"] else None
        fault = Fault(*run["fault"]) if run["fault"] else None
        Interceptor(run["trace"], cut, fault, syncing=syncing).install()
    if changed is not None:
        changed.apply()
    code = main(run["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _start(run: Run) -> int:
    if (child := os.fork()) == 0:
        try:
            _child(run)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(99)
    return child


def _wait(child: int, patience: float) -> dict[str, int]:
    """The exit code of a child; one that hangs is killed and said to hang.

    It hangs if nothing comes of it for so many seconds, or if it never ends: on a busy machine what
    others do takes time, too.
    """
    file, worked, hangs = os.pidfd_open(child), -1, True
    try:
        for _ in range(_ROUNDS):
            hangs = not select.select([file], [], [], patience)[0]
            before, worked = worked, _work(child)
            if not hangs or worked == before:
                break
    finally:
        os.close(file)
    if hangs:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "hung": int(hangs)}


def _work(child: int) -> int:
    """The processor time that a child and those of its own which have ended took, in ticks."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _answer(asked: Mapping[str, Any]) -> dict[str, int]:
    if "run" in asked:
        return {"child": _start(asked["run"])}
    if "kill" in asked:
        os.kill(asked["kill"], asked["signal"])
        return {}
    return _wait(asked["wait"], asked["patience"])


def serve() -> None:
    """Carry out each line from stdin, and answer on stdout."""
    _preload()
    for text in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(text))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
