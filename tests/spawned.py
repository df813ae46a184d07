"""flux2build as a real process, with or without a terminal, whose output is read line by line."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PATIENCE: Final = 60
"""Seconds without output after which a process counts as hanging."""
_TAKE_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'flux2build', *sys.argv[1:]])"
)
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Process:
    """A running flux2build."""

    def __init__(self, popen: subprocess.Popen[bytes], talk: int, data: int | None) -> None:
        self._popen, self._terminal = popen, data is None
        self._talk, self._data = talk, talk if data is None else data
        self.said, self.printed = "", ""
        """The text on stderr and on stdout so far, without the terminal's control sequences."""
        self._seen = 0

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    def until(self, text: str) -> str:
        """Read stderr up to the next occurrence of a text, and return what came before it."""
        while (end := self.said.find(text, self._seen)) < 0:
            assert self._more(), f"it ended before it said {text!r}:\n{self.said}"
        start, self._seen = self._seen, end + len(text)
        return self.said[start : self._seen]

    def line(self) -> str:
        """Return the next line of stdout."""
        while "\n" not in self.printed:
            chunk = self._read(self._data)
            assert chunk, f"no more data:\n{self.said}"
            self.printed += _text(chunk)
        line, _, self.printed = self.printed.partition("\n")
        return line

    def until_line(self, start: str) -> str:
        """Return the next line of stdout with this start."""
        while not (line := self.line()).startswith(start):
            pass
        return line

    def interrupt(self) -> None:
        """Press Ctrl-C on a terminal; without one, send the signal that it stands for."""
        if self._terminal:
            os.write(self._talk, b"\x03")
        else:
            self.signal(signal.SIGINT)

    def type(self, words: str) -> None:
        """Type a line at its terminal."""
        os.write(self._talk, f"{words}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._popen.send_signal(number)

    def ended(self) -> int:
        """Read the rest, wait for the end, and return the exit code."""
        while self._more():
            pass
        return self._popen.wait(_PATIENCE)

    def _more(self) -> bool:
        chunk = self._read(self._talk)
        self.said += _text(chunk)
        return bool(chunk)

    def _read(self, stream: int) -> bytes:
        ready, _, _ = select.select([stream], [], [], _PATIENCE)
        assert ready, f"it hangs:\n{self.said}"
        try:
            return os.read(stream, 65536)
        except OSError:  # how Linux says that nobody is at the other end of a terminal
            return b""


def _text(chunk: bytes) -> str:
    return _ESCAPES.sub("", chunk.decode("utf-8", "replace"))


@contextmanager
def flux2build(
    folder: Path, *words: str, terminal: bool = False, **variables: str
) -> Iterator[Process]:
    """Start flux2build in a folder; it is killed if it still runs at the end."""
    environment = {**os.environ, "TERM": "xterm", **variables}
    if terminal:
        ours, theirs = os.openpty()
        command = [sys.executable, "-c", _TAKE_TERMINAL, *words]
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        streams: tuple[int, int | None] = (ours, None)
    else:
        popen = subprocess.Popen(
            [sys.executable, "-m", "flux2build", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert popen.stdout
        assert popen.stderr
        streams = (popen.stderr.fileno(), popen.stdout.fileno())
    with popen:
        try:
            yield Process(popen, *streams)
        finally:
            popen.kill()
            if terminal:
                os.close(streams[0])
