"""An index as it lies on the disk: columns, which are faster to search than rows, and what has changed since.

`.flux2build/index` is written as a whole when much has changed. `.flux2build/index-changes` holds
the few rows and answers that differ by now, and says which writing of the other it continues.

The common call needs it, so this module imports almost nothing.
"""

from __future__ import annotations

import marshal
import operator
import os
import stat
import zlib
from itertools import compress

from flux2build.storage.own_folder import FOLDER, stamp, through_link

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer
    from collections.abc import Callable, Iterator

FORMAT = 3
NAME, CHANGES = "index", "index-changes"
KINDS = ("file", "missing", "folder", "special", "unreadable")
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

ATTRIBUTES = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
"""The attributes of a file that change with its bytes."""
_FIRST = 256
"""How many paths are looked at before the rest; what people write comes first, and changes most often."""
_ABSENT = os.stat_result([-1] * 19)
_HEAD = 8 * 4

Row = tuple[str, int, int, int, int]
Answer = tuple[str, bytes]
"""A text, and the places of the paths that it depends on."""


class Packed:
    """The columns of an index, with the changes that were written beside them, and those made since."""

    def __init__(
        self,
        columns: tuple[list[str], bytes, bytes, bytes],
        answers: dict[str, Answer],
        written: int,
    ) -> None:
        self.paths, kinds, fingerprints, digests = columns
        self.answers, self.written = answers, written
        self._kinds, self._digests = bytearray(kinds), bytearray(digests)
        count = len(self.paths)
        numbers = memoryview(fingerprints).cast("Q").tolist()
        self._fingerprints = [numbers[at : at + count] for at in range(0, 4 * count, count or 1)]
        self._places: dict[str, int] = {}
        self.rows: dict[int, Row] = {}
        """The rows that are others than in the columns that were written."""
        self.noted: dict[str, Answer | None] = {}
        """The answers that are others than beside them; None for one that is void."""
        self.changed = False
        """Whether any of these are not written yet."""

    def place(self, path: str) -> int | None:
        """Return the place of a path."""
        if not self._places:
            self._places = dict(zip(self.paths, range(len(self.paths)), strict=True))
        return self._places.get(path)

    def row(self, at: int) -> Row:
        """Return what is known of the path at a place."""
        size, modified, changed, inode = [column[at] for column in self._fingerprints]
        return (self.state(at), size, modified, changed, inode)

    def state(self, at: int) -> str:
        """Return the state of the path at a place."""
        if kind := self._kinds[at]:
            return KINDS[kind]
        return "sha256:" + self._digests[32 * at : 32 * at + 32].hex()

    def enter(self, at: int, row: Row) -> None:
        """Enter another row for the path at a place."""
        self.rows[at], self.changed = row, True
        state, *fingerprint = row
        is_file = state.startswith("sha256:")
        self._kinds[at] = 0 if is_file else KINDS.index(state)
        self._digests[32 * at : 32 * at + 32] = bytes.fromhex(state[7:]) if is_file else bytes(32)
        for column, number in zip(self._fingerprints, fingerprint, strict=True):
            column[at] = number

    def note(self, key: str, answer: Answer) -> None:
        """Note an answer."""
        self.answers.pop(key, None)  # the latest ones are last
        self.answers[key] = self.noted[key] = answer
        self.changed = True

    def void(self, places: set[int]) -> None:
        """Forget the answers that depend on any of the paths at some places."""
        for key, (_, where) in [*self.answers.items()]:
            if not places.isdisjoint(memoryview(where).cast("I").tolist()):
                del self.answers[key]
                self.noted[key] = None

    def continued(self, rows: dict[int, Row], noted: dict[str, Answer | None]) -> None:
        """Enter what has changed since the columns were written."""
        for at, row in rows.items():
            self.enter(at, row)
        for key, answer in noted.items():
            if answer is None:
                self.answers.pop(key, None)
                self.noted[key] = None
            else:
                self.note(key, answer)
        self.changed = False

    def where(self, key: str, text: str) -> bytes | None:
        """Return the places of the paths that an answer depends on; None if it is another one."""
        noted, where = self.answers.get(key, (None, b""))
        return where if noted == text else None

    def answer(self, key: str, folder: str, observe: Callable[[str], Row]) -> str | None:
        """Return an answer, if nothing that it depends on has changed."""
        text, where = self.answers.get(key, (None, b""))
        if text is None:
            return None
        suspects = self._in_turn(where, folder)
        return text if all(self._is_unchanged(at, folder, observe) for at in suspects) else None

    def suspects(self, where: bytes, folder: str) -> list[int]:
        """Return the places, of some, of the paths that may have changed."""
        return [*self._in_turn(where, folder)]

    def _in_turn(self, where: bytes, folder: str) -> Iterator[int]:
        """The places of the paths that may have changed; the rest is looked at after the first ones."""
        places = memoryview(where).cast("I").tolist()
        for part in (places[:_FIRST], places[_FIRST:]):
            try:
                suspects = self._suspects(part, folder, os.stat)
            except OSError:
                suspects = self._suspects(part, folder, _status)
            yield from suspects

    def _is_unchanged(self, at: int, folder: str, observe: Callable[[str], Row]) -> bool:
        """Whether a path has the state that is known; what proves it is entered."""
        path = self.paths[at]
        if through_link(folder, path):
            return False
        row = observe(os.path.join(folder, path))
        if row[0] != self.state(at):
            return False
        if any(row[1:]):
            self.enter(at, row)
        return True

    def _suspects(
        self, where: list[int], folder: str, status: Callable[[str], object]
    ) -> list[int]:
        """Return the places of all but the files whose attributes are what they were.

        A loop over them would take half as long again as asking the system.
        """
        times, kinds, paths = self._fingerprints[1], self._kinds, self.paths
        files = [at for at in where if times[at] and not kinds[at]]
        suspects = [at for at in where if not times[at] or kinds[at]]
        if len(files) < 2:  # of one, `itemgetter` does not make a tuple
            return suspects + files
        chosen = operator.itemgetter(*files)
        if folder != os.getcwd():
            paths = [os.path.join(folder, path) for path in paths]
        before = [*zip(*map(chosen, self._fingerprints), strict=True)]
        now = [*map(ATTRIBUTES, map(status, chosen(paths)))]
        if now != before:
            suspects += compress(files, map(operator.ne, now, before))
        return suspects

    def unpacked(self) -> tuple[dict[str, Row], dict[str, tuple[str, tuple[str, ...]]]]:
        """Return the known states by path, and the answers, each with the paths that it depends on."""
        fingerprints = zip(self.paths, *self._fingerprints, strict=True)
        rows = {path: (self.state(at), *row) for at, (path, *row) in enumerate(fingerprints)}
        answers = self.answers.items()
        return rows, {key: (text, (*self.paths_at(where),)) for key, (text, where) in answers}

    def paths_at(self, where: bytes) -> dict[str, None]:
        """Return the paths at some places, in their order."""
        return dict.fromkeys([self.paths[at] for at in memoryview(where).cast("I").tolist()])


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
            # Only a true, undamaged stamp lets the rest be read, which could be crafted.
            if head[:-1] != [FORMAT, *stamp(own)]:
                return [], b""
            body = file.read()
        if zlib.crc32(body, zlib.crc32(raw)) != int.from_bytes(check, "big"):
            return [], b""
    except (OSError, ValueError, TypeError):
        return [], b""
    return head, body


def _status(path: str) -> object:
    """The status of a file; of one that is missing, that of none."""
    try:
        return os.stat(path)
    except OSError:
        return _ABSENT
