"""A remote of the clone, without any other server: `git+origin`.

Claims and receipts are refs below `refs/flux2build/`, each at a blob. Bytes are not stored here:
they come from committed outputs, or from Git LFS.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from flux2build.errors import UsageError, one_line
from flux2build.sharing.contract import Access, Backend, Kind, Listed, Unreachable, plain
from flux2build.sharing.git_commands import GitCommands
from flux2build.sharing.keys import Space, checked, is_key, most, space_of

_PREFIX: Final = "git+"
_REFS: Final = "refs/flux2build/"
_LINE: Final = re.compile(rb"([0-9a-f]{40,64})\trefs/flux2build/([a-z]+/[0-9a-f]{64})")
_PUSHED: Final = re.compile(r"^([ +*=!-])\t\S*:refs/flux2build/\S+\t(.*)$", re.MULTILINE)
"""A line in which git reports on a ref: its flag, and a summary."""
_CREATED, _REJECTED = "*", "!"
_GONE: Final = re.compile(r"couldn't find remote ref refs/flux2build/([a-z]+/[0-9a-f]{64})")
_TRIES: Final = 8
"""How many times a ref is read or written while others write it."""


class Remote:
    """Values as blobs, to which refs of a remote point."""

    keeps_bytes = False

    def __init__(self, remote: str, git: GitCommands) -> None:
        self._remote, self._git = remote, git
        self._guard = threading.Lock()
        self._refs: Mapping[str, str] = {}
        """The name of the blob of each key."""
        self._listed = 0.0
        """When they were listed."""
        self._sharers = 0
        """How many callers share one list of refs."""
        self._values: dict[str, bytes] = {}
        """The fetched blobs by their names."""
        self._rejection = ""
        """The reason why the remote rejected the last push."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""
        space, start = space_of(key), time.monotonic()
        with self._guard:
            for _ in range(_TRIES):
                blob = self._blobs(start).get(key)
                if blob is None:
                    return None
                if blob not in self._values:
                    self._fetch(space)
                if (data := self._values.get(blob)) is not None:
                    return data
                self._listed = 0.0
        raise self._unreachable(f"`{_REFS}{key}` changes all the time")

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        return self._blob_of(checked(key)) is not None

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""
        self._require_kept(key)
        spec = f"+{self._blob(data)}:{_REFS}{key}"
        self._until_pushed(lambda: self._push(spec) is not None)

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""
        self._require_kept(key)
        ref, blob = f"{_REFS}{key}", self._blob(data)
        created = False

        def try_it() -> bool:
            nonlocal created
            created = self._push(f"{blob}:{ref}", f"--force-with-lease={ref}:") == _CREATED
            return created or self.has(key)

        self._until_pushed(try_it)
        return created

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether exactly one of two requests to create a key succeeds."""
        return self.create(key, one) and not self.create(key, other)

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""
        ref, blob = f"{_REFS}{checked(key)}", self._blob_of(key)

        def gone() -> bool:
            """Whether the value was removed; another value in its place is not removed."""
            lease = f"--force-with-lease={ref}:{blob}"
            return self._blob_of(key) != blob or self._push(f":{ref}", lease) is not None

        if blob is not None:
            self._until_pushed(gone)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, in any order."""
        start = time.monotonic()
        with self._guard:
            keys = [key for key in self._blobs(start) if key.startswith(prefix)]
        with self.at_once():
            for key in keys:
                if (data := self.get(key)) is not None:
                    yield Listed(key, len(data))

    def sweep(self, before: float, *, remove: bool) -> int:  # noqa: ARG002 - whenever it was
        """Always 0: a push is whole, or does not happen."""
        return 0

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Answer several questions from one list of refs: listing one ref takes as long."""
        with self._guard:
            self._sharers += 1
            self._listed = 0.0 if self._sharers == 1 else self._listed
        try:
            yield
        finally:
            with self._guard:
                self._sharers -= 1

    def _blob_of(self, key: str) -> str | None:
        """The name of the blob of a key, as of now."""
        start = time.monotonic()
        with self._guard:
            return self._blobs(start).get(key)

    def _blobs(self, start: float) -> Mapping[str, str]:
        """The blobs by their keys, from a list that is newer than the question."""
        if self._listed < start and not (self._sharers and self._listed):
            began = time.monotonic()
            listed = self._git.run("ls-remote", "--refs", "--", self._remote, f"{_REFS}*")
            if listed.code:
                raise self._unreachable(listed.complaint)
            lines = (_LINE.fullmatch(line) for line in listed.output.splitlines())
            refs = {str(each[2], "ascii"): str(each[1], "ascii") for each in lines if each}
            self._refs = {key: blob for key, blob in refs.items() if is_key(key)}
            self._listed = began
        return self._refs

    def _fetch(self, space: Space) -> None:
        """Fetch all values of a space that are still there and were not fetched before."""
        refs = self._refs.items()
        blobs = {k: b for k, b in refs if space_of(k) is space and b not in self._values}
        while blobs:
            fetched = self._git.run(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="),
                *("--no-recurse-submodules", "--stdin", "--", self._remote),
                stdin="".join(f"{_REFS}{key}\n" for key in blobs).encode(),
            )
            if not fetched.code:
                break
            missing = _GONE.search(fetched.complaint)  # nothing was fetched because of it
            if missing is None or blobs.pop(missing[1], None) is None:
                raise self._unreachable(fetched.complaint)
        self._values |= self._read(blobs)

    def _read(self, blobs: Mapping[str, str]) -> dict[str, bytes]:
        """The fetched blobs; an object that is not a blob, or larger than a value, becomes empty.

        An empty value counts as damaged.
        """
        names = "".join(f"{blob}\n" for blob in blobs.values()).encode()
        sizes = self._git.run("cat-file", "--batch-check", stdin=names).output.splitlines()
        fit, values = list[str](), dict[str, bytes]()
        for (key, blob), line in zip(blobs.items(), sizes, strict=False):
            match line.split():
                case [_, b"blob", size] if int(size) <= most(key):
                    fit.append(blob)
                case [_, _, _]:
                    values[blob] = b""
                case _:  # the object is missing
                    pass
        names = "".join(f"{blob}\n" for blob in fit).encode()
        output, at = self._git.run("cat-file", "--batch", stdin=names).output, 0
        for blob in fit:
            start = output.index(b"\n", at) + 1
            at = start + int(output[at:start].split()[-1]) + 1
            values[blob] = output[start : at - 1]
        return values

    def _blob(self, data: bytes) -> str:
        written = self._git.run("hash-object", "-w", "--stdin", stdin=data)
        if written.code:
            raise self._unreachable(written.complaint)
        return str(written.output, "ascii").strip()

    def _until_pushed(self, push: Callable[[], bool]) -> None:
        """Push, again if others write the same ref at the same time."""
        for _ in range(_TRIES):
            if push():
                return
        raise self._unreachable(self._rejection)

    def _push(self, spec: str, *options: str) -> str | None:
        """The flag with which git reports the push; None if the remote rejected it."""
        options = (*options, "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed")
        pushed = self._git.run("push", *options, "--", self._remote, spec)
        with self._guard:
            self._listed = 0.0
        report = _PUSHED.search(str(pushed.output, "utf-8", "replace"))
        if report is None:
            raise self._unreachable(pushed.complaint)
        flag, why = report[1], one_line(report[2], 80)
        if flag != _REJECTED:
            return flag
        if "hook" in why:
            raise self._unreachable(why)
        self._rejection = why
        return None

    def _require_kept(self, key: str) -> None:
        if space_of(key) is Space.BYTES:
            raise self._unreachable("a remote of git keeps no bytes")

    def _unreachable(self, why: str) -> Unreachable:
        message = f"the team's store `{_PREFIX}{plain(self._remote)}` cannot be used: {why}"
        return Unreachable(
            message, hint=f"see whether `git ls-remote {plain(self._remote)}` works here"
        )


class RemoteKind:
    """Stores in a remote of git."""

    prefixes: tuple[str, ...] = (_PREFIX,)
    example = "git+origin"

    def open(self, url: str, access: Access) -> Backend:
        """The backend of a URL.

        Raises:
            UsageError: it names no remote.
        """
        remote = url.removeprefix(_PREFIX)
        if not remote or remote.startswith("-") or not remote.isprintable():
            message = f"`{plain(url)}` names no remote of git"
            raise UsageError(message, hint=f"write it like `{self.example}`")
        return Remote(remote, GitCommands(access.folder, access.patience))


BACKEND: Final[Kind] = RemoteKind()
