"""The files of other profiles at the paths of this one: a comp never replaces a paid final."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.lockfile import Block, Generated, Lockfile, Row, Written
from flux2build.model import Generate, Recipe


class Owner(Struct, frozen=True):
    """Another profile that made the file at an output's path."""

    profile: str
    final: bool
    """Whether it paid for the file, and the replacement would be free."""


def locked_at(lock: Lockfile, profile: str) -> frozenset[tuple[str, Digest]]:
    """Return the path and the bytes of every output that the lock has of a profile."""
    blocks = (block for block in lock.blocks.values() if block.profile == profile)
    return frozenset((row.output.path, row.output.sha256) for b in blocks for row in b.rows)


def owners(
    recipes: Iterable[Recipe],
    buys: Callable[[Recipe], bool],
    lock: Lockfile,
    profile: str,
    files: Mapping[str, Digest],
) -> dict[str, Owner]:
    """Find the files that another profile made, by their paths.

    A file at the path of a paid final that no profile made was retouched by hand, or is a Git LFS
    pointer: it counts as the final. The recipes come in an order in which inputs precede their
    users.
    """
    others = sorted({block.profile for block in lock.blocks.values()} - {profile})
    own, comps = locked_at(lock, profile), _comps(recipes, buys) if others else frozenset()
    finals, makers = dict[str, Owner](), dict[str, Owner]()
    for other in others:
        blocks = [block for block in lock.blocks.values() if block.profile == other]
        paid = _paid_for(blocks)
        for path, digest in locked_at(lock, other):
            if path not in files or (path, files[path]) in own:
                continue
            owner = Owner(other, f"output:{path}" in paid and path in comps)
            if files[path] == digest:
                makers[path] = max(makers.get(path, owner), owner, key=lambda each: each.final)
            elif owner.final:
                finals[path] = owner
    return finals | makers


def standing(
    paths: Iterable[str], there: Mapping[str, Owner], lock: Lockfile, files: Mapping[str, Digest]
) -> str | None:
    """Return a profile whose files are all in place, some of them at these paths."""
    names = sorted({there[path].profile for path in paths if path in there})
    whole = (
        name
        for name in names
        if all(files.get(path) == digest for path, digest in locked_at(lock, name))
    )
    return next(whole, None)


def _comps(recipes: Iterable[Recipe], buys: Callable[[Recipe], bool]) -> frozenset[str]:
    """Find the outputs that cost nothing and are made only of free inputs."""
    paid, comps = set[str](), set[str]()
    for recipe in recipes:
        rendered = isinstance(recipe.task, Generate)
        if buys(recipe) if rendered else not paid.isdisjoint(map(str, recipe.inputs)):
            paid |= {f"output:{recipe.output}"} | ({f"asset:{recipe.asset}"} if rendered else set())
        else:
            comps.add(recipe.output)
    return frozenset(comps)


def _paid_for(blocks: Iterable[Block]) -> frozenset[str]:
    """Find the locked outputs that were paid for or made of paid ones, by their names as inputs."""
    rows = [(f"asset:{block.asset}", row) for block in blocks for row in block.rows]
    paid: set[str] = set()
    while True:
        more = {
            name
            for asset, row in rows
            if _is_paid(row, paid)
            for name in (
                f"output:{row.output.path}",
                *([asset] if isinstance(row, Generated) else []),
            )
        }
        if more <= paid:
            return frozenset(paid)
        paid |= more


def _is_paid(row: Row, paid: set[str]) -> bool:
    match row:
        case Generated():
            return row.receipt.paid
        case Written():  # the row does not name what it describes, so it belongs to the others
            return bool(paid)
        case _:
            return any(each.name in paid for each in row.inputs)
