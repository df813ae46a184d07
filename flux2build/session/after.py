"""A project after a build: only what the build changed is read and judged again."""

from __future__ import annotations

from msgspec.structs import replace

from flux2build.building.report import Report
from flux2build.planning.plan import Planner
from flux2build.planning.replan import judged_again
from flux2build.planning.snapshot import Locked
from flux2build.session.project import Project


def after(before: Project, report: Report) -> Project:
    """Return a project after a build, without any other changes since."""
    project = before.reread_lock()
    lock, data = report.lock or (before.lock, before.lock_bytes)
    parts, locked = vars(project), Locked.of(lock)
    parts.update(lock_bytes=data, _lock_as_read=lock, _files=report.on(before.files()))
    parts["wrote_lock"] = report.lock is not None
    parts["seen"] = replace(
        before.seen,
        files=report.on(before.seen.files),
        lock=lock,
        ledger=project.ledger,
        pictures=locked.pictures,
        purchases=locked.purchases,
        locked_files=locked.files,
    )
    planner = Planner(project.seen, project.quotes.price)
    bare = judged_again(before.whole, report.due, planner)
    parts["whole"] = project.completed(bare, project.seen)
    return project
