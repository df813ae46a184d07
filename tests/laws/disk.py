"""What a power cut leaves: the strictest disk that POSIX allows.

Bytes are there once their file was synced, names once their folder was. All
else is lost, however long ago it was written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.laws.interception import Effect


@dataclass(slots=True)
class File:
    """A file's bytes: as processes see them, and as the disk has them."""

    live: bytes = b""
    kept: bytes = b""


@dataclass(slots=True)
class Folder:
    """A folder's names: as processes see them, and as the disk has them."""

    live: dict[str, File | Folder] = field(default_factory=dict)
    kept: dict[str, File | Folder] = field(default_factory=dict)


class Disk:
    """A folder as it was, and what effects make of it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.top = _read(root)

    def happen(self, effect: Effect) -> None:
        """Let an effect happen, if it is about this disk."""
        first, _, second = effect.path.partition("\n")
        path = Path(first)
        gone = first.endswith(" (deleted)")  # the kernel's mark of an open file without a name
        if effect.kind not in _CHANGES or self._root not in path.parents or gone:
            return
        if first.endswith(_DELETED):
            return  # written to once its name was gone
        match effect.kind:
            case "create":
                file = self._folder(path).setdefault(path.name, File())
                if effect.offset and isinstance(file, File):
                    file.live = b""
            case "write":
                written = self._file(path)
                before = written.live[: effect.offset].ljust(effect.offset, b"\0")
                after = written.live[effect.offset + len(effect.data) :]
                written.live = before + effect.data + after
            case "truncate":
                cut = self._file(path)
                cut.live = cut.live[: effect.offset]
            case "sync":
                self._sync(path)
            case "rename":
                moved = self._folder(path).pop(path.name)
                self._folder(Path(second))[Path(second).name] = moved
            case "unlink":
                del self._folder(path)[path.name]
            case _:
                self._folder(path)[path.name] = Folder()

    def kept(self, path: Path) -> bytes | None:
        """The bytes of a file that would survive a power cut now; None if it would not."""
        node: File | Folder | None = self.top
        for part in self._parts(path):
            node = node.kept.get(part) if isinstance(node, Folder) else None
        return node.kept if isinstance(node, File) else None

    def live(self, path: Path) -> bytes | None:
        """The bytes of a file that processes see."""
        node: File | Folder | None = self.top
        for part in self._parts(path):
            node = node.live.get(part) if isinstance(node, Folder) else None
        return node.live if isinstance(node, File) else None

    def cut_power(self) -> None:
        """Put the folder into the state in which the next start finds it."""
        for path in self._root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        _write(self._root, self.top)
        self.top = _read(self._root)

    def _sync(self, path: Path) -> None:
        node = self._node(path)
        if isinstance(node, File):
            node.kept = node.live
        else:
            node.kept = dict(node.live)

    def _parts(self, path: Path) -> tuple[str, ...]:
        return path.relative_to(self._root).parts

    def _node(self, path: Path) -> File | Folder:
        node: File | Folder = self.top
        for part in self._parts(path):
            assert isinstance(node, Folder), path
            node = node.live[part]
        return node

    def _folder(self, path: Path) -> dict[str, File | Folder]:
        """The names beside a path."""
        folder = self._node(path.parent)
        assert isinstance(folder, Folder), path
        return folder.live

    def _file(self, path: Path) -> File:
        file = self._node(path)
        assert isinstance(file, File), path
        return file


_DELETED = " (deleted)"
_CHANGES = frozenset({"create", "write", "truncate", "sync", "rename", "unlink", "mkdir"})


def _read(path: Path) -> Folder:
    content = {each.name: _read(each) if each.is_dir() else _file(each) for each in path.iterdir()}
    return Folder(dict(content), dict(content))


def _file(path: Path) -> File:
    data = path.read_bytes()
    return File(data, data)


def _write(path: Path, folder: Folder) -> None:
    for name, content in folder.kept.items():
        if isinstance(content, Folder):
            (path / name).mkdir(0o700)  # modes are not modelled: nobody else is here
            _write(path / name, content)
        else:
            (path / name).write_bytes(content.kept)


def files(root: Path) -> Iterator[Path]:
    """Every file below a folder."""
    return (path for path in root.rglob("*") if path.is_file())
