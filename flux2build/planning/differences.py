"""The differences between a recipe and the locked row of its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flux2build.digest import Digest, Json, canonical
from flux2build.lockfile import Derived, Generated, LockedInput, Row, Written
from flux2build.model import Derive, Generate, Input, MasterOf, Recipe, Source, Write
from flux2build.planning.reason import Reason, ReasonCode


def differences(recipe: Recipe, row: Row, inputs: Sequence[Digest | None]) -> Iterator[Reason]:
    """The reasons why a recipe differs from its row."""
    yield from task_differences(recipe, row)
    if isinstance(row, Written):
        yield Reason(ReasonCode.FACTS_CHANGED)
        return
    yield from _input_differences(recipe.inputs, inputs, row.inputs)


def task_differences(recipe: Recipe, row: Row) -> Iterator[Reason]:
    """The reasons why a recipe differs from its row, apart from its inputs."""
    task = recipe.task
    if isinstance(task, Generate) and isinstance(row, Generated):
        if task.model != row.model:
            yield Reason(ReasonCode.MODEL_CHANGED)
        if task.prompt != row.prompt:
            yield Reason(ReasonCode.PROMPT_CHANGED)
        if task.take != row.take:
            yield Reason(ReasonCode.TAKE_CHANGED)
        yield from _param_differences(row.params, task.params)
    elif isinstance(task, Derive) and isinstance(row, Derived):
        if not _same_ops(task, row):
            yield Reason(ReasonCode.OPS_CHANGED)
        if canonical(dict(task.encoding)) != canonical(dict(row.encoding)):
            yield Reason(ReasonCode.ENCODING_CHANGED)
    elif isinstance(task, Write) and isinstance(row, Written) and task.document != row.document:
        yield Reason(ReasonCode.DOCUMENT_CHANGED)


def _same_ops(task: Derive, row: Derived) -> bool:
    return [(o.op, o.version, canonical(dict(o.params))) for o in task.ops] == [
        (o.op, o.version, canonical(dict(o.params))) for o in row.ops
    ]


def _param_differences(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Reason]:
    for name in sorted({*old, *new}):
        if name in old and name in new and canonical(old[name]) == canonical(new[name]):
            continue
        if name == "seed":
            yield Reason(ReasonCode.SEED_CHANGED)
        elif name in old and name in new:
            yield Reason(ReasonCode.PARAM_CHANGED, name)
        else:
            yield Reason(ReasonCode.PARAM_ADDED if name in new else ReasonCode.PARAM_REMOVED, name)


def _input_differences(
    inputs: Sequence[Input], digests: Sequence[Digest | None], rows: Sequence[LockedInput]
) -> Iterator[Reason]:
    """Compare inputs by digest and position; names only tell which input differs."""
    now = [(str(source), digest) for source, digest in zip(inputs, digests, strict=True)]
    then = [(row.name, row.sha256) for row in rows]
    if [digest for _, digest in now] == [digest for _, digest in then]:
        return
    if sorted(now, key=str) == sorted(then, key=str):
        yield Reason(ReasonCode.REF_ORDER_CHANGED)
        return
    before, old_digests = dict(then), {digest for _, digest in then}
    for source, digest in zip(inputs, digests, strict=True):
        if str(source) in before and before[str(source)] != digest:
            code = (
                ReasonCode.UPSTREAM_CHANGED
                if isinstance(source, MasterOf)
                else ReasonCode.REF_CHANGED
            )
            yield Reason(code, subject(source))
        elif str(source) not in before and digest not in old_digests:
            yield Reason(ReasonCode.REF_ADDED, subject(source))
    names, new_digests = {name for name, _ in now}, {digest for _, digest in now}
    for name, digest in then:
        if name not in names and digest not in new_digests:
            yield Reason(ReasonCode.REF_REMOVED, name.removeprefix("asset:"))


def subject(source: Input) -> str:
    """An input as a reason names it."""
    return source.path if isinstance(source, Source) else str(source.asset)
