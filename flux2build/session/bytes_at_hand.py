"""The bytes that a project can use without making them."""

from __future__ import annotations

from collections.abc import Mapping

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest
from flux2build.lockfile import Generated
from flux2build.planning.finals import locked_at
from flux2build.session.project import Project


def at_hand(project: Project, files: Mapping[str, Digest]) -> Artifacts:
    """The bytes at hand; those that can be derived again need not be kept."""
    paths = {digest: path for path, digest in files.items()}
    profile = project.spec.profile
    blocks = (block for block in project.lock.blocks.values() if block.profile == profile)
    derived = (row.output for b in blocks for row in b.rows if not isinstance(row, Generated))
    among_code = project.spec.beside  # here the lock alone does not prove that a file is ours
    free = frozenset(
        output.sha256 for output in derived if not output.unsigned and output.path not in among_code
    )
    ours = locked_at(project.lock, profile)
    return Artifacts(
        project.folder,
        project.store,
        paths,
        free,
        ours,
        copies=lambda: project.elsewhere.copies,
        team=project.team,
    )
