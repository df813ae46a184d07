"""The rebuilder: what is to be done about one recipe, and why.

`judge` is called by `plan`, `check`, `explain` and `build`, so an explanation
can never disagree with what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from flux2build.digest import Digest, Json, canonical
from flux2build.ledger import Ledger
from flux2build.lockfile import Block, Derived, Generated, Lockfile, Row, Seen, Written
from flux2build.model import (
    AssetName,
    Derive,
    Generate,
    Input,
    Made,
    Receipt,
    Recipe,
    Source,
    Write,
    key_of,
)
from flux2build.planning.reason import PENDING, Reason, ReasonCode


class Action(StrEnum):
    """What is to be done about a recipe."""

    KEEP = "keep"
    """The file is what the lock says, and the lock is what the spec wants."""
    RESTORE = "restore"
    """The file is missing or edited; its bytes are in the store."""
    ADOPT = "adopt"
    """Somebody already has this very picture: copy it."""
    RESUME = "resume"
    """It was bought and is on its way: collect it."""
    RENDER = "render"
    """Buy it (or draw it, where the provider is free)."""
    DERIVE = "derive"
    """Make it locally, for nothing."""
    ASK = "ask"
    """It may have been bought already: a person must decide."""


MODERATED: Final = frozenset({"request-moderated", "content-moderated"})
"""Refusals that the same order would meet again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action with its reasons, and what is needed to carry it out."""

    action: Action
    reasons: tuple[Reason, ...] = ()
    key: Digest | None = None
    """What the recipe is keyed on; None while an input is not made yet."""
    bytes: Digest | None = None
    """The file's bytes, where they are known before anything is made."""
    receipt: Receipt | None = None
    """The receipt that comes with adopted bytes."""

    def due_to(self, code: ReasonCode) -> bool:
        """Whether a reason has this code."""
        return any(reason.code is code for reason in self.reasons)

    @property
    def certain(self) -> bool:
        """False when the action may turn out unnecessary once upstream is made."""
        return not self.reasons or any(r.code not in PENDING for r in self.reasons)


@dataclass(frozen=True, slots=True)
class Known:
    """A picture that exists already, by the key it was made for."""

    output: Digest
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that judging may know, read once."""

    profile: str
    files: Mapping[str, Digest]
    """Digest by path; a path without a file is absent."""
    lock: Lockfile
    ledger: Ledger
    has: Callable[[Digest], bool]
    """Whether bytes can be had, from the store or from the work tree."""
    pointer: Callable[[str], bool] = lambda _path: False
    """Whether a file is what Git LFS leaves in place of one that was not fetched."""
    requested: frozenset[str] = frozenset()
    """Assets to render even though they are current."""
    encoders: Mapping[str, str] = field(default_factory=dict)
    """Today's encoder of each format, where files that another one wrote are to be made again."""
    made: Mapping[Digest, Known] = field(default_factory=dict)
    """What the lock holds, by key; kept up to date while building."""
    metas: Mapping[AssetName, Digest] = field(default_factory=dict)
    """What the spec says beside the pixels, by asset; it never renders."""


def because(recipe: Recipe, reasons: Iterable[Reason]) -> str:
    """Reasons in words, as they concern a recipe."""
    own = Reason(ReasonCode.UPSTREAM_PENDING, recipe.asset)
    return ", ".join("follows its master" if r == own else r.sentence for r in reasons)


def known(lock: Lockfile) -> dict[Digest, Known]:
    """Everything that a lock holds, by the key it was made for."""
    found: dict[Digest, Known] = {}
    for block in lock.blocks.values():
        for row in block.rows:
            receipt = row.receipt if isinstance(row, Generated) else None
            found[row.key] = Known(row.output.sha256, receipt)
    return found


def locked(recipe: Recipe, seen: Snapshot) -> Row | None:
    """What the lock says of this recipe's output in the snapshot's profile."""
    block = seen.lock.block(recipe.asset, seen.profile)
    return row_of(recipe, block) if block else None


def row_of(recipe: Recipe, block: Block) -> Row | None:
    """The row of a block that is about this recipe's output."""
    if isinstance(recipe.task, Generate):
        return block.generated
    rows = block.derived if isinstance(recipe.task, Derive) else block.written
    return next((row for row in rows if row.output.path == recipe.output), None)


def judge(recipe: Recipe, inputs: Sequence[Digest | None], seen: Snapshot) -> Verdict:
    """What to do about a recipe whose inputs have these bytes; None is not made yet."""
    row, key = locked(recipe, seen), _key(recipe, inputs)
    if str(recipe.asset) in seen.requested and isinstance(recipe.task, Generate):
        return _requested(key, seen)
    if key is None:
        return Verdict(_make(recipe), tuple(_pending(recipe, row, inputs)))
    if row is not None and row.key == key:
        if isinstance(row, Derived) and _aged(row, seen):
            return Verdict(Action.DERIVE, (Reason(ReasonCode.ENCODER_CHANGED, row.encoder),), key)
        return _current(recipe, row, key, seen)
    reasons = tuple(_differences(recipe, row, inputs)) if row else (_new(recipe),)
    return _cheapest(recipe, key, reasons or (Reason(ReasonCode.KEY_SCHEMA),), seen)


def _aged(row: Derived, seen: Snapshot) -> bool:
    """Whether another encoder wrote a file, and that matters now."""
    return row.encoder != seen.encoders.get(row.output.format, row.encoder)


def _requested(key: Digest | None, seen: Snapshot) -> Verdict:
    """Another picture, although there is one; only what may be paid for already is not asked."""
    if key in seen.ledger.pending:
        return Verdict(Action.RESUME, (Reason(ReasonCode.IN_FLIGHT),), key)
    reason, doubt = Reason(ReasonCode.REQUESTED), _undecided(key, seen) if key else None
    if doubt is not None and doubt.code is not ReasonCode.MODERATED:
        return Verdict(Action.ASK, (reason, doubt), key)
    return Verdict(Action.RENDER, (reason,), key)


def _key(recipe: Recipe, inputs: Sequence[Digest | None]) -> Digest | None:
    ready = tuple(digest for digest in inputs if digest is not None)
    return key_of(recipe.task, ready) if len(ready) == len(inputs) else None


def _make(recipe: Recipe) -> Action:
    return Action.RENDER if isinstance(recipe.task, Generate) else Action.DERIVE


def _new(recipe: Recipe) -> Reason:
    codes = {
        "generate": ReasonCode.NEVER_RENDERED,
        "derive": ReasonCode.NEVER_DERIVED,
        "write": ReasonCode.NEVER_WRITTEN,
    }
    return Reason(codes[recipe.kind])


def _current(recipe: Recipe, row: Row, key: Digest, seen: Snapshot) -> Verdict:
    """The lock agrees with the spec; does the file agree with the lock?"""
    wanted, there = row.output.sha256, seen.files.get(recipe.output)
    receipt = row.receipt if isinstance(row, Generated) else None
    if there == wanted:
        reasons = () if row.output.path == recipe.output else _moved(row)
        action = Action.RESTORE if reasons else Action.KEEP
        return Verdict(action, reasons or _meta(recipe, seen), key, wanted, receipt)
    reasons = _damage(recipe, row, seen)
    if seen.has(wanted):
        return Verdict(Action.RESTORE, reasons, key, wanted, receipt)
    made = _cheapest(recipe, key, reasons, seen)
    if made.action is Action.RENDER and _POINTER in reasons:
        # It was paid for, and Git LFS has it: what is made of it can be judged all the same.
        return Verdict(Action.ASK, reasons, key, wanted, receipt)
    return made


def _damage(recipe: Recipe, row: Row, seen: Snapshot) -> tuple[Reason, ...]:
    """What became of a file that is not what the lock says."""
    if recipe.output not in seen.files:
        return (
            (Reason(ReasonCode.OUTPUT_MISSING),)
            if row.output.path == recipe.output
            else _moved(row)
        )
    if seen.pointer(recipe.output):
        return (_POINTER,)
    return (
        (Reason(ReasonCode.OUTPUT_MODIFIED),) if row.output.path == recipe.output else _moved(row)
    )


_POINTER: Final = Reason(ReasonCode.OUTPUT_POINTER)


def _moved(row: Row) -> tuple[Reason, ...]:
    return (Reason(ReasonCode.OUTPUT_MOVED, row.output.path),)


def _meta(recipe: Recipe, seen: Snapshot) -> tuple[Reason, ...]:
    block, meta = seen.lock.block(recipe.asset, seen.profile), seen.metas.get(recipe.asset)
    if block is None or meta is None or block.meta == meta:
        return ()
    return (Reason(ReasonCode.META_CHANGED),)


def _cheapest(recipe: Recipe, key: Digest, reasons: tuple[Reason, ...], seen: Snapshot) -> Verdict:
    """Is there a cheaper way than making it?"""
    attempt = seen.ledger.unsettled.get(key)
    if attempt is not None and attempt.asset == recipe.asset:
        # It was bought anew for this very asset: what was there before is not what is wanted.
        return _open(key, reasons, seen)
    if (found := _elsewhere(recipe, key, seen)) is not None:
        return Verdict(
            Action.ADOPT,
            (*reasons, Reason(ReasonCode.ALREADY_MADE)),
            key,
            found.output,
            found.receipt,
        )
    if not isinstance(recipe.task, Generate):
        return Verdict(Action.DERIVE, reasons, key)
    return _open(key, reasons, seen)


def _open(key: Digest, reasons: tuple[Reason, ...], seen: Snapshot) -> Verdict:
    """What is to be done about an order of which there is no picture."""
    if key in seen.ledger.pending:
        return Verdict(Action.RESUME, (*reasons, Reason(ReasonCode.IN_FLIGHT)), key)
    if (doubt := _undecided(key, seen)) is not None:
        return Verdict(Action.ASK, (*reasons, doubt), key)
    return Verdict(Action.RENDER, reasons, key)


def _undecided(key: Digest, seen: Snapshot) -> Reason | None:
    """Why an order cannot be sent by itself."""
    if key in seen.ledger.kept:
        return Reason(ReasonCode.KEPT_ASIDE)
    if key in seen.ledger.doubts:
        return Reason(ReasonCode.IN_DOUBT)
    refused = seen.ledger.refusals.get(key)
    if refused is not None and refused.refusal in MODERATED:
        return Reason(ReasonCode.MODERATED)
    return None


def _elsewhere(recipe: Recipe, key: Digest, seen: Snapshot) -> Known | None:
    """The picture made for this very key, under whatever name, if its bytes can be had.

    What was bought for this very asset goes before what another one shows: it may
    have been bought anew, and not have come to its place.
    """
    found, delivered = seen.made.get(key), seen.ledger.delivered.get(key)
    bought = Known(delivered.output, delivered.receipt) if delivered else None
    own = delivered is not None and delivered.asset == recipe.asset
    options = (bought, found) if own else (found, bought)
    return next((one for one in options if one and seen.has(one.output)), None)


def _pending(recipe: Recipe, row: Row | None, inputs: Sequence[Digest | None]) -> Iterator[Reason]:
    yield from _task_differences(recipe, row) if row else (_new(recipe),)
    if isinstance(recipe.task, Write):
        yield from (Reason(ReasonCode.FACTS_PENDING),) if row else ()
        return
    own = Made(recipe.asset)
    for source, digest in zip(recipe.inputs, inputs, strict=True):
        # That a new file comes after its own master goes without saying.
        if digest is None and not (source == own and row is None):
            yield Reason(ReasonCode.UPSTREAM_PENDING, _subject(source))


def _differences(recipe: Recipe, row: Row, inputs: Sequence[Digest | None]) -> Iterator[Reason]:
    yield from _task_differences(recipe, row)
    if isinstance(row, Written):
        yield Reason(ReasonCode.FACTS_CHANGED)
        return
    yield from _input_differences(recipe.inputs, inputs, row.inputs)


def _task_differences(recipe: Recipe, row: Row) -> Iterator[Reason]:
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
    inputs: Sequence[Input], digests: Sequence[Digest | None], seen: Sequence[Seen]
) -> Iterator[Reason]:
    """Inputs are compared by bytes and place; names only say which one it was."""
    now = [(str(source), digest) for source, digest in zip(inputs, digests, strict=True)]
    then = [(row.name, row.sha256) for row in seen]
    if [digest for _, digest in now] == [digest for _, digest in then]:
        return
    if sorted(now, key=str) == sorted(then, key=str):
        yield Reason(ReasonCode.REF_ORDER_CHANGED)
        return
    before, moved = dict(then), {digest for _, digest in then}
    for source, digest in zip(inputs, digests, strict=True):
        if str(source) in before and before[str(source)] != digest:
            code = (
                ReasonCode.UPSTREAM_CHANGED if isinstance(source, Made) else ReasonCode.REF_CHANGED
            )
            yield Reason(code, _subject(source))
        elif str(source) not in before and digest not in moved:
            yield Reason(ReasonCode.REF_ADDED, _subject(source))
    names, kept = {name for name, _ in now}, {digest for _, digest in now}
    for name, digest in then:
        if name not in names and digest not in kept:
            yield Reason(ReasonCode.REF_REMOVED, name.removeprefix("asset:"))


def _subject(source: Input) -> str:
    return source.path if isinstance(source, Source) else str(source.asset)
