"""Merges two versions of a lock without losing a row of either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import LockError, Place, Problem
from flux2build.lockfile.block import Block, Generated, Lockfile, Row
from flux2build.lockfile.conflicts import Side, split
from flux2build.lockfile.doubled import split as split_doubled
from flux2build.lockfile.read import loads
from flux2build.lockfile.three_way import candidates


def sides(text: str, file: str) -> tuple[Lockfile, Lockfile]:
    """Read both sides of a lock with conflict markers: ours, then theirs.

    A lock without markers is returned twice.

    Raises:
        LockError: the markers are not paired, or a side is not a valid lock.
    """
    try:
        ours, theirs = split(text)
    except ValueError as error:
        raise LockError(
            Problem(
                f"the conflict markers in `{file}` are not paired",
                Place(file, int(str(error))),
                hint=f"bring the conflict back with `git checkout --merge -- {file}`",
            )
        ) from None
    return _side(ours, file), _side(theirs, file)


def doubled(text: str, file: str) -> tuple[Lockfile, Lockfile, int] | None:
    """Both sides of a lock whose conflict markers were removed, and the first line of theirs.

    None for a lock in which no row occurs twice.

    Raises:
        LockError: rows occur twice, and it is unclear which ones belong together.
    """
    parts = split_doubled(text)
    if parts is None:
        return None
    ours, theirs, line = parts
    try:
        return _side(ours, file), _side(theirs, file), line
    except LockError:
        message = f"`{file}` holds both sides of a merge, and they cannot be told apart"
        hint = (
            f"`git log -- {file}` names good ones; `git checkout COMMIT -- {file}` takes one back"
        )
        raise LockError(Problem(message, Place(file, line), hint=hint)) from None


def _side(side: Side, file: str) -> Lockfile:
    try:
        return loads(side.text, file)
    except LockError as error:
        raise LockError(*(_moved(problem, side) for problem in error.problems)) from None


def _moved(problem: Problem, side: Side) -> Problem:
    """The problem, placed at its line in the file with the markers."""
    place = problem.place
    if place is None or not 0 < place.line <= len(side.numbers):
        return problem
    return replace(problem, place=replace(place, line=side.numbers[place.line - 1]))


def united(ours: Lockfile, theirs: Lockfile) -> Lockfile:
    """Our lock, together with the rows that only their lock has."""
    blocks = dict(ours.blocks)
    for name, block in theirs.blocks.items():
        blocks[name] = _united(blocks[name], block) if name in blocks else block
    return replace(ours, blocks=blocks, revision=max(ours.revision, theirs.revision))


def _united(ours: Block, theirs: Block) -> Block:
    block = replace(
        ours,
        candidates=candidates(ours.candidates, theirs.candidates),
        review=ours.review or theirs.review,
    )
    for row in theirs.rows:
        ours_has_it = ours.generated if isinstance(row, Generated) else ours.row(row.output.path)
        block = block if ours_has_it else block.with_row(row)
    return block


def preferred(rows: Sequence[Row], key: Digest | None, files: Mapping[str, Digest]) -> Row | None:
    """Choose among rows of one output: the one with the key, else one whose file exists.

    `files` holds the digest of each file by its path. Where neither decides, the
    first row wins; without rows the answer is None.
    """

    def rank(row: Row) -> tuple[bool, bool]:
        return (row.key != key, files.get(row.output.path) != row.output.sha256)

    return min(rows, key=rank, default=None)
