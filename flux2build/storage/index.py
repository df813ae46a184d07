"""The stat cache: the state of every path on which an answer depends.

The file `.flux2build/index` is beside the spec, and may be deleted at any time. A
file with the same size, times and inode as when it was hashed is not hashed
again, unless it changed so shortly before that its times could not show a later
change ("racily clean", as git calls it).

The common call only reads this file and stats the paths in it, so this
module imports almost nothing. The file carries a stamp, the inode and the change
time of its neighbour, so an index from another place, such as one that a
stranger committed, is not trusted. As long as little changes, only that is written,
beside it (see `index_packed.py`).
"""

from __future__ import annotations

import os
import stat
import time
from itertools import chain

from flux2build.storage.edition import EDITION
from flux2build.storage.index_packed import ATTRIBUTES, KINDS, OPEN, Packed, load
from flux2build.storage.own_folder import own_folder, through_link

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer
    from collections.abc import Collection, Mapping

JUDGED = f"{EDITION} judged"
"""The key of an answer that does not depend on paths: judgements by digest."""
_, MISSING, DIRECTORY, SPECIAL, UNREADABLE = KINDS
LINKED = "linked"
"""The state in `differing` of a path that leads elsewhere."""

_MOST_ANSWERS = 32
_CHUNK = 1024 * 1024
_FEW = 1000
"""The most changed rows that are written separately."""
_MANY = 256
"""The least number of unknown files to look at together."""
_TICK = 50_000_000
"""Nanoseconds within which a disk's clock may give two changes the same time."""
_COARSE = 2_100_000_000
"""The same, for disks that count seconds."""

Row = tuple[str, int, int, int, int]
"""The state of a path, as `Index.state` returns it; then size, times and inode, 0 if unreliable."""
_LATER: Row = ("later", 0, 0, 0, 0)


class Index:
    """The known state of one spec's files; paths are POSIX, relative to its folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._rows: dict[str, Row] = {}
        self._answers: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._packed: Packed | None = None
        self._asked: set[str] = set()
        self._changed = False

    @classmethod
    def load(cls, folder: str) -> Index:
        """Load the index beside a spec; without a trustworthy one, start with an empty index."""
        index = cls(folder)
        index._packed = load(folder)
        return index

    @property
    def folder(self) -> str:
        """The folder of the spec."""
        return self._folder

    def again(self) -> Index:
        """Return an index with the same knowledge that was not asked for any path yet."""
        self._unpack()
        index = Index(self._folder)
        vars(index).update(vars(self), _asked=set())
        return index

    def answer(self, key: str) -> str | None:
        """Return a remembered answer, if its dependencies have not changed since."""
        if self._packed is not None:
            return self._packed.answer(key, self._folder, lambda path: _observe(path, None))
        text, paths = self._answers.get(key, (None, ()))
        return text if all(self._rows[path][0] == self.state(path) for path in paths) else None

    def remember(
        self, key: str, text: str, paths: list[str], states: dict[str, str] | None = None
    ) -> bool:
        """Remember an answer until one of these paths changes, if the `states` are still the same."""
        if self._packed is not None and not paths:
            self._packed.note(key, (text, b""))
            return True
        return self.remember_all([key], text, paths, states or {})

    def remember_all(
        self,
        keys: list[str],
        text: str,
        paths: list[str],
        states: dict[str, str],
        touched: set[str] | None = None,
    ) -> bool:
        """Remember one answer for several keys, as `remember` does; each file is looked at once.

        If the `touched` paths are given, only they are looked at. Changes of others are noticed
        when the answer is used.
        """
        self._unpack()
        rows = self._rows
        untouched = rows.keys() - touched if touched is not None else set()
        same = all(
            (path in untouched and rows[path][0] == before) or _fits(before, self.state(path))
            for path, before in states.items()
        )
        for path in paths if same else ():
            if path not in states:
                self.state(path)
        for key in keys:
            self._answers.pop(key, None)
            if same:
                self._answers[key] = (text, tuple(paths))
                self._changed = True
        return same

    def renew(
        self,
        keys: list[str],
        text: str,
        mark: tuple[str, str],
        states: Mapping[str, str],
        touched: Collection[str],
    ) -> bool:
        """Remember an answer for several keys that depends on the same paths as the answer `mark`.

        The `touched` paths may have other `states` since; other answers that depend on a changed
        one become void. No file is looked at before the answer is used. Return whether that is
        possible.
        """
        packed = self._packed
        where = packed.mask(*mark) if packed is not None else None
        if packed is None or where is None or packed.paths_at(where).keys() != states.keys():
            return False
        places = {path: packed.place(path) or 0 for path in touched}
        packed.void({at for path, at in places.items() if packed.state(at) != states[path]})
        for path, at in places.items():
            row = self._rows.pop(path, None) or packed.row(at)
            if row[0] != states[path]:
                row = (states[path], 0, 0, 0, 0)
            packed.enter(at, row)
        for key in keys:
            packed.note(key, (text, where))
        return True

    def note(self, key: str, text: str, like: str) -> None:
        """Remember an answer for as long as another known one."""
        if self._packed is not None:
            self._packed.note(key, (text, self._packed.answers[like][1]))
        else:
            self._answers[key] = (text, self._answers[like][1])

    def known(self, path: str) -> str:
        """Return the last known state of a path; look at it now if there is none."""
        row = self._row(path) if path in self._asked else None
        return self.state(path) if row is None else row[0]

    @property
    def asked(self) -> list[str]:
        """The paths whose states were requested, sorted."""
        return sorted(self._asked)

    @property
    def uncertain(self) -> set[str]:
        """The paths that must be looked at again to see whether they have changed."""
        self._unpack()
        return {path for path, row in self._rows.items() if not row[2]}

    def enter(self, rows: Mapping[str, Row]) -> None:
        """Take over the rows of files that were read, so that they are not hashed again."""
        self._unpack()
        for path in self._rows.keys() & rows.keys():
            if self._rows[path][0] != rows[path][0]:
                self._forget_answers(path)
        self._rows.update(rows)
        self._asked.update(rows)
        self._changed = True

    def learn(self, other: Index) -> None:
        """Take over the rows that were requested from another index, so that they are not hashed again."""
        self._unpack()
        for path in other._asked:
            self._rows.setdefault(path, other._row(path) or ("", 0, 0, 0, 0))

    def differing(self, states: Mapping[str, str], key: str, text: str) -> dict[str, str]:
        """Return the paths whose states have changed, each with its present state.

        An answer that was noted with these states limits the paths to look at.
        """
        now = {path: self._unlinked(path) for path in self._suspects(states, key, text)}
        return {path: state for path, state in now.items() if state != states[path]}

    def _suspects(self, states: Mapping[str, str], key: str, text: str) -> list[str]:
        packed = self._packed
        where = packed.mask(key, text) if packed is not None else None
        if packed is not None and where is not None:
            return [packed.paths[at] for at in packed.suspects(where, self._folder)]
        # Lazy: the common call never unpacks its index.
        from flux2build.storage.index_rows import doubtful

        self._unpack()
        return doubtful(self._folder, self._rows, states)

    def _unlinked(self, path: str) -> str:
        """The state of a path that may have become a link."""
        return LINKED if through_link(self._folder, path) else self.state(path)

    def proves(self, path: str, state: str) -> bool:
        """Whether the attributes of a file prove, without reading it, that it has a state.

        If its bytes were read after the index, they have this state, too.
        """
        row = self._row(path)
        if row is None or row[0] != state or not any(row[1:]):
            return False
        try:
            return _fingerprint(os.stat(os.path.join(self._folder, path))) == row[1:]
        except OSError:
            return False

    def digest(self, path: str) -> str | None:
        """Return the digest of the file at a path; None if there is no readable file."""
        state = self.state(path)
        return state if state.startswith("sha256:") else None

    def digests(self, paths: list[str]) -> dict[str, str]:
        """Return the digests of the files at some paths; many that are not known are hashed at once."""
        self._unpack()
        unknown = [path for path in paths if path not in self._rows]
        fresh: dict[str, Row] = {}
        if len(unknown) >= _MANY:
            # Lazy: the common call hashes nothing.
            from flux2build.storage.many_files import observed

            fresh = observed(_observe, self._folder, unknown, _LATER)
            self._rows.update(fresh)
            self._asked.update(fresh)
            self._changed = True
        states = {path: fresh[path][0] if path in fresh else self.state(path) for path in paths}
        return {path: state for path, state in states.items() if state.startswith("sha256:")}

    def state(self, path: str) -> str:
        """Return the state of a path: a digest, of a folder's names for `folder/`, or its kind."""
        self._asked.add(path)
        row_before = self._row(path)
        row = _observe(os.path.join(self._folder, path), row_before)
        if row != row_before:
            self._enter(path, row)
        return row[0]

    def _row(self, path: str) -> Row | None:
        """The known row of a path."""
        row, packed = self._rows.get(path), self._packed
        if row is None and packed is not None and (at := packed.place(path)) is not None:
            return packed.row(at)
        return row

    def _enter(self, path: str, row: Row) -> None:
        """Enter a new row of a path, which voids answers that depend on an earlier state."""
        packed, row_before = self._packed, self._rows.get(path)
        if packed is None:
            self._rows[path], self._changed = row, True
            if row_before is not None and row_before[0] != row[0]:
                self._forget_answers(path)
        elif (at := packed.place(path)) is not None and packed.state(at) == row[0]:
            self._rows.pop(path, None)
            packed.enter(at, row)
        else:  # the packed row and its answers stay until another answer depends on this row
            self._rows[path] = row

    def save(self) -> None:
        """Write the changes; ignore a disk that cannot be written to."""
        packed = self._packed
        if not (self._changed or (packed is not None and packed.changed)):
            return
        # Lazy: the common call writes little.
        from flux2build.storage import index_columns

        if packed is None or len(packed.rows) > _FEW:
            self._unpack()
        try:
            if self._packed is not None:
                index_columns.keep_changes(own_folder(self._folder), self._packed)
            else:
                recent = dict(list(self._answers.items())[-_MOST_ANSWERS:])
                index_columns.keep(own_folder(self._folder), self._kept(recent), recent)
        except OSError:
            return
        self._changed = False

    def _kept(self, answers: Mapping[str, tuple[str, tuple[str, ...]]]) -> dict[str, Row]:
        """The rows to keep, first those of the latest answer in the order of looking at them."""
        first = chain.from_iterable(paths for _, paths in reversed([*answers.values()]))
        rows = self._rows
        return {path: rows[path] for path in chain(first, sorted(self._asked)) if path in rows}

    def _forget_answers(self, path: str) -> None:
        """Forget the answers that depend on a path."""
        for key in [key for key, (_, paths) in self._answers.items() if path in paths]:
            del self._answers[key]

    def _unpack(self) -> None:
        packed, observed = self._packed, self._rows
        if packed is None:
            return
        self._rows, self._answers = packed.unpacked()
        self._packed, self._changed = None, self._changed or packed.changed
        for path, row in observed.items():
            self._enter(path, row)


def _fits(before: str, now: str) -> bool:
    """Whether a state is the same as before, which may only have been that there is a file."""
    return before == now or (before == "file" and now.startswith("sha256:"))


def _observe(path: str, before: Row | None, large: int | None = None) -> Row:
    """Observe the state of a path; the file is not read if the row `before` still fits.

    A file that is not smaller than `large` is left for later.
    """
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            if before is not None and any(before[1:]) and before[1:] == _fingerprint(status):
                return before
            return _hashed(path) if large is None or status.st_size < large else _LATER
        if path.endswith("/") and stat.S_ISDIR(status.st_mode):
            return _listed(path)
    except (FileNotFoundError, NotADirectoryError):
        return (MISSING, 0, 0, 0, 0)
    except OSError:
        return (UNREADABLE, 0, 0, 0, 0)
    return (DIRECTORY if stat.S_ISDIR(status.st_mode) else SPECIAL, 0, 0, 0, 0)


def _hashed(path: str) -> Row:
    import hashlib

    now = time.time_ns()
    file = os.open(path, OPEN)
    try:
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode):
            return (SPECIAL, 0, 0, 0, 0)
        # A file object, or a buffer for the largest file, would take longer than most files.
        bytes_left, most = before.st_size, min(before.st_size + 1, _CHUNK)
        digest = hashlib.sha256(chunk := os.read(file, most))
        # A file that grows meanwhile has other times afterwards.
        while chunk and (bytes_left := bytes_left - len(chunk)):
            digest.update(chunk := os.read(file, most))
        after = os.fstat(file)
    finally:
        os.close(file)
    return row_of("sha256:" + digest.hexdigest(), now, before, after)


def _listed(path: str) -> Row:
    """Observe the names in a folder, which is what a `/` at the end of its path asks for."""
    # Lazy: few answers depend on the names in a folder.
    from flux2build.storage.listing import listing

    now, before = time.time_ns(), os.stat(path)
    return row_of(listing(os.listdir(path)), now, before, os.stat(path))


def row_of(state: str, now: int, before: os.stat_result, after: os.stat_result) -> Row:
    """Return a row without a fingerprint if anything changed meanwhile, or shortly before."""
    newest = max(before.st_mtime_ns, before.st_ctime_ns)
    margin = _TICK if before.st_ctime_ns % 10_000_000 else _COARSE
    attributes = ATTRIBUTES(before)
    if newest >= now - margin or attributes != ATTRIBUTES(after):
        return (state, 0, 0, 0, 0)
    return (state, *_fitting(attributes))


def _fingerprint(status: os.stat_result) -> tuple[int, int, int, int]:
    """The attributes of a file that change with its bytes; all 0 if they do not fit the format."""
    return _fitting(ATTRIBUTES(status))


def _fitting(fingerprint: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return fingerprint if min(fingerprint) >= 0 and max(fingerprint) < 1 << 64 else (0, 0, 0, 0)
