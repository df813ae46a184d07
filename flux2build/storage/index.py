"""The stat cache: the state of every path that an answer depended on.

It lies in `.flux2build/index` beside the spec, and may be deleted at any time. A
file whose size, times and inode are the same as when it was hashed is not hashed
again, unless it changed so shortly before that its times could not show a later
change ("racily clean", as git calls it).

The common call reads this file and stats what it lists, nothing else, so this
module imports almost nothing. The file carries a stamp, the inode and the change
time of its neighbour, so an index that came from elsewhere, such as one that a
stranger committed, is not trusted.
"""

from __future__ import annotations

import marshal
import operator
import os
import stat
import time
import zlib
from itertools import compress

from flux2build.storage.edition import EDITION
from flux2build.storage.own_folder import FOLDER, own_folder, stamp, swap, through_link

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer
    from collections.abc import Callable, Mapping

JUDGED = f"{EDITION} judged"
"""The key of an answer that depends on no path: what was judged by its digest."""
MISSING, DIRECTORY, SPECIAL, UNREADABLE = "missing", "folder", "special", "unreadable"
LINKED = "linked"
"""What `differing` says of a path that leads elsewhere."""

_FORMAT = 2
_MOST_ANSWERS = 32
_CHUNK = 1024 * 1024
_ATTRIBUTES = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_FIRST = 256
"""How many paths are looked at before the rest; what people write comes first, and changes most often."""
_ABSENT = os.stat_result([-1] * 19)
_MANY = 256
"""From so many unknown files on it is worth it to start threads."""
_KINDS = ("file", MISSING, DIRECTORY, SPECIAL, UNREADABLE)
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_TICK = 50_000_000
"""Nanoseconds within which a disk's clock may give two changes one time."""
_COARSE = 2_100_000_000
"""The same, for disks that count seconds."""

Row = tuple[str, int, int, int, int]
"""The state of a path, as `Index.state` returns it; then size, times and inode, 0 if unreliable."""


class Index:
    """The known state of one spec's files; paths are POSIX, relative to its folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._rows: dict[str, Row] = {}
        self._answers: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._packed: _Packed | None = None
        self._asked: set[str] = set()
        self._changed = False

    @classmethod
    def load(cls, folder: str) -> Index:
        """Load the index beside a spec; without a trustworthy one, start with an empty index."""
        index = cls(folder)
        index._packed = _loaded(folder)
        return index

    def again(self) -> Index:
        """Return an index that knows what this one does, and was asked for nothing."""
        self._unpack()
        index = Index(self._folder)
        vars(index).update(vars(self), _asked=set())
        return index

    def answer(self, key: str) -> str | None:
        """Return a remembered answer, if nothing that it depends on has changed since."""
        if self._packed is not None:
            return self._packed.answer(key, self._folder)
        text, paths = self._answers.get(key, (None, ()))
        return text if all(self._rows[path][0] == self.state(path) for path in paths) else None

    def remember(
        self, key: str, text: str, paths: list[str], states: dict[str, str] | None = None
    ) -> bool:
        """Remember an answer while nothing at these paths changes, if the `states` are still those it follows from."""
        return self.remember_all([key], text, paths, states or {})

    def remember_all(
        self,
        keys: list[str],
        text: str,
        paths: list[str],
        states: dict[str, str],
        touched: set[str] | None = None,
    ) -> bool:
        """Remember one answer to several questions, as `remember` does; each file is looked at once.

        If it is known which paths were `touched`, only they are. Whether others have changed shows when
        the answer is asked for.
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

    def note(self, key: str, text: str, like: str) -> None:
        """Remember an answer for as long as another one that is known."""
        self._answers[key] = (text, self._answers[like][1])

    def known(self, path: str) -> str:
        """Return the state of a path when it was last asked for; it is asked for now if it never was."""
        return self._rows[path][0] if path in self._asked else self.state(path)

    @property
    def asked(self) -> list[str]:
        """The paths whose states were asked for, sorted."""
        return sorted(self._asked)

    def learn(self, other: Index) -> None:
        """Take over what another index was asked about, so that it is not hashed again here."""
        self._unpack()
        for path in other._asked:
            self._rows.setdefault(path, other._rows[path])

    def differing(self, states: Mapping[str, str], key: str, text: str) -> dict[str, str]:
        """Return the paths whose states are others by now, each with its present state.

        An answer that was noted with these states tells at once which they may be.
        """
        # Lazy: the common call never unpacks its index.
        from flux2build.storage.index_rows import doubtful

        noted = None if self._packed is None else self._packed.suspects(key, text, self._folder)
        if noted is None:
            self._unpack()
        paths = doubtful(self._folder, self._rows, states) if noted is None else noted
        now = {path: self._unlinked(path) for path in paths}
        return {path: state for path, state in now.items() if state != states[path]}

    def _unlinked(self, path: str) -> str:
        """The state of a path that may be a link by now."""
        if through_link(self._folder, path):
            return LINKED
        if self._packed is None:
            return self.state(path)
        return _observe(os.path.join(self._folder, path), None)[0]

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
            from flux2build.storage.in_threads import in_threads

            fresh = in_threads(
                lambda path: _observe(os.path.join(self._folder, path), None), unknown
            )
            self._rows.update(fresh)
            self._asked.update(fresh)
            self._changed = True
        states = {path: fresh[path][0] if path in fresh else self.state(path) for path in paths}
        return {path: state for path, state in states.items() if state.startswith("sha256:")}

    def state(self, path: str) -> str:
        """Return the state of a path: a digest, of a folder's names for `folder/`, or its kind."""
        self._unpack()
        self._asked.add(path)
        known = self._rows.get(path)
        row = _observe(os.path.join(self._folder, path), known)
        if row != known:
            self._rows[path] = row
            self._changed = True
            if known is not None and known[0] != row[0]:
                self._forget_answers(path)
        return row[0]

    def save(self) -> None:
        """Write the index; a disk that cannot be written to is left alone."""
        if not self._changed:
            return
        # Lazy: the common call writes nothing.
        from flux2build.storage.index_columns import packed

        recent = dict(list(self._answers.items())[-_MOST_ANSWERS:])
        kept = self._asked.union(*(paths for _, paths in recent.values()))
        rows = {path: self._rows[path] for path in sorted(kept) if path in self._rows}
        try:
            folder = own_folder(self._folder)
            data = packed([_FORMAT, *stamp(folder)], _KINDS, rows, recent)
            swap(os.path.join(folder, "index"), data)
        except OSError:
            return
        self._changed = False

    def _forget_answers(self, path: str) -> None:
        """Forget the answers that depend on a path."""
        for key in [key for key, (_, paths) in self._answers.items() if path in paths]:
            del self._answers[key]

    def _unpack(self) -> None:
        if self._packed is not None:
            self._rows, self._answers = self._packed.unpacked()
            self._packed = None


class _Packed:
    """An index as stored on disk: in columns, which are faster to search than rows."""

    def __init__(self, columns: tuple[list[str], bytes, bytes, bytes], answers: object) -> None:
        self._paths, self._kinds, fingerprints, self._digests = columns
        self._answers: dict[str, tuple[str, bytes]] = answers  # type: ignore[assignment] # stamped
        count = len(self._paths)
        numbers = memoryview(fingerprints).cast("Q").tolist()
        self._fingerprints = [numbers[at : at + count] for at in range(0, 4 * count, count or 1)]

    def answer(self, key: str, folder: str) -> str | None:
        """Return an answer, if nothing that it depends on has changed."""
        text, packed = self._answers.get(key, (None, b""))
        where = memoryview(packed).cast("I").tolist()
        few, many = where[:_FIRST], where[_FIRST:]
        if text is None or not all(self._all_unchanged(each, folder) for each in (few, many)):
            return None
        return text

    def suspects(self, key: str, text: str, folder: str) -> list[str] | None:
        """Return the paths that an answer depends on and that may have changed; None if it is not noted."""
        noted, packed = self._answers.get(key, (None, b""))
        where = memoryview(packed).cast("I").tolist()
        if noted != text:
            return None
        return [self._paths[at] for at in self._suspects(where, folder, _status)]

    def _all_unchanged(self, where: list[int], folder: str) -> bool:
        try:
            suspects = self._suspects(where, folder)
        except OSError:
            return False
        paths = self._paths
        return all(
            not through_link(folder, paths[at])
            and _observe(os.path.join(folder, paths[at]), None)[0] == self._state(at)
            for at in suspects
        )

    def _suspects(
        self, where: list[int], folder: str, status: Callable[[str], object] = os.stat
    ) -> list[int]:
        """Return the places of all but the files whose attributes are what they were.

        A loop over them would take half as long again as asking the system.
        """
        times, kinds, paths = self._fingerprints[1], self._kinds, self._paths
        files = [at for at in where if times[at] and not kinds[at]]
        suspects = [at for at in where if not times[at] or kinds[at]]
        if len(files) < 2:  # of one, `itemgetter` does not make a tuple
            return suspects + files
        chosen = operator.itemgetter(*files)
        if folder != os.getcwd():
            paths = [os.path.join(folder, path) for path in paths]
        before = [*zip(*map(chosen, self._fingerprints), strict=True)]
        now = [*map(_ATTRIBUTES, map(status, chosen(paths)))]
        if now != before:
            suspects += compress(files, map(operator.ne, now, before))
        return suspects

    def _state(self, at: int) -> str:
        if kind := self._kinds[at]:
            return _KINDS[kind]
        return "sha256:" + self._digests[32 * at : 32 * at + 32].hex()

    def unpacked(self) -> tuple[dict[str, Row], dict[str, tuple[str, tuple[str, ...]]]]:
        """Return the known states by path, and the answers, each with the paths that it depends on."""
        # Lazy: the common call needs neither.
        from flux2build.storage.index_columns import answers_of

        fingerprints = zip(self._paths, *self._fingerprints, strict=True)
        rows = {path: (self._state(at), *row) for at, (path, *row) in enumerate(fingerprints)}
        return rows, answers_of(self._answers, self._paths)


def _status(path: str) -> object:
    """The status of a file; of one that is missing, that of none."""
    try:
        return os.stat(path)
    except OSError:
        return _ABSENT


def _fits(before: str, now: str) -> bool:
    """Whether a state is an earlier one, which may have told no more than that there is a file."""
    return before == now or (before == "file" and now.startswith("sha256:"))


def _observe(path: str, known: Row | None) -> Row:
    """Observe the state of a path; a `known` row that still fits saves reading the file."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            if known is not None and any(known[1:]) and known[1:] == _fingerprint(status):
                return known
            return _hashed(path)
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
    file = os.open(path, _OPEN)
    try:
        before, digest = os.fstat(file), hashlib.sha256()
        if not stat.S_ISREG(before.st_mode):
            return (SPECIAL, 0, 0, 0, 0)
        # A file object, and a buffer for the largest file, take longer than most files.
        left, most = before.st_size, min(before.st_size + 1, _CHUNK)
        while chunk := os.read(file, most):
            digest.update(chunk)
            if not (left := left - len(chunk)):
                break  # what grows meanwhile has other times afterwards
        after = os.fstat(file)
    finally:
        os.close(file)
    return _row("sha256:" + digest.hexdigest(), now, before, after)


def _listed(path: str) -> Row:
    """Observe the names in a folder, which is what a `/` at the end of its path asks for."""
    # Lazy: few answers depend on the names in a folder.
    from flux2build.storage.listing import listing

    now, before = time.time_ns(), os.stat(path)
    return _row(listing(os.listdir(path)), now, before, os.stat(path))


def _row(state: str, now: int, before: os.stat_result, after: os.stat_result) -> Row:
    """Return a row without a fingerprint if anything changed meanwhile, or shortly before."""
    newest = max(before.st_mtime_ns, before.st_ctime_ns)
    margin = _TICK if before.st_ctime_ns % 10_000_000 else _COARSE
    if _fingerprint(before) != _fingerprint(after) or newest >= now - margin:
        return (state, 0, 0, 0, 0)
    return (state, *_fingerprint(before))


def _fingerprint(status: os.stat_result) -> tuple[int, int, int, int]:
    """The attributes of a file that change with its bytes; all 0 if they do not fit the format."""
    fingerprint = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return fingerprint if all(0 <= number < 1 << 64 for number in fingerprint) else (0, 0, 0, 0)


def _loaded(folder: str) -> _Packed | None:
    own = os.path.join(folder, FOLDER)
    try:
        with open(os.open(os.path.join(own, "index"), _OPEN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            check, head = file.read(8), file.read(8 * 3)
            # Only a true, undamaged stamp lets the rest be read, which could be crafted.
            if memoryview(head).cast("Q").tolist() != [_FORMAT, *stamp(own)]:
                return None
            body = file.read()
        if zlib.crc32(body, zlib.crc32(head)) != int.from_bytes(check, "big"):
            return None
        columns, answers = marshal.loads(body)  # noqa: S302 - stamped, see above
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return _Packed(columns, answers)
