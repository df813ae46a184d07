"""Other paths that decide whether files belong to the project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from flux2build.session.project import Project
from flux2build.storage.disk import root_of


def around(project: Project, files: Iterable[str]) -> Iterator[str]:
    """The paths that make files part of the project: its root, and folders that are not links.

    A file that a link leads to has the times and the inode that it had before.
    """
    folders = {path.rpartition("/")[0] for path in files if not path.startswith("/")}
    yield from (path for path in folders if path and project.tree.real(path) == path)
    if any(path.startswith("../") for path in files):
        root, here = root_of(project.folder), project.folder
        marks = (at / ".git" for at in (here, *here.parents) if at.is_relative_to(root))
        yield from (os.path.relpath(mark, here) for mark in marks if not mark.is_symlink())
