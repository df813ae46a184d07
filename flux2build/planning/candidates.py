"""Candidates: the takes of a request that are ordered, and the one among them that ships.

The spec says how many there are; the lock says which were ordered and which one was picked. A
person's pick stays valid as long as the request is the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Iterator, Sequence

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import UsageError
from flux2build.lockfile import Block, Candidate, Generated
from flux2build.model import AssetName, Generate, Recipe, order_of

Digests = Sequence[Digest | None]
"""The digests of a recipe's inputs; None for one that does not exist yet."""


def ordered(recipe: Recipe, block: Block | None, inputs: Digests) -> list[Candidate]:
    """The candidates in the lock that were ordered for just this request."""
    ready, task = complete(inputs), recipe.task
    if block is None or ready is None or not isinstance(task, Generate):
        return []
    return [
        each
        for each in block.candidates
        if _key(task.varied(each.take, each.seed), ready) == each.key
    ]


def chosen(recipe: Recipe, inputs: Digests, block: Block | None, *, free: bool) -> Recipe:
    """The recipe of the candidate that ships, or one that is `unpicked`.

    Where pictures are `free`, the first candidate stands in until one is picked.
    """
    task, row = recipe.task, block.generated if block else None
    if not recipe.takes and (row is not None and not row.picked):
        return recipe
    ready = complete(inputs)
    if not isinstance(task, Generate) or recipe.candidate or ready is None:
        return recipe
    tasks = recipe.takes or (task,)
    if row is not None and (picked := _picked(tasks, row, ready)):
        return replace(recipe, task=picked, takes=tasks, unpicked=False)
    several = len(tasks) > 1
    if row is None and block is not None and not several:  # two picks that a merge combined
        own = _key(tasks[0], ready)
        several = any(each.key != own for each in ordered(recipe, block, inputs))
    return replace(recipe, task=tasks[0], unpicked=several and not free)


def orders(recipe: Recipe, inputs: Digests, block: Block | None, further: int) -> Iterator[Recipe]:
    """The candidates that a picture should have, each as a recipe of its own.

    They are the spec's and, on request, `further` ones beyond those in the lock.
    """
    task = recipe.task
    if not isinstance(task, Generate) or not (len(recipe.takes) > 1 or further):
        return
    tasks = recipe.takes or (task,)
    first = replace(recipe, task=tasks[0], takes=(), unpicked=False)
    for number, each in enumerate(tasks, start=1):
        yield replace(first, task=each, candidate=number)
    there = ordered(first, block, inputs)
    last = max([len(tasks), *(each.number for each in there)])
    take = max([*(each.take for each in tasks), *(each.take for each in there)])
    seeds = [seed for seed in (*map(seed_of, tasks), *(e.seed for e in there)) if seed is not None]
    for more in range(1, further + 1):
        again = tasks[0].varied(take + more, None)
        if seeds:
            again = tasks[0].varied(tasks[0].take, max(seeds) + more)
        yield replace(first, task=again, candidate=last + more)


def refuse_forced(recipes: Iterable[Recipe], forced: Container[AssetName]) -> None:
    """Refuse to render pictures again that have candidates, because further ones can be ordered.

    Raises:
        UsageError: one of them is to be rendered again.
    """
    for recipe in recipes:
        if recipe.takes and recipe.asset in forced:
            message = f"`{recipe.asset}` has candidates, which are not rendered again"
            hint = f"`flux2build reroll {shlex.quote(recipe.asset)}` orders a further one"
            raise UsageError(message, hint=hint)


def seed_of(task: Generate) -> int | None:
    """The seed of a request, if it has one."""
    seed = task.params.get("seed")
    return seed if isinstance(seed, int) else None


def _picked(
    tasks: Sequence[Generate], row: Generated, ready: tuple[Digest, ...]
) -> Generate | None:
    """The request of a row, if it is one of the candidates, or a person picked it."""
    seed = row.params.get("seed")
    own = tasks[0].varied(row.take, seed if isinstance(seed, int) else None)
    options = (*tasks, own) if row.picked else tasks
    return next((task for task in options if _key(task, ready) == row.key), None)


def _key(task: Generate, ready: tuple[Digest, ...]) -> Digest:
    return order_of(task, ready).digest


def complete(inputs: Digests) -> tuple[Digest, ...] | None:
    """The digests of inputs, if all of these exist."""
    return None if None in inputs else tuple([digest for digest in inputs if digest is not None])
