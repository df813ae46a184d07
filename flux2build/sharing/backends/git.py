"""A remote of the clone, without any other server: `git+origin`.

Claims and receipts are refs below `refs/flux2build/`, each at a blob. Bytes are not kept here: they
come from committed outputs, or from Git LFS.
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
"""A line in which git tells what became of a ref: its flag, and a summary."""
_CREATED, _REJECTED = "*", "!"
_GONE: Final = re.compile(r"couldn't find remote ref refs/flux2build/([a-z]+/[0-9a-f]{64})")
_TRIES: Final = 8
"""How often a ref is read or written that others write at the same time."""


class Remote:
    """Values as blobs that refs of a remote name."""

    keeps_bytes = False

    def __init__(self, remote: str, git: GitCommands) -> None:
        self._remote, self._git = remote, git
        self._guard = threading.Lock()
        self._refs: Mapping[str, str] = {}
        """The name of the blob of each key."""
        self._listed = 0.0
        """When they were listed."""
        self._held = 0
        """How many questions at once are asked about one list."""
        self._values: dict[str, bytes] = {}
        """Blobs that were fetched, by their names."""
        self._rejection = ""
        """Why the remote has rejected what was pushed last."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""
        space, asked = space_of(key), time.monotonic()
        with self._guard:
            for _ in range(_TRIES):
                blob = self._known(asked).get(key)
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
        """Whether of two requests to create a key exactly one succeeds."""
        return self.create(key, one) and not self.create(key, other)

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""
        ref, blob = f"{_REFS}{checked(key)}", self._blob_of(key)

        def gone() -> bool:
            """Whether it was removed; another value in its place is not the one to remove."""
            lease = f"--force-with-lease={ref}:{blob}"
            return self._blob_of(key) != blob or self._push(f":{ref}", lease) is not None

        if blob is not None:
            self._until_pushed(gone)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, in any order."""
        asked = time.monotonic()
        with self._guard:
            keys = [key for key in self._known(asked) if key.startswith(prefix)]
        with self.at_once():
            for key in keys:
                if (data := self.get(key)) is not None:
                    yield Listed(key, len(data))

    def sweep(self, before: float, *, remove: bool) -> int:  # noqa: ARG002 - whenever it was
        """There is nothing: a push is whole or not at all."""
        return 0

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Answer several questions from one list of refs, as listing takes as long for one."""
        with self._guard:
            self._held += 1
            self._listed = 0.0 if self._held == 1 else self._listed
        try:
            yield
        finally:
            with self._guard:
                self._held -= 1

    def _blob_of(self, key: str) -> str | None:
        """The name of the blob of a key, as of now."""
        asked = time.monotonic()
        with self._guard:
            return self._known(asked).get(key)

    def _known(self, asked: float) -> Mapping[str, str]:
        """The blobs by their keys, as the remote has had them since the question was asked."""
        if self._listed < asked and not (self._held and self._listed):
            began = time.monotonic()
            listed = self._git.run("ls-remote", "--refs", "--", self._remote, f"{_REFS}*")
            if listed.code:
                raise self._unreachable(listed.said)
            lines = (_LINE.fullmatch(line) for line in listed.output.splitlines())
            refs = {str(each[2], "ascii"): str(each[1], "ascii") for each in lines if each}
            self._refs = {key: blob for key, blob in refs.items() if is_key(key)}
            self._listed = began
        return self._refs

    def _fetch(self, space: Space) -> None:
        """Fetch all values of a space that were not fetched before, as far as they are still there."""
        refs = self._refs.items()
        wanted = {k: b for k, b in refs if space_of(k) is space and b not in self._values}
        while wanted:
            fetched = self._git.run(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="),
                *("--no-recurse-submodules", "--stdin", "--", self._remote),
                given="".join(f"{_REFS}{key}\n" for key in wanted).encode(),
            )
            if not fetched.code:
                break
            gone = _GONE.search(fetched.said)  # and nothing else was fetched because of it
            if gone is None or wanted.pop(gone[1], None) is None:
                raise self._unreachable(fetched.said)
        self._values |= self._read(wanted)

    def _read(self, wanted: Mapping[str, str]) -> dict[str, bytes]:
        """Those of some blobs that were fetched; what is larger than a value, or no blob, is empty.

        So it is damage, as any other value that is none.
        """
        names = "".join(f"{blob}\n" for blob in wanted.values()).encode()
        sizes = self._git.run("cat-file", "--batch-check", given=names).output.splitlines()
        fit, values = list[str](), dict[str, bytes]()
        for (key, blob), line in zip(wanted.items(), sizes, strict=False):
            match line.split():
                case [_, b"blob", size] if int(size) <= most(key):
                    fit.append(blob)
                case [_, _, _]:
                    values[blob] = b""
                case _:  # it is missing
                    pass
        names = "".join(f"{blob}\n" for blob in fit).encode()
        output, at = self._git.run("cat-file", "--batch", given=names).output, 0
        for blob in fit:
            start = output.index(b"\n", at) + 1
            at = start + int(output[at:start].split()[-1]) + 1
            values[blob] = output[start : at - 1]
        return values

    def _blob(self, data: bytes) -> str:
        written = self._git.run("hash-object", "-w", "--stdin", given=data)
        if written.code:
            raise self._unreachable(written.said)
        return str(written.output, "ascii").strip()

    def _until_pushed(self, push: Callable[[], bool]) -> None:
        """Push, more than once if others write the same ref at the same time."""
        for _ in range(_TRIES):
            if push():
                return
        raise self._unreachable(self._rejection)

    def _push(self, spec: str, *options: str) -> str | None:
        """The flag with which git tells that it pushed; None if the remote rejected it."""
        options = (*options, "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed")
        pushed = self._git.run("push", *options, "--", self._remote, spec)
        with self._guard:
            self._listed = 0.0
        told = _PUSHED.search(str(pushed.output, "utf-8", "replace"))
        if told is None:
            raise self._unreachable(pushed.said)
        flag, why = told[1], one_line(told[2], 80)
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
