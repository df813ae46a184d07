"""Recovers lost entries of the ledger from claims, lock and spec; pure.

An order whose receipt is in the lock was delivered. An order of which only an attempt is known is
in doubt, and a person settles it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest, of_bytes, of_json
from flux2build.ledger import REBUILT, UNKNOWN, Attempt, Delivered, Entry, Intended, expected, fold
from flux2build.ledger.claims import Claim
from flux2build.lockfile import Candidate, Generated
from flux2build.model import AssetName, Generate, Recipe, payload

_NAME: Final = re.compile(r"[0-9a-f]{32}")


class Proof(NamedTuple):
    """A picture in the lock that was paid for: the one that ships, or a candidate."""

    asset: AssetName
    row: Generated | Candidate

    @property
    def model(self) -> str | None:
        """The model that made it, if the lock says it."""
        return self.row.model if isinstance(self.row, Generated) else None


class Witnesses(Struct, frozen=True):
    """The evidence of orders outside of the ledger."""

    claims: Sequence[Claim] = ()
    receipts: Mapping[Digest, Proof] = field(default_factory=dict)
    """The locked pictures that were paid for, by order."""
    wanted: Mapping[Digest, tuple[Recipe, Decimal | None]] = field(default_factory=dict)
    """The paid orders of the spec, with the most that each may cost."""
    project: str = ""
    emptied: bool = False
    """Whether there was a ledger that is now lost."""


def additions(
    entries: Sequence[Entry], witnesses: Witnesses, *, complete: bool = True
) -> tuple[Intended | Delivered, ...]:
    """The entries that a ledger provably lacks.

    It is not `complete` if its file had more than these entries. Once anything is lost, claims
    without an attempt count as evidence, too: those of 0.1.0 never name one.
    """
    certain = tuple(_lacking(entries, witnesses, lost=False))
    lost = not complete or witnesses.emptied or any(isinstance(e, Intended) for e in certain)
    return tuple(_lacking(entries, witnesses, lost=True)) if lost else certain


def _lacking(
    entries: Sequence[Entry], witnesses: Witnesses, *, lost: bool
) -> Iterator[Intended | Delivered]:
    attempts: dict[Digest, list[Attempt]] = {}
    for attempt in fold(entries).attempts:
        attempts.setdefault(attempt.order, []).append(attempt)
    claims = {claim.order: claim for claim in witnesses.claims}
    for order in sorted({*attempts, *claims}):
        own, claim = attempts.get(order, []), claims.get(order)
        intentions = [
            _bare(order, each.name, _at(each)) for each in own if not each.intended and _paid(each)
        ]
        if claim and (unknown := _unknown(claim, own, lost=lost)):
            own.append(Attempt(order, unknown.attempt, unknown))
            intentions.append(unknown)
        yield from (_described(one, own, witnesses) for one in intentions)
        yield from _delivered(own, witnesses)


def _paid(attempt: Attempt) -> bool:
    """Whether an entry belongs to a purchase; an embedded provider's picture does not."""
    return attempt.delivered is None or bool(attempt.delivered.attempt)


def _unknown(claim: Claim, attempts: Sequence[Attempt], *, lost: bool) -> Intended | None:
    """The attempt of a claim that the ledger does not know."""
    order, name = claim.order, claim.attempt
    if not name and (attempts or not lost):
        return None
    if name and any(attempt.name.startswith(name) for attempt in attempts):
        return None
    at = datetime.fromtimestamp(claim.written, UTC).isoformat()
    return _bare(order, name if _NAME.fullmatch(name) else _made_up(order), at)


def _made_up(order: Digest) -> str:
    """A name for an attempt without one, which depends only on the order."""
    return of_json([REBUILT, order]).removeprefix("sha256:")[:32]


def _at(attempt: Attempt) -> str:
    first = attempt.ticketed or attempt.kept or attempt.delivered or attempt.voided
    return first.at if first else ""


def _bare(order: Digest, attempt: str, at: str) -> Intended:
    """The beginning of an otherwise unknown attempt."""
    return Intended(
        order=order,
        attempt=attempt,
        at=at,
        provider=UNKNOWN,
        model=UNKNOWN,
        asset=UNKNOWN,
        reserve=Decimal(0),
        payload=of_bytes(b""),
        account=REBUILT,
    )


def _described(bare: Intended, attempts: Sequence[Attempt], witnesses: Witnesses) -> Intended:
    """The beginning of an attempt, with the known facts about its order and its delivery."""
    intended = bare
    if bare.order in witnesses.wanted:
        intended = _by_recipe(bare, *witnesses.wanted[bare.order])
    if bare.order in witnesses.receipts:
        intended = _by_receipt(intended, witnesses.receipts[bare.order])
    if intended is not bare:
        intended = replace(intended, project=witnesses.project)
    own = next((each for each in attempts if each.name == bare.attempt), None)
    return _by_delivery(intended, own) if own else intended


def _by_receipt(bare: Intended, proof: Proof) -> Intended:
    row = proof.row
    intended = replace(
        bare,
        provider=row.receipt.provider,
        asset=proof.asset,
        reserve=row.receipt.cost or bare.reserve,
    )
    if not isinstance(row, Generated):
        return intended
    return replace(
        intended,
        model=row.model,
        payload=payload(row.model, row.prompt, row.params),
        expected=expected(row.params),
    )


def _by_recipe(bare: Intended, recipe: Recipe, price: Decimal | None) -> Intended:
    task = recipe.task
    if not isinstance(task, Generate):  # pragma: no cover - only pictures are ordered
        return bare
    return replace(
        bare,
        provider=task.provider,
        model=task.model,
        asset=recipe.asset,
        reserve=price or bare.reserve,
        payload=payload(task.model, task.prompt, task.params),
        expected=expected(task.params),
    )


def _by_delivery(bare: Intended, attempt: Attempt) -> Intended:
    arrived, delivered = attempt.delivered or attempt.kept, attempt.delivered
    if arrived:
        cost = arrived.receipt.cost or bare.reserve
        bare = replace(bare, provider=arrived.receipt.provider, reserve=cost)
    if delivered:
        model, asset, project = delivered.model, delivered.asset, delivered.project
        bare = replace(bare, model=model, asset=asset, project=project)
    return bare


def _delivered(attempts: Sequence[Attempt], witnesses: Witnesses) -> Iterator[Delivered]:
    """The delivery of an order that only a receipt in the lock proves."""
    if not attempts or any(attempt.delivered for attempt in attempts):
        return
    if (proof := witnesses.receipts.get(attempts[0].order)) is None:
        return
    for attempt in attempts:
        if _is_about(proof.row.receipt.task, attempt):
            intended = attempt.intended
            yield Delivered(
                order=attempt.order,
                output=proof.row.output.sha256,
                receipt=proof.row.receipt,
                attempt=attempt.name,
                at=_at(attempt) or (intended.at if intended else ""),
                project=witnesses.project,
                asset=proof.asset,
                model=proof.model or _modelled(attempt.order, witnesses),
            )
            return


def _modelled(order: Digest, witnesses: Witnesses) -> str:
    """The model of an order that the spec still wants."""
    recipe, _ = witnesses.wanted.get(order, (None, None))
    task = recipe.task if recipe else None
    return task.model if isinstance(task, Generate) else UNKNOWN


def _is_about(task: str, attempt: Attempt) -> bool:
    """Whether a receipt for a task may belong to an attempt."""
    if attempt.voided:
        return False
    if attempt.ticketed:
        return attempt.ticketed.task == task
    return attempt.intended is not None and attempt.intended.account == REBUILT
