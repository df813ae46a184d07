"""The errors of orders without a picture: what happened to the money, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flux2build.digest import Digest
from flux2build.errors import (
    BudgetError,
    DecisionError,
    Flux2BuildError,
    IncompleteError,
    Problem,
    SystemFault,
    one_line,
)
from flux2build.ledger import Intended
from flux2build.model import Input, Receipt, Recipe, Write
from flux2build.planning.reason import SETTLED_BY, ReasonCode
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Verdict
from flux2build.providers.contract import Refusal, Refused, Ticket

_SETTLE = "`flux2build orders list` shows it"
TRUST = (
    "if your network inspects TLS, let `SSL_CERT_FILE` name the certificate of its authority, or "
    '`ca = "…"` below `[network]` in your own configuration; `ca = "system"` trusts whom the '
    "system trusts"
)

_SHARED = frozenset({ReasonCode.CLAIMED, ReasonCode.SHARED_DAMAGED, ReasonCode.SHARED_NEWER})
"""The reasons of the team's store for not sending an order."""


def refusal(provider: str, asset: str, refused: Refused, variable: str) -> Flux2BuildError:
    """A refusal as an error; `variable` is the one that holds the key."""
    answer = f"`{provider}` says: {refused.message}" if refused.message else f"by `{provider}`"
    charged = (("charged", "perhaps; the ledger counts it as spent"),) if refused.charged else ()
    match refused.refusal:
        case Refusal.CREDITS:
            return BudgetError(
                f"the account is empty; nothing more is ordered ({answer})",
                hint="add credits, then build again: what is paid for is collected first",
            )
        case Refusal.CREDENTIALS:
            return keyless(answer, variable)
        case Refusal.UNREACHABLE | Refusal.RATE_LIMITED | Refusal.UNTRUSTED:
            hint = TRUST if refused.refusal is Refusal.UNTRUSTED else "build again later"
            return SystemFault(f"`{asset}` was not ordered: {answer}", hint=hint)
        case Refusal.REQUEST_MODERATED:
            return IncompleteError(
                f"the request for `{asset}` was moderated: {answer}",
                rows=charged,
                hint="change the prompt or its references; it is not sent again unchanged",
            )
        case Refusal.CONTENT_MODERATED:
            return IncompleteError(
                f"the picture of `{asset}` was moderated: {answer}",
                rows=charged,
                hint="another seed or prompt may pass; it is not sent again unchanged",
            )
        case Refusal.INVALID | Refusal.FAILED | Refusal.LOST:
            return IncompleteError(f"`{asset}` failed ({refused.refusal}): {answer}", rows=charged)


def keyless(answer: str, variable: str) -> SystemFault:
    """The error for a key that is missing or refused."""
    return SystemFault(
        f"the key is missing or refused; nothing more is ordered ({answer})",
        hint=f"set {variable} in the environment or with `--env-file`",
    )


def lockless(folder: Path) -> SystemFault:
    """The error for a disk on which two builds could buy the same picture."""
    return SystemFault(
        f"locks below `{folder}` keep nobody out; nothing was ordered",
        hint="let FLUX2BUILD_HOME name a folder on a local disk",
    )


def unready(recipe: Recipe, fault: SystemFault) -> SystemFault:
    """The error for an order that was not sent, because its picture could not be kept."""
    return SystemFault(
        *(
            Problem(f"`{recipe.asset}` was not ordered: {problem.message}", hint=problem.hint)
            for problem in fault.problems
        )
    )


def spooled(
    asset: str, intended: Intended, file: Path, output: Digest, fault: SystemFault
) -> SystemFault:
    """The error for a paid picture that is kept in the spool."""
    order = intended.attempt[:8]
    return SystemFault(
        f"the picture of `{asset}` is paid for and kept, but {fault}",
        rows=(("file", str(file)), ("digest", output)),
        hint="mend that before this machine is restarted: the next build or `flux2build orders` "
        "takes the picture in; if they do not, then "
        f"`flux2build orders adopt {order} {shlex.quote(str(file))}`",
    )


def not_kept(asset: str, task: str, fault: SystemFault) -> SystemFault:
    """The error for a paid picture that could not be kept anywhere."""
    return SystemFault(
        f"the picture of `{asset}` is paid for and could not be kept: {fault}",
        rows=(("task", task),),
        hint="mend that and build again at once: the provider has it for some minutes more",
    )


def not_ordered(recipe: Recipe, because: Flux2BuildError) -> Flux2BuildError:
    """The error for an order that was not sent because another one failed."""
    message = f"`{recipe.asset}` was not ordered"
    error = type(because)(
        *(Problem(f"{message}: {problem.message}") for problem in because.problems)
    )
    error.exit = because.exit
    return error


def unpriced(recipe: Recipe) -> BudgetError:
    """The error for an order of unknown price."""
    return BudgetError(f"no price is known for `{recipe.asset}`; nothing was ordered")


def in_doubt(intended: Intended, message: str = "") -> DecisionError:
    """The error for an order that may have been bought."""
    because = f": {message}" if message else ""
    return DecisionError(
        f"`{intended.asset}` may have been bought{because}",
        rows=(
            ("sent", f"{intended.at} to {intended.provider}, {intended.model}"),
            ("at most", f"${intended.reserve}"),
            ("order", intended.attempt),
        ),
        hint=f"it is never sent again by itself: {_SETTLE}, then "
        "`orders adopt`, `orders resubmit` or `orders write-off`",
    )


def too_many_doubts(doubts: int) -> DecisionError:
    """The error that stops a build after several orders in doubt."""
    return DecisionError(
        f"{doubts} orders in a row may have been bought or not; nothing more is ordered",
        hint="see what is wrong with the connection or the provider, then `flux2build orders list`",
    )


def kept_aside(asset: str, output: Digest, task: str, wrong: Flux2BuildError) -> DecisionError:
    """The error for a picture that differs from its order."""
    return DecisionError(
        *(
            Problem(
                f"what arrived for `{asset}` is kept aside: {problem.message}",
                rows=(*problem.rows, ("kept as", output), ("task", task)),
                hint=f"{_SETTLE}; `orders adopt` takes it as it is, `orders write-off` gives it up",
            )
            for problem in wrong.problems
        )
    )


def lost(asset: str, ticket: Ticket, message: str) -> DecisionError:
    """The error for an order that the server accepted and no longer knows."""
    return DecisionError(
        f"`{asset}` was bought, and is lost: {message}",
        rows=(("task", ticket.task),),
        hint=f"{_SETTLE}; ask the provider for the picture and `orders adopt` it, or give it "
        "up with `orders write-off`",
    )


def overdue(
    asset: str, ticket: Ticket, message: str, *, decide: bool, untrusted: bool = False
) -> Flux2BuildError:
    """The error for a picture that is not here yet; its ticket stays valid."""
    then = TRUST if untrusted else "the next build collects it"
    if decide:
        then = f"build again, or `flux2build orders adopt ORDER {ticket.task}`, which asks for it "
        then += "at the provider's own address"
    problem = Problem(
        f"the picture of `{asset}` is not here yet: {message}",
        rows=(("task", ticket.task),),
        hint=f"it is paid for and stays in the ledger; {then}",
    )
    return DecisionError(problem) if decide else IncompleteError(problem)


def uncollected(asset: str, ticket: Ticket, message: str, variable: str) -> SystemFault:
    """The error for a picture that cannot be asked for with this key."""
    return SystemFault(
        f"the picture of `{asset}` is not here yet: {message}",
        rows=(("task", ticket.task),),
        hint=f"it is paid for and stays in the ledger; set {variable} in the environment or "
        "with `--env-file`, then build again",
    )


def waiting(assets: str, failure: Flux2BuildError) -> Problem:
    """The error that keeps a provider's unneeded orders from being collected."""
    first = failure.problems[0]
    return Problem(
        f"what is paid for is not collected: {first.message}",
        rows=(("ordered for", assets),),
        hint=first.hint
        or "it stays in the ledger; build again later, or see `flux2build orders list`",
    )


def ordered_elsewhere(recipe: Recipe, intended: Intended, task: str) -> DecisionError:
    """The error for an order that is pending at another provider."""
    return DecisionError(
        f"`{recipe.asset}` was ordered at `{intended.provider}` already, and is not here yet",
        rows=(("sent", intended.at), ("task", task)),
        hint=f"build it with `{intended.provider}` to collect it, or give it up with "
        f"`flux2build orders write-off {intended.attempt[:8]}`",
    )


def paid_for(
    recipe: Recipe,
    output: Digest | None,
    receipt: Receipt | None,
    attempt: str = "",
    *,
    ways_back: Sequence[str] = (),
) -> DecisionError:
    """The error for a picture that was paid for, and whose bytes are not here.

    `attempt` is its name in the ledger, if it is there; `ways_back` say where git may have it.
    """
    path, task = recipe.output, f"{receipt.task} at {receipt.provider}" if receipt else ""
    git = "".join(f"{way}, or " for way in ways_back)
    again = f", or `flux2build orders resubmit {attempt[:8]}` and a build" if attempt else ""
    return DecisionError(
        f"`{recipe.asset}` was paid for already, and its bytes are not here; "
        "it is not bought again by itself",
        rows=(("file", path), ("digest", output or ""), ("task", task)),
        hint=f"{git}copy `{path}` from a machine that has it; to pay again: "
        f"`flux2build build --force '{recipe.asset}'`{again}",
    )


def unknown_output(recipe: Recipe) -> DecisionError:
    """The error for a file that may be a paid picture, or somebody's own work."""
    if isinstance(recipe.task, Write):
        message = (
            f"`{recipe.output}` is there already, and the lock does not tell where it comes from"
        )
        hint = "give the document another path, or move the file away if it is an older document"
        return DecisionError(message, hint=hint)
    return DecisionError(
        Problem(
            f"`{recipe.output}` is there already, and neither lock nor ledger tells where it comes from",
            hint="bring the lock back if it was lost or not committed; else move the file away, "
            f"or `flux2build build --force '{recipe.asset}'` buys `{recipe.asset}` and replaces it",
        )
    )


def paid_final(recipe: Recipe, final: str, profile: str) -> DecisionError:
    """The error for a comp that would replace a paid final of another profile."""
    hint = f'let the comps have a folder of their own: `output = "comps"` in `[profile.{profile}]`'
    if profile == "default":  # a spec need not declare it
        hint = (
            'let the finals have a folder of their own: `output = "final"` in '
            f"`[profile.{final}]`, then `flux2build build -p {shlex.quote(final)}` moves them"
        )
    message = f"the files of `{recipe.asset}` stay: the profile `{final}` paid for them"
    return DecisionError(message, hint=hint)


def judged(recipe: Recipe, verdict: Verdict, snapshot: Snapshot) -> Flux2BuildError:
    """The error for an order whose verdict asks a person."""
    if (owner := snapshot.owners.get(recipe.output)) and verdict.due_to(ReasonCode.PAID_FINAL):
        return paid_final(recipe, owner.profile, snapshot.profile)
    if verdict.due_to(ReasonCode.OUTPUT_UNKNOWN):
        return unknown_output(recipe)
    for reason in verdict.reasons:
        if reason.code in _SHARED:
            message = f"`{recipe.asset}` may have been bought already: {reason.sentence}"
            return DecisionError(message, hint=SETTLED_BY[reason.code])
    if not verdict.due_to(ReasonCode.PAID_FOR):
        return undecided(recipe, *(reason.code for reason in verdict.reasons))
    paid = snapshot.ledger.paid.get(verdict.key) if verdict.key else None
    attempt, ways = paid.attempt if paid else "", snapshot.ways_back(recipe.output, verdict.bytes)
    return paid_for(recipe, verdict.bytes, verdict.receipt, attempt, ways_back=ways)


def undecided(recipe: Recipe, *reasons: ReasonCode) -> Flux2BuildError:
    """The error for an order that only a person can settle."""
    if ReasonCode.OUTPUT_POINTER in reasons:
        return SystemFault(
            f"`{recipe.output}` is a Git LFS pointer; its picture was paid for already",
            hint="`git lfs pull` fetches it",
        )
    if ReasonCode.MODERATED in reasons:
        return IncompleteError(
            f"`{recipe.asset}` was refused by moderation, and its order has not changed",
            hint="change the prompt or the seed, or `flux2build build --force "
            f"'{recipe.asset}'` to send it again unchanged",
        )
    if ReasonCode.KEPT_ASIDE in reasons:
        return DecisionError(
            f"what arrived for `{recipe.asset}` is not what was ordered, and is kept aside",
            hint=SETTLED_BY[ReasonCode.KEPT_ASIDE],
        )
    if ReasonCode.LOST in reasons:
        return DecisionError(
            f"`{recipe.asset}` was bought, and is lost; it is not sent again by itself",
            hint=SETTLED_BY[ReasonCode.LOST],
        )
    if ReasonCode.UNRECORDED in reasons:
        return DecisionError(
            f"`{recipe.asset}` may have been ordered before, and the ledger does not tell what became "
            "of it; it is not sent again by itself",
            hint="bring `ledger.jsonl` back from a backup, or see what `flux2build orders recover` "
            f"rebuilds; `flux2build build --force '{recipe.asset}'` buys it again",
        )
    return DecisionError(
        f"`{recipe.asset}` may have been bought already; it is not sent again by itself",
        hint=SETTLED_BY[ReasonCode.IN_DOUBT],
    )


@contextmanager
def failing_alone(file: str, *inputs: Input) -> Iterator[None]:
    """Turn any error of a library into the failure of one asset.

    Raises:
        Flux2BuildError: the failure.
    """
    try:
        yield
    except Flux2BuildError:
        raise
    except Exception as error:
        raise broken(file, error, *inputs) from error


def broken(file: str, error: Exception, *inputs: Input) -> Flux2BuildError:
    """The failure of one asset, for any error while its file was made.

    Libraries may raise any error for an unusual picture. Such a picture is a failure that names its
    file; it does not end a build that has paid for others.
    """
    if isinstance(error, Flux2BuildError):
        return error
    read = ", ".join(f"`{str(source).removeprefix('asset:')}`" for source in inputs)
    rows = (("read", read),) if read else ()
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return IncompleteError(
        f"a picture is broken: `{file}` cannot be made of it",
        rows=(*rows, ("library", one_line(text, 200))),
        hint="export the picture again, or look at what the provider delivered",
    )
