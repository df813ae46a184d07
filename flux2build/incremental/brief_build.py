"""The premises of a build that carries out a plan in brief."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest
from flux2build.incremental.brief import Brief
from flux2build.lockfile import Generated, Row
from flux2build.model import AssetName, Generate
from flux2build.planning.snapshot import Snapshot
from flux2build.session.project import Project
from flux2build.session.standing_in import noted, replaceable

if TYPE_CHECKING:
    from flux2build.session.wiring import Premises


def buildable(project: Project, brief: Brief) -> bool:
    """Whether a plan in brief can be built without changing the rest of the lock."""
    return brief.base.plain and not (brief.plan.orders or project.unread)


def premises(project: Project, brief: Brief) -> Premises:
    """The premises of a build that carries out a plan in brief."""
    from flux2build.session.wiring import Premises

    snapshot = replace(brief.snapshot, metas=_Metas(brief.snapshot))
    states = {**brief.base.states, **brief.changed}
    # A state that is not a digest is never looked up, and any path with the bytes will do.
    paths = cast("dict[Digest, str]", dict(zip(states.values(), states, strict=True)))
    artifacts = Artifacts(
        project.folder,
        project.store,
        paths,
        _Derived(brief),
        _Ours(brief),
        copies=lambda: project.elsewhere.copies,
        team=project.team,
    )
    artifacts = replaceable(artifacts, noted(project.folder))
    worded = frozenset(_worded(brief))
    return Premises(snapshot, artifacts, brief.base.budget, project.removal, worded)


def _worded(brief: Brief) -> Iterator[str]:
    """The pictures of a plan in which words are expected."""
    expected = brief.base.contents["expected"]
    for step in brief.plan.steps:
        if isinstance(step.recipe.task, Generate) and step.recipe.asset in expected:
            yield step.recipe.output


class _Ours(Container[tuple[str, Digest]]):
    """The outputs that are the same as in the lock, as pairs of path and digest."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief

    def __contains__(self, file: object) -> bool:
        if not isinstance(file, tuple):
            return False
        path, digest = file
        if self._brief.base.pictures.get(f"output:{path}") == digest:
            return True
        return any((row.output.path, row.output.sha256) == file for row in _open_rows(self._brief))


class _Derived(Container[Digest]):
    """The digests of derived outputs, as they were locked."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief

    def __contains__(self, digest: object) -> bool:
        if digest in self._brief.base.derived:
            return True
        return any(
            row.output.sha256 == digest and not (isinstance(row, Generated) or row.output.unsigned)
            for row in _open_rows(self._brief)
        )


def _open_rows(brief: Brief) -> Iterator[Row]:
    """The rows of the assets that were not up to date; the baseline has no pictures of theirs."""
    names = map(AssetName, brief.base.contents["open"])
    blocks = (brief.snapshot.lock.block(name, brief.base.profile) for name in names)
    return (row for block in blocks if block for row in block.rows)


class _Metas(Mapping[AssetName, Digest]):
    """The digests of each asset's tags, alternative text and title; most are those of the lock."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._lock, self._profile, self._read = snapshot.lock, snapshot.profile, snapshot.metas

    def __getitem__(self, asset: AssetName) -> Digest:
        return self._read.get(asset) or self._lock.blocks[asset, self._profile].meta

    def __iter__(self) -> Iterator[AssetName]:
        return (asset for asset, profile in self._lock.blocks if profile == self._profile)

    def __len__(self) -> int:
        return sum(1 for _ in self)
