"""Intercepts the effects of a process on the disk and the network, to record and to cut them.

`Interceptor.install` wraps every call with which a build changes a file or talks
to a server. Each call is an *effect*: it has a number, is recorded in the trace
once it has happened, and the process can be killed before any of them, or in the
middle of the bytes of one. An audit hook records what was not intercepted, which
proves that the list of calls is complete.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SHOWN: Final = 64 * 1024
"""Bytes of what is sent that the trace keeps."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a process did to the disk or said to a server."""

    kind: str
    """`create write sync rename unlink mkdir truncate connect send receive`; `unseen` if not intercepted.

    `concerned` is a call that a fault is about, before it is made.
    """
    path: str
    """The file, the new name of a renamed one after a line break, or the peer."""
    data: bytes = b""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a process gets a signal: before an effect (from 1), or with half of its bytes done."""

    at: int
    torn: bool = False
    after: str = ""
    """Count only from an effect with this text on."""
    signal: int = signal.SIGKILL

    def __str__(self) -> str:
        return f"{self.after}{self.at}{'½' if self.torn else ''}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A disk on which some calls fail: one of them, or all from that one on."""

    errno: int
    under: str
    """The folder that lies on this disk."""
    at: int
    """Which call fails, counted from 1 over those that the fault is about."""
    lasting: bool = False

    def concerns(self, kind: str, path: str) -> bool:
        """Whether a call can fail in this way."""
        below = path == self.under or path.startswith(f"{self.under}/")
        return below and kind in KINDS[self.errno]


_NAMES: Final = frozenset({"create", "mkdir", "rename", "unlink"})
KINDS: Final = {
    errno.ENOSPC: frozenset({"create", "mkdir", "rename", "sync", "write"}),
    errno.EROFS: _NAMES | {"truncate"},
    errno.EACCES: _NAMES | {"open"},
    errno.EMFILE: frozenset({"create", "open"}),
    errno.EIO: _NAMES | {"open", "sync", "truncate", "write"},
}
"""The kinds of calls that fail with an error; `open` is to read."""

Real = Callable[..., Any]


class Interceptor:
    """Records every effect of this process in a trace, and kills the process at the cut."""

    def __init__(
        self, trace: str, cut: Cut | None, fault: Fault | None = None, *, syncing: bool = True
    ) -> None:
        self._trace = io.FileIO(trace, "w")
        self._cut, self._fault, self._syncing = cut, fault, syncing
        self._concerned = 0
        self._count = 0
        self._counting = cut is None or not cut.after
        self._guard = threading.RLock()
        self._inside = threading.local()

    def install(self) -> None:
        """Wrap the calls."""
        sys.addaudithook(self._audit)
        self._wrap_files()
        self._wrap_names()
        self._wrap_sockets()

    def _step(self, real: Callable[[], Any], half: Callable[[], object] | None = None) -> Any:
        """One effect; the process may end here."""
        self._count += self._counting
        if self._cut is not None and self._count == self._cut.at:
            if self._cut.torn and half is not None:
                half()
            os.kill(os.getpid(), self._cut.signal)
        with self._quietly():
            return real()

    def _fail(self, kind: str, path: Any) -> None:
        """Fail a call that the fault is about; all those are in the trace.

        Raises:
            OSError: it is its turn.
        """
        fault = self._fault
        if fault is None or getattr(self._inside, "yes", False):
            return
        where = _absolute(path)
        if fault.concerns(kind, where):
            self._concerned += 1
            self._note(Effect("concerned", f"{kind} {where}", offset=self._concerned))
            if self._concerned == fault.at or (fault.lasting and self._concerned > fault.at):
                raise OSError(fault.errno, os.strerror(fault.errno), where)

    def _note(self, effect: Effect) -> None:
        self._trace.write(pickle.dumps(effect))
        if self._cut is not None and self._cut.after.encode() in effect.data:
            self._counting = True

    def _audit(self, event: str, words: tuple[Any, ...]) -> None:
        """Record an effect that was not intercepted."""
        if getattr(self._inside, "yes", False):
            return
        if event == "open" and isinstance(words[0], str | bytes) and words[2] & WRITING:
            path = os.fsdecode(words[0])
            if path != os.devnull:
                self._note(Effect("unseen", path))
        elif event in _EFFECTS:
            self._note(Effect("unseen", f"{event} {words[:2]}"))

    def _wrap_files(self) -> None:
        os.open = self._opener(os.open)
        os.write = self._writer(os.write)
        os.fsync = self._syncer(os.fsync)
        os.ftruncate = self._truncater(os.ftruncate)
        builtins.open = io.open = self._namer(io.open)

    def _opener(self, real: Real) -> Real:
        def opened(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
            if not flags & os.O_CREAT or path == os.devnull:
                self._fail("open", path)
                with self._quietly():
                    quiet: int = real(path, flags, mode, **more)
                    return quiet
            with self._guard:
                self._fail("create", path)
                file: int = self._step(lambda: real(path, flags, mode, **more))
                self._note(Effect("create", _path_of(file), offset=flags & os.O_TRUNC))
                return file

        return opened

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Do something that is not an effect."""
        self._inside.yes = True
        try:
            yield
        finally:
            self._inside.yes = False

    def _writer(self, real: Real) -> Real:
        def write(file: int, data: Any) -> int:
            whole = bytes(data)
            half = whole[: len(whole) // 2]
            with self._guard:  # also while the name is looked up: another thread may remove it
                path = _path_of(file)
                if not path.startswith("/") or path == os.devnull:
                    plain: int = real(file, data)
                    return plain
                self._fail("write", path)
                done: int = self._step(
                    lambda: real(file, whole),
                    lambda: self._wrote(file, path, half, real(file, half)),
                )
                self._wrote(file, path, whole, done)
                return done

        return write

    def _syncer(self, real: Real) -> Real:
        def sync(file: int) -> None:
            with self._guard:
                if self._syncing:
                    self._fail("sync", _path_of(file))
                    self._step(lambda: real(file))
                    self._note(Effect("sync", _path_of(file)))

        return sync

    def _truncater(self, real: Real) -> Real:
        def truncate(file: int, length: int) -> None:
            with self._guard:
                self._fail("truncate", _path_of(file))
                self._step(lambda: real(file, length))
                self._note(Effect("truncate", _path_of(file), offset=length))

        return truncate

    def _namer(self, real: Real) -> Real:
        """`open`, returning files whose writes are intercepted."""

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                return os.write(self.fileno(), bytes(data))

        def opened(file: Any, mode: str = "r", *words: Any, **more: Any) -> Any:
            if not set(mode) & set("wax+") or file == os.devnull:
                if not isinstance(file, int):
                    self._fail("open", file)
                return real(file, mode, *words, **more)
            with self._guard:
                if not isinstance(file, int):
                    self._fail("create", file)
                raw = self._step(lambda: Raw(file, mode.replace("b", "").replace("t", "")))
                if not isinstance(file, int):
                    emptied = os.O_TRUNC if "w" in mode else 0
                    self._note(Effect("create", _path_of(raw.fileno()), offset=emptied))
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, more.get("encoding"))

        return opened

    def _wrote(self, file: int, path: str, data: bytes, done: int) -> None:
        end = os.lseek(file, 0, os.SEEK_CUR)
        self._note(Effect("write", path, data[:done], end - done))

    def _wrap_names(self) -> None:
        interception = self

        def moving(real: Real) -> Real:
            def move(old: Any, new: Any, **more: Any) -> None:
                with interception._guard:
                    interception._fail("rename", new)
                    interception._step(lambda: real(old, new, **more))
                    interception._note(Effect("rename", f"{_absolute(old)}\n{_absolute(new)}"))

            return move

        def naming(kind: str, real: Real) -> Real:
            def name(path: Any, *words: Any, **more: Any) -> None:
                with interception._guard:
                    interception._fail(kind, path)
                    interception._step(lambda: real(path, *words, **more))
                    interception._note(Effect(kind, _absolute(path)))

            return name

        os.rename, os.replace = moving(os.rename), moving(os.replace)
        os.unlink, os.remove = naming("unlink", os.unlink), naming("unlink", os.remove)
        os.mkdir, os.rmdir = naming("mkdir", os.mkdir), naming("unlink", os.rmdir)

    def _wrap_sockets(self) -> None:
        self._wrap_methods("send", "send", "sendall")
        self._wrap_methods("receive", "recv", "recv_into")
        self._wrap_methods("connect", "connect", "connect_ex")

    def _wrap_methods(self, kind: str, *names: str) -> None:
        for name in names:
            setattr(socket.socket, name, self._talk(kind, getattr(socket.socket, name)))

    def _talk(self, kind: str, real: Real) -> Real:
        interception = self

        def talk(peer: socket.socket, *words: Any) -> Any:
            if peer.family not in (socket.AF_INET, socket.AF_INET6):
                return real(peer, *words)
            sent = bytes(words[0]) if kind == "send" else b""
            half = sent[: len(sent) // 2]
            torn = (lambda: real(peer, half)) if half else None
            with interception._guard:
                try:
                    done = interception._step(lambda: real(peer, *words), torn)
                except BlockingIOError:
                    interception._note(Effect(kind, str(words[0])))
                    raise
                interception._note(Effect(kind, "", sent[: done if kind == "send" else 0][:_SHOWN]))
                return done

        return talk


_EFFECTS: Final = frozenset(
    {
        "os.link",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.symlink",
        "os.truncate",
        "socket.sendmsg",
        "socket.sendto",
    }
)
"""Audit events of effects that are not intercepted, or must have been."""


def _path_of(file: int) -> str:
    """What an open file is called now."""
    return str(os.readlink(f"/proc/self/fd/{file}"))


def _absolute(path: Any) -> str:
    """An absolute path whose parent is not a link."""
    folder, name = os.path.split(os.path.abspath(os.fspath(path)))
    return str(os.path.join(os.path.realpath(folder), name))


def read_trace(path: str) -> list[Effect]:
    """The effects in a trace, as far as it was written."""
    trace: list[Effect] = []
    with open(path, "rb") as file:
        while True:
            try:
                trace.append(pickle.load(file))
            except (EOFError, pickle.UnpicklingError):
                return trace
