"""The rebuilder: decides what to do about one recipe, and why.

`plan`, `check`, `explain` and `build` all call `judge`, so an explanation can
never disagree with what is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.lockfile import Derived, Generated, Review, ReviewState, Row
from flux2build.model import (
    Generate,
    MasterOf,
    Order,
    Receipt,
    Recipe,
    Write,
    key_of,
    order_of,
)
from flux2build.planning.candidates import complete
from flux2build.planning.differences import differences, subject, task_differences
from flux2build.planning.reason import PENDING, Reason, ReasonCode
from flux2build.planning.snapshot import KnownPicture, Snapshot, locked, unapproved


class Action(StrEnum):
    """The actions that a recipe may need."""

    KEEP = "keep"
    """The file agrees with the lock, and the lock with the spec."""
    RESTORE = "restore"
    """The file is missing or edited; its bytes are in the store."""
    ADOPT = "adopt"
    """The same picture exists already: copy it."""
    RESUME = "resume"
    """It was ordered before and is pending: collect it."""
    RENDER = "render"
    """Buy it, or draw it if the provider is free."""
    DERIVE = "derive"
    """Make it locally, for free."""
    ASK = "ask"
    """It may have been bought already: a person must decide."""


MODERATED: Final = frozenset({"request-moderated", "content-moderated"})
"""Refusals that an unchanged order would meet again."""


class Verdict(Struct, frozen=True):
    """An action, the reasons for it, and the facts that are needed to carry it out."""

    action: Action
    reasons: tuple[Reason, ...] = ()
    key: Digest | None = None
    """The key of the recipe; None while an input does not exist yet."""
    bytes: Digest | None = None
    """The digest of the file, where it is known before anything is made."""
    receipt: Receipt | None = None
    """The receipt that comes with adopted bytes."""

    def due_to(self, code: ReasonCode) -> bool:
        """Whether a reason has this code."""
        return any(reason.code is code for reason in self.reasons)

    @property
    def certain(self) -> bool:
        """False when the action may turn out to be unnecessary once its inputs are made."""
        return not self.reasons or any(r.code not in PENDING for r in self.reasons)


def judge(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Verdict:
    """Decide what to do about a recipe, given the digests of its inputs.

    An input that does not exist yet has None instead of a digest. Where there are candidates,
    `candidates.chosen` says which of them the recipe is about.
    """
    verdict = _protected(recipe, inputs, _by_spec(recipe, inputs, snapshot), snapshot)
    if verdict.action is Action.KEEP:
        return verdict
    making = verdict.action in {Action.RENDER, Action.DERIVE} and not isinstance(recipe.task, Write)
    if making and (name := unapproved(recipe, inputs, snapshot)):
        reasons = (Reason(ReasonCode.UPSTREAM_UNAPPROVED, name),)
        return Verdict(Action.ASK, reasons, verdict.key)
    if verdict.action in {Action.RESTORE, Action.ADOPT} and snapshot.far(verdict.bytes):
        return replace(verdict, reasons=(*verdict.reasons, Reason(ReasonCode.TEAM_STORE)))
    return verdict


def _protected(
    recipe: Recipe, inputs: Sequence[Digest | None], verdict: Verdict, snapshot: Snapshot
) -> Verdict:
    """Let a person's decision about a picture overrule the spec."""
    block = snapshot.block(recipe) if isinstance(recipe.task, Generate) else None
    review, row = (block.decision, block.generated) if block else (None, None)
    if review is None or row is None or recipe.asset in snapshot.reopened:
        return verdict
    same = verdict.bytes == review.sha256 and not recipe.candidate
    making = verdict.due_to(ReasonCode.UNPICKED) or verdict.action in {Action.RENDER, Action.ADOPT}
    if review.state is ReviewState.DISPUTED or review.state is ReviewState.REJECTED:
        disputed = review.state is ReviewState.DISPUTED and not recipe.candidate
        return _decided(review, verdict, row, snapshot) if same or disputed else verdict
    if same or not making:
        return verdict
    further = recipe.asset in snapshot.further
    if recipe.candidate and not further:
        return Verdict(Action.KEEP)
    if review.state is ReviewState.HELD and not (further or verdict.due_to(ReasonCode.REQUESTED)):
        protected = _current(recipe, inputs, row, row.key, snapshot)
        if protected.bytes == review.sha256:
            return protected
    return _decided(review, verdict, row, snapshot)


def _decided(review: Review, verdict: Verdict, row: Generated, snapshot: Snapshot) -> Verdict:
    """Ask a person, because of an earlier decision about the picture."""
    reasons = tuple(each for each in verdict.reasons if each.code is not ReasonCode.UNPICKED)
    there = snapshot.files.get(row.output.path) == row.output.sha256
    why = (*reasons, Reason(ReasonCode(review.state)))
    return Verdict(Action.ASK, why, verdict.key, row.output.sha256 if there else None, row.receipt)


def _by_spec(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Verdict:
    """Decide what to do about a recipe, apart from decisions about its picture."""
    if recipe.candidate:
        return _candidate(recipe, inputs, snapshot)
    if recipe.unpicked:
        return _unpicked(recipe, inputs, snapshot)
    verdict, owner = _judged(recipe, inputs, snapshot), snapshot.owners.get(recipe.output)
    unknown = recipe.output in snapshot.beside and locked(recipe, snapshot) is None
    if unknown and _stranger(recipe, snapshot):  # it may be somebody's own work
        reasons = (*verdict.reasons, Reason(ReasonCode.OUTPUT_UNKNOWN))
        return replace(verdict, action=Action.ASK, reasons=reasons)
    if owner is None or not owner.final or verdict.action is Action.KEEP:
        return verdict
    reasons = (*verdict.reasons, Reason(ReasonCode.PAID_FINAL, owner.profile))
    return replace(verdict, action=Action.ASK, reasons=reasons)


def _judged(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Verdict:
    """Decide what to do about a recipe, apart from other profiles' files at its path."""
    row, key = locked(recipe, snapshot), _key(recipe, inputs)
    if str(recipe.asset) in snapshot.requested and isinstance(recipe.task, Generate):
        return _requested(key, _about(recipe, inputs, snapshot))
    if key is None:
        return Verdict(_make(recipe), tuple(_pending(recipe, row, inputs)))
    if row is not None and row.key == key:
        if isinstance(row, Derived) and _aged(row, snapshot):
            return Verdict(Action.DERIVE, (Reason(ReasonCode.ENCODER_CHANGED, row.encoder),), key)
        return _current(recipe, inputs, row, key, snapshot)
    own = _about(recipe, inputs, snapshot)
    if row is None:
        return _unlocked(recipe, key, own)
    reasons = tuple(differences(recipe, row, inputs))
    return _cheapest(recipe, key, reasons or (Reason(ReasonCode.KEY_SCHEMA),), own)


def _unpicked(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Verdict:
    """Wait for a person to pick a candidate, unless the inputs do not exist yet."""
    if _key(recipe, inputs) is None:
        return Verdict(Action.ASK, tuple(_pending(recipe, locked(recipe, snapshot), inputs)))
    return Verdict(Action.ASK, (Reason(ReasonCode.UNPICKED),))


def _candidate(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Verdict:
    """Decide about a candidate; its bytes are in the store, its receipt is in the lock."""
    block, key = snapshot.block(recipe), _key(recipe, inputs)
    row = block.generated if block else None
    if key is None:
        return Verdict(Action.RENDER, tuple(_pending(recipe, row, inputs)))
    paid, own = snapshot.buys(recipe), _about(recipe, inputs, snapshot)
    picture = own.pictures.get(key)
    if picture is not None and (paid or snapshot.has(picture.output)):
        # Its receipt is enough: the bytes of a candidate without a pick may be on another machine.
        entered = block is not None and any(each.key == key for each in block.candidates)
        action = Action.KEEP if entered else Action.ADOPT
        why = () if entered else (Reason(ReasonCode.ALREADY_MADE),)
        return Verdict(action, why, key, picture.output, picture.receipt)
    if row is None:
        return _unlocked(recipe, key, own)
    reasons = tuple(each for each in differences(recipe, row, inputs) if each.code not in _VARIED)
    return _cheapest(recipe, key, reasons or (_new(recipe),), own)


_VARIED: Final = frozenset({ReasonCode.TAKE_CHANGED, ReasonCode.SEED_CHANGED})
"""The differences between candidates of one request."""


def _about(recipe: Recipe, inputs: Sequence[Digest | None], snapshot: Snapshot) -> Snapshot:
    """The snapshot of a recipe's order; the whole one if it does not order anything yet."""
    ready = complete(inputs)
    if ready is None or not isinstance(recipe.task, Generate) or not snapshot.buys(recipe):
        return snapshot
    order, row = order_of(recipe.task, ready), locked(recipe, snapshot)
    return snapshot.about(order, _as_read_before(order, row) if row else ())


def _as_read_before(order: Order, row: Row) -> tuple[Digest, ...]:
    """The names of an order that was placed when line ends inside of cells were sent as CRLF."""
    before = row.prompt if isinstance(row, Generated) else ""
    if "\r\n" not in before or before.replace("\r\n", "\n") != order.prompt:
        return ()
    return replace(order, prompt=before).names


def _unlocked(recipe: Recipe, key: Digest, snapshot: Snapshot) -> Verdict:
    """Decide about a file that is not locked; the lock may be lost, with the receipt of this file."""
    verdict = _cheapest(recipe, key, (_new(recipe),), snapshot)
    if verdict.action is Action.RENDER and snapshot.buys(recipe) and _stranger(recipe, snapshot):
        reasons = (*verdict.reasons, Reason(ReasonCode.OUTPUT_UNKNOWN))
        return Verdict(Action.ASK, reasons, key)
    return verdict


def _stranger(recipe: Recipe, snapshot: Snapshot) -> bool:
    """Whether the file at a recipe's output is unknown to lock and ledger."""
    digest = snapshot.files.get(recipe.output)
    recorded = digest in snapshot.locked_files or digest in snapshot.ledger.outputs
    return digest is not None and not recorded


def _aged(row: Derived, snapshot: Snapshot) -> bool:
    """Whether another encoder wrote a file, and such files are to be derived again."""
    return row.encoder != snapshot.encoders.get(row.output.format, row.encoder)


def _requested(key: Digest | None, snapshot: Snapshot) -> Verdict:
    """Render a picture again on request, unless its order may already be paid for."""
    if key in snapshot.ledger.pending:
        return Verdict(Action.RESUME, (Reason(ReasonCode.IN_FLIGHT),), key)
    reason, doubt = Reason(ReasonCode.REQUESTED), _undecided(key, snapshot) if key else None
    doubt = doubt or (snapshot.hindered(key) if key else None)
    if doubt is not None and doubt.code is not ReasonCode.MODERATED:
        return Verdict(Action.ASK, (reason, doubt), key)
    return Verdict(Action.RENDER, (reason,), key)


def _key(recipe: Recipe, inputs: Sequence[Digest | None]) -> Digest | None:
    return None if (ready := complete(inputs)) is None else key_of(recipe.task, ready)


def _make(recipe: Recipe) -> Action:
    return Action.RENDER if isinstance(recipe.task, Generate) else Action.DERIVE


def _new(recipe: Recipe) -> Reason:
    codes = {
        "generate": ReasonCode.NEVER_RENDERED,
        "derive": ReasonCode.NEVER_DERIVED,
        "write": ReasonCode.NEVER_WRITTEN,
    }
    return Reason(codes[recipe.kind])


def _current(
    recipe: Recipe, inputs: Sequence[Digest | None], row: Row, key: Digest, snapshot: Snapshot
) -> Verdict:
    """Decide about a file whose row agrees with the spec, by comparing the file with the row."""
    expected, actual = row.output.sha256, snapshot.files.get(recipe.output)
    receipt = row.receipt if isinstance(row, Generated) else None
    if actual == expected:
        reasons = () if row.output.path == recipe.output else _moved(row)
        action = Action.RESTORE if reasons else Action.KEEP
        return Verdict(action, reasons or _meta(recipe, snapshot), key, expected, receipt)
    reasons = _damage(recipe, row, snapshot)
    if snapshot.has(expected):
        return Verdict(Action.RESTORE, reasons, key, expected, receipt)
    verdict = _cheapest(recipe, key, reasons, _about(recipe, inputs, snapshot))
    paid = verdict.due_to(ReasonCode.PAID_FOR) or verdict.due_to(ReasonCode.UNRECORDED)
    if (paid or verdict.action is Action.RENDER) and _POINTER in reasons:
        # It was paid for and Git LFS has it, so derived files can still be judged.
        return Verdict(Action.ASK, reasons, key, expected, receipt)
    return verdict


def _damage(recipe: Recipe, row: Row, snapshot: Snapshot) -> tuple[Reason, ...]:
    """Explain how a file differs from its locked row."""
    there = recipe.output in snapshot.files
    if there and snapshot.pointer(recipe.output):
        return (_POINTER,)
    if row.output.path != recipe.output:
        return _moved(row)
    return (Reason(ReasonCode.OUTPUT_MODIFIED if there else ReasonCode.OUTPUT_MISSING),)


_POINTER: Final = Reason(ReasonCode.OUTPUT_POINTER)


def _moved(row: Row) -> tuple[Reason, ...]:
    return (Reason(ReasonCode.OUTPUT_MOVED, row.output.path),)


def _meta(recipe: Recipe, snapshot: Snapshot) -> tuple[Reason, ...]:
    block = snapshot.lock.block(recipe.asset, snapshot.profile)
    meta = snapshot.metas.get(recipe.asset)
    if block is None or meta is None or block.meta == meta:
        return ()
    return (Reason(ReasonCode.META_CHANGED),)


def _cheapest(
    recipe: Recipe, key: Digest, reasons: tuple[Reason, ...], snapshot: Snapshot
) -> Verdict:
    """Adopt the bytes if they exist; otherwise derive, collect or render them."""
    attempt = snapshot.ledger.unsettled.get(key)
    if attempt is not None and attempt.asset == recipe.asset:
        # This asset asked for a new picture, so an earlier one with the same key is not wanted.
        return _open(recipe, key, reasons, snapshot)
    if (picture := _elsewhere(recipe, key, snapshot)) is not None:
        return Verdict(
            Action.ADOPT,
            (*reasons, Reason(ReasonCode.ALREADY_MADE)),
            key,
            picture.output,
            picture.receipt,
        )
    if not isinstance(recipe.task, Generate):
        return Verdict(Action.DERIVE, reasons, key)
    return _open(recipe, key, reasons, snapshot)


def _open(recipe: Recipe, key: Digest, reasons: tuple[Reason, ...], snapshot: Snapshot) -> Verdict:
    """Decide about an order whose picture does not exist."""
    if key in snapshot.ledger.pending:
        return Verdict(Action.RESUME, (*reasons, Reason(ReasonCode.IN_FLIGHT)), key)
    if (doubt := _undecided(key, snapshot)) is not None:
        return Verdict(Action.ASK, (*reasons, doubt), key)
    if not snapshot.buys(recipe):
        return Verdict(Action.RENDER, reasons, key)
    if (picture := _paid_for(key, snapshot)) is not None:
        # Only an earlier lock, or the team's store, knows a picture that is not adopted.
        available = bool(recipe.candidate and picture.described) or snapshot.has(picture.output)
        reason = ReasonCode.ALREADY_MADE if available else ReasonCode.PAID_FOR
        action = Action.ADOPT if available else Action.ASK
        return Verdict(action, (*reasons, Reason(reason)), key, picture.output, picture.receipt)
    why = Reason(ReasonCode.UNRECORDED) if snapshot.unrecorded(key) else snapshot.hindered(key)
    return Verdict(Action.ASK if why else Action.RENDER, (*reasons, *filter(None, (why,))), key)


def _paid_for(key: Digest, snapshot: Snapshot) -> KnownPicture | None:
    """Return the paid picture from the ledger or the locks, unless a person gave it up."""
    if (delivery := snapshot.ledger.paid.get(key)) is not None:
        return KnownPicture(delivery.output, delivery.receipt)
    purchases = chain(snapshot.purchases.get(key, ()), _earlier(key, snapshot))
    for picture in purchases:
        if picture.receipt and (key, picture.receipt.task) not in snapshot.ledger.resubmitted:
            return picture
    return None


def _earlier(key: Digest, snapshot: Snapshot) -> Iterator[KnownPicture]:
    """The pictures in earlier locks and the team's store, a last resort; bytes at hand first."""
    yield from sorted(snapshot.earlier(key), key=lambda each: not snapshot.has(each.output))


def _undecided(key: Digest, snapshot: Snapshot) -> Reason | None:
    """Return the reason why an order must not be sent without a person's decision, if any."""
    if key in snapshot.ledger.kept:
        return Reason(ReasonCode.KEPT_ASIDE)
    if key in snapshot.ledger.lost:
        return Reason(ReasonCode.LOST)
    if key in snapshot.ledger.doubts:
        return Reason(ReasonCode.IN_DOUBT)
    refused = snapshot.ledger.refusals.get(key)
    if refused is not None and refused.refusal in MODERATED:
        return Reason(ReasonCode.MODERATED)
    return None


def _elsewhere(recipe: Recipe, key: Digest, snapshot: Snapshot) -> KnownPicture | None:
    """Find a picture with this key whose bytes are at hand, whatever asset it was made for.

    A picture that was bought for this asset comes before one that another asset
    shows: it may have been bought again without having reached its place.
    """
    locked_picture, delivered = snapshot.pictures.get(key), snapshot.ledger.delivered.get(key)
    purchase = KnownPicture(delivered.output, delivered.receipt) if delivered else None
    own = delivered is not None and delivered.asset == recipe.asset
    options = (purchase, locked_picture) if own else (locked_picture, purchase)
    return next((one for one in options if one and snapshot.has(one.output)), None)


def _pending(recipe: Recipe, row: Row | None, inputs: Sequence[Digest | None]) -> Iterator[Reason]:
    yield from task_differences(recipe, row) if row else (_new(recipe),)
    if isinstance(recipe.task, Write):
        yield from (Reason(ReasonCode.FACTS_PENDING),) if row else ()
        return
    own = MasterOf(recipe.asset)
    for source, digest in zip(recipe.inputs, inputs, strict=True):
        # A new file always waits for its own master, which is not worth a reason.
        if digest is None and not (source == own and row is None):
            yield Reason(ReasonCode.UPSTREAM_PENDING, subject(source))
