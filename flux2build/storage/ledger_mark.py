"""Marks the end of the ledger when a tree was clean, to see whether later orders are still open.

Orders that other builds placed and received do not change a remembered answer. The call with
nothing to do imports this module, so it imports almost nothing; it reads only the lines after the
mark.
"""

from __future__ import annotations

import os
import zlib

from flux2build.storage.edition import EDITION

_PLACES = (
    "FLUX2BUILD_HOME",
    "FLUX2BUILD_CONFIG",
    "HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
)
"""Variables that say where home and configuration are."""
_PART = 1 << 20
"""Bytes that are read at once."""
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_TICK = 50_000_000
_COARSE = 2_100_000_000


def surroundings() -> str:
    """The places of the user's files.

    Another home has another ledger, with other orders to collect, and another configuration may
    have other cards, by which other pictures are ordered.
    """
    named = [os.environ.get(name, "") for name in _PLACES]
    return repr([path and os.path.abspath(path) for path in named])


def ledger_key() -> str:
    """Return the key under which the index keeps a mark."""
    return f"{EDITION} ledger {surroundings()}"


def marked(path: str, end: int, now: int) -> str:
    """Return a mark after the lines of a ledger, at `now` or before, without open orders."""
    from flux2build.storage import continuation

    try:
        file = os.open(path, _FLAGS)
    except OSError:
        return f"0 0 0 0 0 0\n{path}"
    try:
        status = os.fstat(file)
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        margin = _TICK if status.st_ctime_ns % 10_000_000 else _COARSE
        name, _ = continuation.held(path, status)
        settled = status.st_size == end and (name or newest < now - margin)
        state = _signature(status) if settled else "0 0 0 0"
        return f"{state} {end} {name or _checksum(file, end)}\n{path}"
    finally:
        os.close(file)


def holds(mark: str | None) -> bool:
    """Whether the ledger is unchanged, or was only continued with settled orders."""
    if mark is None:
        return False
    numbers, _, path = mark.partition("\n")
    *state, end, before = numbers.split()
    try:
        status = os.stat(path)
        if _signature(status) == " ".join(state):
            return True
        if status.st_size <= int(end):
            return False  # it may have been edited
        return _continued(path, int(end), before)
    except (FileNotFoundError, NotADirectoryError):
        return end == "0"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _continued(path: str, end: int, before: str) -> bool:
    """Whether only sound lines were added, and every order that they are about is settled."""
    import json

    from flux2build.storage import continuation

    file = os.open(path, _FLAGS)
    try:
        name, _ = continuation.held(path, os.fstat(file))
        if before != name and before != str(_checksum(file, end)):
            return False
        os.lseek(file, end, os.SEEK_SET)
        data = b""
        while part := os.read(file, _PART):
            data += part
    finally:
        os.close(file)
    *lines, torn = data.split(b"\n")
    left_open = set[str]()
    for line in lines:
        checksum, _, text = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            return False
        facts = json.loads(text)
        if facts["schema"] != 1:
            return False
        ends = facts["kind"] == "delivered" or (
            facts["kind"] == "voided" and facts["refusal"] != "lost"
        )
        (left_open.discard if ends else left_open.add)(facts["attempt"])
    return not torn and not left_open


def _checksum(file: int, end: int) -> int:
    """Return a checksum of the bytes before the mark."""
    checksum, rest = 0, end
    os.lseek(file, 0, os.SEEK_SET)
    while rest and (part := os.read(file, min(rest, _PART))):
        checksum, rest = zlib.crc32(part, checksum), rest - len(part)
    return checksum


def _signature(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def answer_key(command: str, file: str, profile: str | None) -> str:
    """Return the key of an answer; `plan` and `build` share one, `check` has its own."""
    about = "check" if command == "check" else "build"
    return f"{EDITION} {(about, file, profile or '')} {surroundings()}"
