"""Finds the files that git tracks or ignores, without running git."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.storage import paths, regular

_HEADER: Final = 12
_TIMES_AND_SIZES: Final = 40
_EXTENDED: Final = 0x4000
_LENGTH: Final = 0x0FFF


class Tracked(Struct, frozen=True, dict=True):
    """The files below a folder that git tracks.

    Where that is unknown, such as in a linked work tree, every file counts as tracked.
    """

    root: Path
    """The project's root, which may have a `.git`."""
    folder: Path
    """The folder that paths start from."""

    def __contains__(self, path: object) -> bool:
        """Whether git tracks the file at a path, in any spelling."""
        if self._folds is None:
            return True
        whole, root = self.folder.resolve() / str(path), self.root.resolve()
        real = whole.parent.resolve() / whole.name
        if not real.is_relative_to(root):
            return True
        return paths.fold(real.relative_to(root).as_posix()) in self._folds

    def ways_back(self, path: str, digest: Digest | None) -> tuple[str, ...]:
        """Commands that bring a file back, or certain bytes of it, or list commits that may have it."""
        git, name = self.root / ".git", shlex.quote(path)
        if not git.exists():
            return ()
        ways = [f"`git log --all --oneline -- {name}` lists the commits that may have it"]
        if path in self:
            ways.insert(0, f"`git checkout -- {name}` brings back what git has")
        if digest and (object_ := lfs_object(git, digest)).is_file():
            source = shlex.quote(os.path.relpath(object_, self.folder))
            ways.insert(0, f"`cp {source} {name}` brings it back from Git LFS")
        return tuple(ways)

    @property
    def known(self) -> bool:
        """Whether the index of git could be read."""
        return self._folds is not None

    @cached_property
    def _folds(self) -> frozenset[str] | None:
        git = self.root / ".git"
        if not git.exists():
            return frozenset()
        try:
            data = regular.read(git / "index", None)
        except FileNotFoundError:
            return frozenset() if git.is_dir() else None
        except OSError:
            return None
        try:
            return frozenset(paths.fold(name) for name in _names(data))
        except (ValueError, IndexError):
            return None


def ignoring(root: Path, folder: Path, name: str) -> str | None:
    """Return the ignore file of the project, from the root, that hides a file; None if none does.

    Ignore files that a person's configuration of git names are not read.
    """
    if not (root / ".git").exists() or name in Tracked(root, folder):
        return None
    root, folder = root.resolve(), folder.resolve()
    between = [root, *(at for at in reversed(folder.parents) if root in at.parents), folder]
    decided: tuple[bool, str] = (False, "")
    for file, base in (
        (root / ".git/info/exclude", root),
        *((b / ".gitignore", b) for b in between),
    ):
        with suppress(OSError, UnicodeDecodeError, ValueError):
            lines = regular.read(file).decode().splitlines()
            path = folder.relative_to(base).joinpath(name).as_posix()
            if (matches := _matches(lines, path)) is not None:
                decided = (matches, file.relative_to(root).as_posix())
    ignored, by = decided
    return by if ignored else None


def _matches(lines: Sequence[str], path: str) -> bool | None:
    """Whether git ignores a path for the lines of a `.gitignore`; None if they do not say."""
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    if not patterns:
        return None  # as git writes `.git/info/exclude`
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns).check_file(path).include


def lfs_object(git: Path, digest: str) -> Path:
    """Return where Git LFS keeps the bytes with a digest, if it has fetched them."""
    name = digest.removeprefix("sha256:")
    return git / "lfs" / "objects" / name[:2] / name[2:4] / name


def _names(data: bytes) -> Iterator[str]:
    """The paths in the text of an index.

    Raises:
        ValueError: it is damaged, or only a part of an index.
        IndexError: it is cut short.
    """
    digest = _digest_length(data)
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    if data[:4] != b"DIRC" or version not in {2, 3, 4}:
        raise ValueError(version)
    at, name = _HEADER, b""
    for _ in range(count):
        flags_at = at + _TIMES_AND_SIZES + digest
        flags = int.from_bytes(data[flags_at : flags_at + 2], "big")
        start = flags_at + (4 if flags & _EXTENDED else 2)
        if version == 4:
            strip, start = _varint(data, start)
            name = name[: len(name) - strip]
        else:
            name = b""
        end = data.index(b"\0", start)
        name += data[start:end]
        # Up to version 3 each entry is padded with 1 to 8 zeros, to a multiple of 8.
        at = end + 1 if version == 4 else at + (end - at + 8) // 8 * 8
        yield name.decode(errors="surrogateescape")
    if data[at : at + 4] == b"link":
        raise ValueError("split")


def _digest_length(data: bytes) -> int:
    """The length of the digests in an index, found by the one at its end."""
    for length, new in ((20, hashlib.sha1), (32, hashlib.sha256)):
        # git's own checksum, where SHA-1 guards nothing; `index.skipHash` writes zeros.
        if data[-length:] in {new(data[:-length]).digest(), bytes(length)}:
            return length
    raise ValueError("checksum")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in git's variable-length form, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
