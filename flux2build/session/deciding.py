"""Enters a person's decisions about pictures in the lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from flux2build import lockfile
from flux2build.errors import SystemFault, UsageError
from flux2build.lockfile import Block, Generated, Review, ReviewState
from flux2build.model import AssetName
from flux2build.session.approval import rendered
from flux2build.session.common_options import Choice
from flux2build.session.project import Project
from flux2build.storage import disk

_MOST: Final = 1000
"""Most characters of a note."""


def decide(
    project: Project, choice: Choice, state: ReviewState, note: str
) -> Mapping[AssetName, Review]:
    """Enter a decision about the pictures of a choice; the same earlier decisions stay.

    The tree must be locked.

    Raises:
        UsageError: no picture is selected, or one is missing.
        SystemFault: git does not know who decides, or the disk refuses the lock.
    """
    if len(note) > _MOST:
        raise UsageError(f"a note has at most {_MOST} characters, not {len(note)}")
    chosen = project.chosen(choice) & rendered(project.spec)
    if not chosen:
        raise UsageError("nothing that is selected is rendered")
    reviews = dict(_reviews(project, chosen, state, note))
    if reviews:
        _write(project, reviews)
    return reviews


def hold(project: Project, asset: AssetName, row: Generated, note: str) -> None:
    """Enter another picture of an asset in the lock, and hold it; its file is in place already.

    Raises:
        SystemFault: git does not know who decides, or the disk refuses the lock.
    """
    key = asset, project.spec.profile
    review = Review(ReviewState.HELD, row.output.sha256, _who(project), _now(), note)
    block = project.lock.blocks.get(key) or Block(*key, project.spec.named[asset].meta)
    _enter(project, {key: replace(block, generated=row, review=review)})


def _reviews(
    project: Project, chosen: frozenset[AssetName], state: ReviewState, note: str
) -> Iterator[tuple[AssetName, Review]]:
    files, by, at = project.files(), _who(project), _now()
    for name in project.spec.named:
        if name not in chosen:
            continue
        block = project.lock.block(name, project.spec.profile)
        if block is None or block.generated is None:
            waits = "pick one of its candidates" if block and block.candidates else "build it"
            raise UsageError(f"`{name}` has no picture yet", hint=f"{waits} first")
        output = block.generated.output
        if files.get(output.path) != output.sha256:
            message = f"`{output.path}` is not the picture that the lock has of `{name}`"
            raise UsageError(message, hint="`flux2build build` brings it back")
        if not _is_settled(block, state, note):
            yield name, Review(state, output.sha256, by, at, note)


def _is_settled(block: Block, state: ReviewState, note: str) -> bool:
    """Whether the same was decided before."""
    before = block.decision
    return before is not None and before.state is state and note in {"", before.note}


def _write(project: Project, reviews: Mapping[AssetName, Review]) -> None:
    blocks, profile = project.lock.blocks, project.spec.profile
    changed = {
        (name, profile): replace(blocks[name, profile], review=review)
        for name, review in reviews.items()
    }
    _enter(project, changed)


def _enter(project: Project, blocks: Mapping[tuple[AssetName, str], Block]) -> None:
    lock = replace(project.lock, blocks={**project.lock.blocks, **blocks})
    text = lockfile.dumps(lock)
    disk.replace(project.lock_path, text.encode())


def _who(project: Project) -> str:
    """The person who decides, as git knows them."""
    name, mail = project.repository.identity()
    if not name or not mail:
        lacking = "user.name" if not name else "user.email"
        raise SystemFault(
            f"git does not know who you are: it has no `{lacking}`",
            hint=f"`git config {lacking} …` says it",
        )
    return f"{name} <{mail}>"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
