"""Files that a person asks a command to write: plans, reports, sheets."""

from __future__ import annotations

from pathlib import Path

from flux2build.errors import UsageError
from flux2build.session.project import Project
from flux2build.storage import durable


def write(project: Project, path: str, data: bytes) -> None:
    """Write a file anywhere, except in place of the project's own files.

    Raises:
        UsageError: the spec has or needs a file at the path.
        SystemFault: it cannot be written.
    """
    target = Path(path).absolute()
    real = target.parent.resolve() / target.name
    if real.is_relative_to(project.folder):
        inside = real.relative_to(project.folder).as_posix()
        outputs = {recipe.output for recipe in project.spec.recipes}
        what = project.spec.keeps(inside) or ("an output" if inside in outputs else None)
        if what:
            raise UsageError(f"`{path}` is {what}", hint="name another file")
    durable.replace(target, data)
