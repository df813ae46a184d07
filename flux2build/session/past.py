"""The past pictures of an asset, from git's versions of the lock and from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest
from flux2build.errors import UsageError
from flux2build.ledger import Delivered
from flux2build.lockfile import Block, Generated, Lockfile
from flux2build.model import AssetName, Generate, Receipt
from flux2build.session.common_options import Choice
from flux2build.session.earlier_locks import lock_in
from flux2build.session.project import Project
from flux2build.storage.repository import Commit, Repository, Version

_SHORT: Final = 9
"""Characters of a commit's name."""
_TEAM: Final = "the team's store"


class Picture(Struct, frozen=True):
    """One current or past picture of an asset."""

    number: int
    """From 1, the oldest."""
    output: Digest
    date: str
    """The day of its first commit, or else of its delivery; empty if unknown."""
    receipt: Receipt
    model: str
    commit: Commit | None = None
    """The first commit whose lock has it; None if there is none."""
    block: Block | None = None
    """The block of the asset in that lock; None if only the ledger has the picture."""
    current: bool = False
    """Whether the current lock has it."""

    @property
    def row(self) -> Generated | None:
        """Its row in that lock."""
        return self.block.generated if self.block else None

    @property
    def origin(self) -> str:
        """The commit that introduced it, or the reason why there is none."""
        if self.commit is not None:
            return self.commit.name[:_SHORT]
        return "not committed" if self.current else "ledger"


def pictures(project: Project, asset: AssetName) -> list[Picture]:
    """Every picture that an asset has had in the profile, oldest first."""
    profile, by_digest = project.spec.profile, dict[Digest, Picture]()
    for picture in (*_committed(project, asset, profile), *_delivered(project, asset)):
        by_digest.setdefault(picture.output, picture)
    block = project.lock.block(asset, profile)
    if block is not None and (row := block.generated) is not None:
        current = by_digest.get(row.output.sha256) or Picture(
            0, row.output.sha256, "", row.receipt, row.model
        )
        by_digest[row.output.sha256] = replace(current, block=block, current=True)
    # A picture without a date is newer than all others.
    dated = sorted(by_digest.values(), key=lambda each: (not each.date, each.date))
    return [replace(each, number=number) for number, each in enumerate(dated, 1)]


def elsewhere(project: Project, asset: AssetName) -> list[str]:
    """The other profiles of the spec in which the lock has a picture of an asset."""
    blocks = (each for each in project.lock.blocks.values() if each.generated is not None)
    profiles = {each.profile for each in blocks if each.asset == asset}
    return sorted(profiles & {*project.spec.wanted_profiles} - {project.spec.profile})


def _committed(project: Project, asset: AssetName, profile: str) -> Iterator[Picture]:
    """The pictures in git's versions of the lock, each with its first commit; renames are followed."""
    name, earlier = asset, list[Picture]()
    for commit, lock in _locks(project.repository, project.lock_path):
        block = lock.block(name, profile)
        if block is None and earlier and (former := _holding(lock, profile, earlier[-1].output)):
            name, block = former.asset, former
        if block is not None and (row := block.generated) is not None:
            digest, date = row.output.sha256, commit.date
            earlier.append(Picture(0, digest, date, row.receipt, row.model, commit, block))
    yield from reversed(earlier)


def _holding(lock: Lockfile, profile: str, output: Digest) -> Block | None:
    """The block that has a picture under the asset's former name."""
    blocks = (block for block in lock.blocks.values() if block.profile == profile)
    rendered = (block for block in blocks if block.generated)
    return next((b for b in rendered if b.generated and b.generated.output.sha256 == output), None)


def picture_in(project: Project, asset: AssetName, revision: str) -> Digest | None:
    """The picture of an asset in the commit of a revision; None if there is none."""
    repository, name = project.repository, project.lock_path.name
    commit = repository.commit(revision) if repository.exists else None
    version = repository.at(commit, name) if commit else None
    lock = lock_in(repository, version, name) if version else None
    block = lock.block(asset, project.spec.profile) if lock else None
    return block.generated.output.sha256 if block and block.generated else None


def _locks(repository: Repository, path: Path) -> Iterator[tuple[Commit, Lockfile]]:
    """The lock in each commit that changed it, newest first, without unreadable ones."""
    read: dict[Version, Lockfile | None] = {}
    for commit in repository.commits(path.name):
        version = repository.at(commit.name, path.name)
        if version is None:
            continue
        if version not in read:
            read[version] = lock_in(repository, version, path.name)
        if (lock := read[version]) is not None:
            yield commit, lock


def _delivered(project: Project, asset: AssetName) -> Iterator[Picture]:
    """The pictures of an asset that the ledger says were delivered to this project."""
    folder = str(project.folder)
    for entry in project.journal.read():
        if isinstance(entry, Delivered) and (entry.asset, entry.project) == (asset, folder):
            yield Picture(0, entry.output, entry.at, entry.receipt, entry.model)


class Copy(NamedTuple):
    """The bytes of a picture, and their source."""

    where: str
    data: bytes


def copy(project: Project, picture: Picture, artifacts: Artifacts) -> Copy | None:
    """The bytes of a picture from any place on this machine; None if there are none."""
    digest = picture.output
    if artifacts.has(digest):
        path = artifacts.paths.get(digest)
        if path or project.store.has(digest):
            return Copy(path or "the store", artifacts.get(digest))
    row, commit = picture.row, picture.commit
    if row is not None and commit is not None:
        data = project.repository.content(commit.name, row.output.path, digest)
        if data is not None:
            return Copy(f"git, {commit.name[:_SHORT]}", data)
    data = project.elsewhere.copies.read(digest)
    return None if data is None else Copy("the work tree or git", data)


def shared(project: Project, picture: Picture) -> Copy | None:
    """The bytes of a picture from the team's store; None if it does not have them.

    Raises:
        SystemFault: it has other bytes.
    """
    data = None if project.team is None else project.team.read(picture.output)
    return None if data is None else Copy(_TEAM, data)


def whereabouts(
    project: Project, pictures: Sequence[Picture], artifacts: Artifacts
) -> list[str | None]:
    """The places from which the bytes of each picture can be read; None if there is none."""
    copies = [copy(project, each, artifacts) for each in pictures]
    if (team := project.team) is None:
        return [each.where if each else None for each in copies]
    for picture, copy_here in zip(pictures, copies, strict=True):
        _ = copy_here or team.has(picture.output)
    team.learn()
    return [
        copy_here.where if copy_here else _TEAM if team.knows(picture.output) else None
        for picture, copy_here in zip(pictures, copies, strict=True)
    ]


def named(project: Project, name: str) -> AssetName:
    """The rendered asset with a name.

    Raises:
        UsageError: there is none.
    """
    chosen = sorted(project.chosen(Choice((name,))))
    rendered = {each.asset for each in project.spec.recipes if isinstance(each.task, Generate)}
    match [each for each in chosen if each in rendered]:
        case [asset]:
            return asset
        case []:
            raise UsageError(f"`{name}` is not rendered, so there is only what git has of its file")
        case several:
            hint = "name one of them: " + ", ".join(f"`{each}`" for each in several[:5])
            raise UsageError(f"`{name}` is {len(several)} assets", hint=hint)
