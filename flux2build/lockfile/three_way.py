"""Merges two locks with a common ancestor: changes of only one side are taken.

Where both sides changed a block in different ways, the merged spec has to decide, which git's merge
does not have yet. Such blocks are left as a conflict, with every row of both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from flux2build.lockfile.block import Block, Candidate, Derived, Lockfile, Written
from flux2build.lockfile.decisions import agreed
from flux2build.lockfile.write import block_lines, dumps, head_lines
from flux2build.model import AssetName

T = TypeVar("T")
F = TypeVar("F", Derived, Written)
Name = tuple[AssetName, str]


class _Both(Exception):  # noqa: N818 - it is an answer, not an error
    """Both sides changed the same value in different ways."""


def merged(base: Lockfile, ours: Lockfile, theirs: Lockfile) -> tuple[str, int]:
    """Return the text of the merged lock, and the number of blocks that are left as a conflict."""
    blocks: dict[Name, Block] = {}
    conflicts: dict[Name, tuple[Block | None, Block | None]] = {}
    for name in sorted({*ours.blocks, *theirs.blocks}):
        old, own, other = (lock.blocks.get(name) for lock in (base, ours, theirs))
        try:
            block = _block(old, own, other)
        except _Both:
            conflicts[name] = own, other
        else:
            blocks |= {name: block} if block else {}
    revision = max(ours.revision, theirs.revision, ours.needed, theirs.needed)
    whole = replace(ours, blocks=blocks, revision=revision, extra={**theirs.extra, **ours.extra})
    if not conflicts:
        return dumps(whole), 0
    return "\n".join(_conflicted(whole, conflicts)) + "\n", len(conflicts)


def side_by_side(ours: str, theirs: str) -> str:
    """Return the text of two whole locks as a conflict, because one of them cannot be read."""
    both = (text if text.endswith("\n") else f"{text}\n" for text in (ours, theirs))
    return "<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n".format(*both)


def _conflicted(
    whole: Lockfile, conflicts: Mapping[Name, tuple[Block | None, Block | None]]
) -> Iterator[str]:
    yield from head_lines(whole)
    for name in sorted({*whole.blocks, *conflicts}):
        if name not in conflicts:
            yield from block_lines(whole.blocks[name])
            continue
        ours, theirs = conflicts[name]
        yield "<<<<<<< ours"
        yield from block_lines(ours) if ours else ()
        yield "======="
        yield from block_lines(theirs) if theirs else ()
        yield ">>>>>>> theirs"


def _block(base: Block | None, ours: Block | None, theirs: Block | None) -> Block | None:
    """The merged block of both sides; None for a removed one."""
    if ours is None or theirs is None:
        return _one(base, ours, theirs)
    base = base or Block(ours.asset, ours.profile, ours.meta)
    generated = _one(base.generated, ours.generated, theirs.generated)
    block = replace(
        ours,
        meta=ours.meta if theirs.meta == base.meta else theirs.meta,
        generated=generated,
        derived=tuple(_files(base.derived, ours.derived, theirs.derived)),
        written=tuple(_files(base.written, ours.written, theirs.written)),
        candidates=candidates(ours.candidates, theirs.candidates),
        extra={**theirs.extra, **ours.extra},
    )
    output = generated.output.sha256 if generated else None
    if base.review in (ours.review, theirs.review):
        return replace(block, review=_one(base.review, ours.review, theirs.review))
    return replace(block, review=agreed((ours.review, theirs.review), output))


def _one(base: T, ours: T, theirs: T) -> T:
    if ours in (theirs, base):
        return theirs
    if theirs == base:
        return ours
    raise _Both


def _files(base: Iterable[F], ours: Iterable[F], theirs: Iterable[F]) -> Iterator[F]:
    sides = (base, ours, theirs)
    rows: list[dict[str, F]] = [{row.output.path: row for row in side} for side in sides]
    for path in sorted({*rows[1], *rows[2]}):
        row: F | None = _one(*(side.get(path) for side in rows))
        if row is not None:
            yield row


def candidates(ours: Iterable[Candidate], theirs: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates of both sides; one whose number is taken gets another number."""
    every = {each.number: each for each in ours}
    keys = {each.key for each in every.values()}
    for each in theirs:
        if each.key in keys:
            continue
        number = each.number if each.number not in every else max(every) + 1
        every[number] = replace(each, number=number)
    return tuple(every[number] for number in sorted(every))
