"""The premises of a build that carries out a plan in brief."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest
from flux2build.incremental.baseline import Baseline
from flux2build.incremental.brief import Brief
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
        _Derived(brief.base),
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
        self._base, self._lock = brief.base, brief.snapshot.lock

    def __contains__(self, file: object) -> bool:
        if not isinstance(file, tuple):
            return False
        path, digest = file
        if self._base.pictures.get(f"output:{path}") == digest:
            return True
        names = map(AssetName, self._base.contents["open"])
        blocks = (self._lock.block(name, self._base.profile) for name in names)
        rows = (row.output for block in blocks if block for row in block.rows)
        return any((output.path, output.sha256) == file for output in rows)


class _Derived(Container[Digest]):
    """The digests of a baseline's derived outputs."""

    def __init__(self, base: Baseline) -> None:
        self._base = base

    def __contains__(self, digest: object) -> bool:
        return digest in self._base.derived


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
