"""Checks whether a spec's path names a file, and guesses the intended path if it does not.

All paths of references, sources, fonts, overlays, data, templates and extended specs are checked
here, so that the same rules hold everywhere: a name in the wrong case is not a file, even on a disk
that would find one.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from flux2build.errors import brief, nearest
from flux2build.storage import paths
from flux2build.storage.project_files import NOT_A_FILE, Kind, ProjectFiles

_ADDRESS: Final = r"(?:[A-Za-z][A-Za-z0-9+.-]+://|data:|www\.)"
_DRIVE: Final = r"[A-Za-z]:[/\\]"
_COPY: Final = "copy the file into the project, and write its path from the spec's folder"
FROM_FOLDER: Final = "paths start from the folder of the spec"
_MOST_SEARCHED: Final = 500
"""Most folders that are searched for a file in another place."""
_ALIKE: Final = 0.7
"""The least similarity of a file's name to a misspelt one."""
_UPWARDS: Final = ("..", "../..", "../../..")

Absence = tuple[str, str | None]
"""The reason why a path is not a file of the project, and a hint."""


def absence(files: ProjectFiles, written: str) -> Absence | None:
    """The reason why a path is not a file, with a hint; None if it is one."""
    if (fault := foreign(files, written)) is not None:
        return fault
    path = paths.join("", written)
    if (kind := files.kind(path)) is Kind.FILE:
        return None if is_spelled(files, path) else _absent(files, written, path)
    if kind is Kind.MISSING:
        return _absent(files, written, path)
    hint = _COPY if kind is Kind.OUTSIDE else None
    if kind is Kind.FOLDER:
        inside = (posixpath.join(path, name) for name in files.names(path))
        first = next((each for each in inside if files.kind(each) is Kind.FILE), None)
        hint = f"name a file in it, such as `{first}`" if first else "it has no file in it"
    return f"`{brief(written)}` {NOT_A_FILE[kind]}", hint


def no_folder(files: ProjectFiles, written: str) -> Absence | None:
    """The reason why a path cannot be a folder of files, with a hint; None if it can."""
    if written and (fault := foreign(files, written)) is not None:
        return fault
    if files.kind(paths.join("", written)) in {Kind.OUTSIDE, Kind.FILE, Kind.SPECIAL}:
        return f"`{brief(written)}` is not a folder of the project", None
    return None


def unmatched(files: ProjectFiles, pattern: str) -> Absence:
    """The reason why a pattern matches nothing, with a hint: the missing folder, or names."""
    if (fault := foreign(files, pattern)) is not None:
        return fault
    message, at = f"no file fits `{brief(pattern, 200)}`", "."
    for part in paths.join("", pattern).split("/")[:-1]:
        if "*" in part or "{" in part:
            return message, None
        below = paths.join(at, part)
        if files.kind(below) is not Kind.FOLDER or not is_spelled(files, below):
            meant = alike(part, files.names(at))
            hint = _asked(paths.join(at, meant)) if meant else None
            return f"{message}: there is no folder `{below}`", hint
        at = below
    names = [name for name, is_folder in files.entries(at) if not is_folder][:3]
    return message, f"`{at}` has " + ", ".join(f"`{name}`" for name in names) if names else None


def foreign(files: ProjectFiles, written: str) -> Absence | None:
    """The problem of a path that is meaningless in a project, whether or not it exists."""
    shown = brief(written, 200)
    if not written.strip():
        return "the path is empty", None
    if (":" in written or written.startswith("www.")) and re.match(_ADDRESS, written):
        hint = "download it into the project, and write its path from the spec's folder"
        return f"`{shown}` is an address, not a file of this project", hint
    if written.startswith("~"):
        return f"`{shown}` is not a path of this project: `~` stands for no folder here", _COPY
    drive = ":" in written and re.match(_DRIVE, written)
    if "\0" in written or written.startswith("/") or "\\" in written or drive:
        plain = paths.join("", re.sub(_DRIVE, "", written.replace("\\", "/")).lstrip("/"))
        meant = None if "\0" in written else nearest_file(files, plain)
        hint = _asked(meant) if meant else "write paths from the spec's folder, with `/`"
        return f"`{shown}` is not a path of this project", hint
    return None


def _absent(files: ProjectFiles, written: str, path: str) -> Absence:
    """The message about a path at which there is nothing, with the nearest name."""
    meant = nearest_file(files, path)
    hint = None
    if meant:
        same = unicodedata.normalize("NFC", meant) == unicodedata.normalize("NFC", path)
        hint = f"{_asked(meant)} {_FORM}" if same else _asked(meant)
    elif "*" in path:
        hint = "only `rows` takes a pattern: name each file"
    elif not posixpath.dirname(path):
        hint = FROM_FOLDER
    return f"`{brief(written, 200)}` does not exist", hint


_FORM: Final = "its name has the same letters in another form of Unicode (NFC, NFD): copy it"


def _asked(meant: str) -> str:
    return f"did you mean `{meant}`?"


def is_spelled(files: ProjectFiles, path: str) -> bool:
    """Whether each part of a path is written as on the disk, which may take other cases too."""
    folder, _, name = path.rpartition("/")
    if name in {"", ".", ".."}:
        return True
    names = files.names(folder or ".")
    at = bisect_left(names, name)
    written = (at < len(names) and names[at] == name) or _in_another_form(name, names)
    return written and (not folder or is_spelled(files, folder))


def _in_another_form(name: str, names: Sequence[str]) -> bool:
    """Whether a disk converted a name to another form of Unicode, which is not a mistake."""
    plain = unicodedata.normalize("NFC", name)
    return any(unicodedata.normalize("NFC", each) == plain for each in names)


def nearest_file(files: ProjectFiles, path: str) -> str | None:
    """The file that was most likely intended: with a similar name, in this folder or elsewhere."""
    if files.kind(path) is Kind.FILE and is_spelled(files, path):
        return path
    options = (_along(files, path), _along(files, unquote(path)), *_upwards(files, path))
    return next(filter(None, options), None) or _elsewhere(files, posixpath.basename(path))


def _along(files: ProjectFiles, path: str) -> str | None:
    """The file at a path of which every part may be spelled a little differently."""
    *folders, name = path.split("/")
    at = "."
    for folder in folders:
        meant = ".." if folder == ".." else alike(folder, files.names(at))
        if meant is None:
            return None
        at = paths.join(at, meant)
    found = alike(name, [each for each in files.names(at) if _is_file(files, at, each)])
    return None if found is None else paths.join(at, found)


def alike(name: str, known: Sequence[str]) -> str | None:
    """The intended name: in another case or form, with another suffix, or with a slip."""
    if name in known:
        return name
    folded, stem = paths.fold(name.strip()), paths.fold(posixpath.splitext(name)[0])
    for same in (
        lambda each: paths.fold(each) == folded,
        lambda each: "." in name and paths.fold(posixpath.splitext(each)[0]) == stem,
    ):
        if found := next(filter(same, known), None):
            return found
    # Names without their suffixes: `a.png` is not nearly `b.png`.
    stems = {paths.fold(posixpath.splitext(each)[0]): each for each in known}
    meant = nearest(stem, stems, _ALIKE)
    return None if meant is None else stems[meant]


def _is_file(files: ProjectFiles, folder: str, name: str) -> bool:
    return files.kind(paths.join(folder, name)) is Kind.FILE


def _upwards(files: ProjectFiles, path: str) -> Iterator[str | None]:
    """The same path from the folders above, or without a first folder that the spec lies in."""
    for above in _UPWARDS:
        longer = paths.join(above, path)
        yield longer if files.kind(longer) is Kind.FILE else None
    _, _, shorter = path.partition("/")
    yield shorter if shorter and files.kind(shorter) is Kind.FILE else None


def _elsewhere(files: ProjectFiles, name: str) -> str | None:
    """A file of this name in another folder of the project."""
    folded, pending, searched = paths.fold(name), ["."], 0
    while pending and searched < _MOST_SEARCHED:
        folder, searched = pending.pop(0), searched + 1
        for each in files.names(folder):
            path = paths.join(folder, each)
            if paths.fold(each) == folded and files.kind(path) is Kind.FILE:
                return path
            if "." not in each and not paths.is_foreign(each):
                pending.append(path)
    return None
