"""The process in which networks run; if it crashes, one file fails, and the next one starts it again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import IO, Final

from msgspec import Struct, field
from PIL import Image

from flux2build.building.cores import cores
from flux2build.building.networks.files import NetworkFiles
from flux2build.errors import Flux2BuildError, HaltedError, IncompleteError, SystemFault, one_line
from flux2build.extras import pip_install
from flux2build.images.ops.contract import NetworkOp, Weights
from flux2build.purchasing.weights.messages import Message, encoded, read

COMMAND: Final = (sys.executable, "-P", "-m", "flux2build.building.networks.worker")
"""`-P`: a `numpy.py` in the user's folder must not be imported instead of numpy."""
_WAITING: Final = {"OMP_WAIT_POLICY": "passive"}
"""Idle threads leave the cores to the rest of the build."""
_MOST: Final = 8192
"""Most bytes of its output that are read for a message."""


class NetworkProcess(Struct, eq=False):
    """Runs operations in one process, one after the other; threads may share it."""

    opened: Callable[[NetworkOp], NetworkFiles]
    """Returns the files of an operation's network, or raises `SystemFault`."""
    halted: Callable[[], bool]
    """Whether the build is stopping, so that nothing new may start."""
    command: Sequence[str] = COMMAND
    threads: int = field(default_factory=cores)
    on_part: Callable[[str, int, int], None] = lambda _op, _part, _parts: None
    """The callback for each finished part of a picture, with the number of parts."""
    _process: subprocess.Popen[bytes] | None = None
    _printed: IO[bytes] | None = None
    _closed: bool = False
    _running: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        return self._process.pid if self._process else None

    def draw(self, op: NetworkOp, image: Image.Image) -> Image.Image:
        """The picture after an operation.

        Raises:
            SystemFault: the network is not on this machine, or cannot be used.
            IncompleteError: the network did not return a picture.
        """
        files = self.opened(op)
        if isinstance(op.model, Weights) and op.model.sha256 != files.digest:
            hint = "build again"
            raise SystemFault(f"the weights of `{files.name}` have changed meanwhile", hint=hint)
        numbers, parts = count(1), op.parts(image)

        def network(part: Image.Image) -> Image.Image:
            result = self._made(files, part)
            self.on_part(op.name, next(numbers), parts)
            return result

        with self._running:
            return op.drawn(image, network)

    def _made(self, files: NetworkFiles, part: Image.Image) -> Image.Image:
        """The result of the network for a picture or a part of one."""
        if self._closed or self.halted():
            raise HaltedError
        facts = {
            "engine": files.engine,
            "paths": files.paths,
            "settings": files.settings,
            "threads": self.threads,
            "size": part.size,
        }
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(encoded(Message("run", facts, [part.tobytes()])))
            process.stdin.flush()
            answer = read(process.stdout)
        except (EOFError, OSError):
            raise self._ended(files, process) from None
        if answer.kind != "done":
            raise _failure(files, answer.facts["fault"], answer.facts["message"])
        return Image.frombytes(answer.facts["mode"], answer.facts["size"], answer.pictures[0])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            import tempfile

            self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._printed,
                env={**os.environ, **_WAITING},
                start_new_session=True,  # Ctrl-C is for the build, which decides what to stop
            )
        return self._process

    def _ended(self, files: NetworkFiles, process: subprocess.Popen[bytes]) -> Flux2BuildError:
        """The error about a process that ended without an answer."""
        code, printed = process.wait(), self._printed
        if self._closed:
            return HaltedError()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last: list[str] = []
        if printed is not None:
            printed.seek(max(0, printed.seek(0, os.SEEK_END) - _MOST))
            last = printed.read().decode(errors="replace").strip().splitlines()[-1:]
        self._end()
        reason = one_line(": ".join([how, *last]))
        hint = "see that its files are whole, and that memory suffices"
        return IncompleteError(f"the model `{files.name}` crashed: {reason}", hint=hint)

    def _end(self) -> None:
        process, self._process = self._process, None
        printed, self._printed = self._printed, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                _close(stream)
        _close(printed)

    def close(self) -> None:
        """End the process, whatever it is doing, and start no other one."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._running:
            self._end()


def _close(stream: IO[bytes] | None) -> None:
    if stream is None:
        return
    try:
        stream.close()
    except OSError:  # nothing reads the rest of the input
        return


def _failure(files: NetworkFiles, fault: str, reason: str) -> Flux2BuildError:
    """The error about a picture that a network did not make."""
    reason = one_line(reason)
    if fault == "extra":
        extra = "upscale" if files.engine == "ncnn" else "cutout"
        hint = f"`{pip_install(extra)}`"
        return SystemFault(
            f"the model `{files.name}` needs the extra `{extra}`: {reason}", hint=hint
        )
    if fault == "model":
        rows = (("file", files.paths[0]),)
        return SystemFault(f"the model `{files.name}` cannot be used: {reason}", rows=rows)
    return IncompleteError(f"the model `{files.name}` failed: {reason}")
