"""An index on the disk: columns, which are faster to search than rows, and the changes since.

The place of a path is its number in the columns. An answer's dependencies are a mask, with a byte
for each place, so that thousands of files are compared in one pass that leaves no objects behind.

`.flux2build/index` is written as a whole after many changes. `.flux2build/index-changes` contains
a few changed rows and answers, and names the version of the other file that it continues.

The common call needs it, so this module imports almost nothing.
"""

from __future__ import annotations

import marshal
import operator
import os
import stat
import zlib
from itertools import chain, compress

from flux2build.storage.own_folder import FOLDER, stamp, through_link

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer
    from collections.abc import Callable, Iterator

FORMAT = 4
NAME, CHANGES = "index", "index-changes"
KINDS = ("file", "missing", "folder", "special", "unreadable")
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

ATTRIBUTES = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
"""The attributes of a file that change with its bytes."""
_FIRST = 256
"""The number of paths to look at first; these are written by people, and change most often."""
_HEAD = 8 * 4

Row = tuple[str, int, int, int, int]
Answer = tuple[str, bytes]
"""A text, and the mask of the paths that it depends on: 1 at the place of each, and 0 at others."""


class Packed:
    """The columns of an index, with the written changes, and those made since."""

    def __init__(
        self,
        columns: tuple[list[str], bytes, bytes, bytes],
        answers: dict[str, Answer],
        written: int,
    ) -> None:
        self.paths, kinds, attributes, self._digests = columns
        self.answers, self.written = answers, written
        self._kinds = bytearray(kinds)
        self._attributes = memoryview(bytearray(attributes)).cast("Q")
        """Four for each path."""
        self._places: dict[str, int] = {}
        self.rows: dict[int, Row] = {}
        """The rows that differ from the written columns."""
        self.noted: dict[str, Answer | None] = {}
        """The answers that differ from the written ones; None for a void one."""
        self.changed = False
        """Whether some of these are not written yet."""
        self._interrupted: tuple[bytes, Iterator[int]] = b"", iter(())
        """A mask with a changed path, and the places from that path on that may have changed."""

    def place(self, path: str) -> int | None:
        """Return the place of a path."""
        if not self._places:
            self._places = dict(zip(self.paths, range(len(self.paths)), strict=True))
        return self._places.get(path)

    def row(self, at: int) -> Row:
        """Return the row of the path at a place."""
        size, modified, changed, inode = self._attributes[4 * at : 4 * at + 4]
        return (self.state(at), size, modified, changed, inode)

    def state(self, at: int) -> str:
        """Return the state of the path at a place."""
        if at in self.rows:
            return self.rows[at][0]
        if kind := self._kinds[at]:
            return KINDS[kind]
        return "sha256:" + self._digests[32 * at : 32 * at + 32].hex()

    def enter(self, at: int, row: Row) -> None:
        """Enter another row for the path at a place."""
        self.rows[at], self.changed = row, True
        state, *attributes = row
        self._kinds[at] = kind_of(state)
        for each, attribute in enumerate(attributes, 4 * at):
            self._attributes[each] = attribute

    def note(self, key: str, answer: Answer) -> None:
        """Note an answer."""
        self.answers.pop(key, None)  # the latest ones are last
        self.answers[key] = self.noted[key] = answer
        self.changed = True

    def void(self, places: set[int]) -> None:
        """Forget the answers that depend on any of the paths at some places."""
        for key, (_, where) in [*self.answers.items()]:
            if any(where[at : at + 1] == b"\1" for at in places):
                del self.answers[key]
                self.noted[key] = None

    def continued(self, rows: dict[int, Row], noted: dict[str, Answer | None]) -> None:
        """Enter the changes since the columns were written."""
        for at, row in rows.items():
            self.enter(at, row)
        for key, answer in noted.items():
            if answer is None:
                self.answers.pop(key, None)
                self.noted[key] = None
            else:
                self.note(key, answer)
        self.changed = False

    def mask(self, key: str, text: str) -> bytes | None:
        """Return the mask of the paths of an answer; None if it has changed."""
        noted, mask = self.answers.get(key, (None, b""))
        return mask if noted == text else None

    def answer(self, key: str, folder: str, observe: Callable[[str], Row]) -> str | None:
        """Return an answer, if its dependencies have not changed."""
        text, where = self.answers.get(key, (None, b""))
        if text is None:
            return None
        suspects = self._in_turn(where, folder)
        for at in suspects:
            if not self._is_unchanged(at, folder, observe):
                self._interrupted = where, chain([at], suspects)
                return None
        return text

    def suspects(self, where: bytes, folder: str) -> list[int]:
        """Return the places in a mask whose paths may have changed.

        After a void answer that depends on the same paths, continue where that stopped.
        """
        mask, remaining = self._interrupted
        self._interrupted = b"", iter(())
        return [*(remaining if mask == where else self._in_turn(where, folder))]

    def _in_turn(self, where: bytes, folder: str) -> Iterator[int]:
        """The places of the paths that may have changed, checked in two parts."""
        files = bytes(map(operator.gt, where, self._kinds))  # the kind of a file is number 0
        for part in (range(len(where))[:_FIRST], range(len(where))[_FIRST:]):
            mask = slice(part.start, part.stop)
            yield from compress(part, map(operator.ne, where[mask], files[mask]))
            yield from self._changed_files(part, files[mask], folder)

    def _is_unchanged(self, at: int, folder: str, observe: Callable[[str], Row]) -> bool:
        """Whether a path has its known state; the attributes that prove it are entered."""
        path = self.paths[at]
        if through_link(folder, path):
            return False
        row = observe(os.path.join(folder, path))
        if row[0] != self.state(at):
            return False
        if any(row[1:]):
            self.enter(at, row)
        return True

    def _changed_files(self, part: range, mask: bytes, folder: str) -> Iterator[int]:
        """The places of the files in a part of a mask whose attributes have changed.

        A loop over them would take half as long again as asking the system.
        """
        places = [*compress(part, mask)]
        paths: Iterator[str] = compress(self.paths[part.start : part.stop], mask)
        if folder != os.getcwd():
            paths = (os.path.join(folder, path) for path in paths)
        each = iter(self._attributes[4 * part.start : 4 * part.stop])
        before = compress(zip(each, each, each, each, strict=True), mask)
        differing = map(operator.ne, map(ATTRIBUTES, map(os.stat, paths)), before)
        remaining = iter(places)
        while operator.length_hint(remaining):
            try:
                yield from compress(remaining, differing)
            except OSError:  # the file at the last place does not exist
                next(before)
                yield places[-1 - operator.length_hint(remaining)]

    def unpacked(self) -> tuple[dict[str, Row], dict[str, tuple[str, tuple[str, ...]]]]:
        """Return the known states by path, and the answers, each with its paths."""
        rows = {path: self.row(at) for at, path in enumerate(self.paths)}
        answers = self.answers.items()
        return rows, {key: (text, (*self.paths_at(where),)) for key, (text, where) in answers}

    def paths_at(self, where: bytes) -> dict[str, None]:
        """Return the paths in a mask, in their order."""
        return dict.fromkeys(compress(self.paths, where))


def load(folder: str) -> Packed | None:
    """Return the index beside a spec, if there is one that can be trusted."""
    own = os.path.join(folder, FOLDER)
    head, body = _read(os.path.join(own, NAME), own)
    if not body:
        return None
    try:
        columns, answers = marshal.loads(body)  # noqa: S302 - stamped, see below
    except (ValueError, EOFError, TypeError):
        return None
    packed = Packed(columns, answers, head[-1])
    continues, changes = _read(os.path.join(own, CHANGES), own)
    if changes and continues == head:
        packed.continued(*marshal.loads(changes))  # noqa: S302 - likewise
    return packed


def _read(path: str, own: str) -> tuple[list[int], bytes]:
    """Return the head and the body of a file of the index; no body if it cannot be trusted."""
    try:
        with open(os.open(path, OPEN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return [], b""
            check, raw = file.read(8), file.read(_HEAD)
            head = memoryview(raw).cast("Q").tolist()
            # The rest could be crafted, so it is only read after a true, undamaged stamp.
            if head[:-1] != [FORMAT, *stamp(own)]:
                return [], b""
            body = file.read()
        if zlib.crc32(body, zlib.crc32(raw)) != int.from_bytes(check, "big"):
            return [], b""
    except (OSError, ValueError, TypeError):
        return [], b""
    return head, body


def kind_of(state: str) -> int:
    """Return the number of a kind of state."""
    return 0 if state.startswith("sha256:") else KINDS.index(state)
