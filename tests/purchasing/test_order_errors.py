"""Every error says what became of the money and what to do, with the exit code that it means."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import (
    BudgetError,
    DecisionError,
    Exit,
    Flux2BuildError,
    IncompleteError,
    SystemFault,
)
from flux2build.ledger import Intended
from flux2build.planning.reason import ReasonCode
from flux2build.providers.contract import Refusal, Refused, Ticket
from flux2build.purchasing import order_errors
from tests.paid_provider import recipe

FOX = recipe("a fox", "fox")
TICKET = Ticket("task-1", "https://x.example/1")
SENT = Intended(
    order=of_bytes(b"order"),
    attempt="a1b2c3d4",
    at="2026-11-20T12:00:00+00:00",
    provider="bfl",
    model="flux-2-pro",
    asset="fox",
    reserve=Decimal("0.03"),
    payload=of_bytes(b"payload"),
)

CODES = {
    Refusal.CREDITS: Exit.BUDGET,
    Refusal.CREDENTIALS: Exit.SYSTEM,
    Refusal.UNREACHABLE: Exit.SYSTEM,
    Refusal.RATE_LIMITED: Exit.SYSTEM,
    Refusal.REQUEST_MODERATED: Exit.INCOMPLETE,
    Refusal.CONTENT_MODERATED: Exit.INCOMPLETE,
    Refusal.INVALID: Exit.INCOMPLETE,
    Refusal.FAILED: Exit.INCOMPLETE,
    Refusal.LOST: Exit.INCOMPLETE,
}


def text(error: Flux2BuildError) -> str:
    """Everything that an error says."""
    (problem,) = error.problems
    rows = " ".join(f"{name}: {value}" for name, value in problem.rows)
    return f"{problem.message} | {rows} | {problem.hint or ''}"


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_its_exit_code(refusal: Refusal) -> None:
    """None is left out, and each quotes what the server said."""
    error = order_errors.refusal("bfl", FOX.asset, Refused(refusal, "go away"), "BFL_API_KEY")

    assert error.exit == CODES[refusal]
    assert "`bfl` says: go away" in text(error)
    assert "by `bfl`" in text(
        order_errors.refusal("bfl", FOX.asset, Refused(refusal, ""), "BFL_API_KEY")
    )


@pytest.mark.parametrize(
    "refusal", [Refusal.REQUEST_MODERATED, Refusal.CONTENT_MODERATED, Refusal.FAILED]
)
def test_a_refusal_that_may_cost_says_so(refusal: Refusal) -> None:
    """Where the server may charge all the same, the ledger counts it, and the user reads it."""
    free = order_errors.refusal("bfl", FOX.asset, Refused(refusal, "no"), "K")
    dear = order_errors.refusal("bfl", FOX.asset, Refused(refusal, "no", charged=True), "K")

    assert "counts it as spent" in text(dear)
    assert "counts it as spent" not in text(free)


def test_keys_are_named_by_their_variable() -> None:
    """The error names the variable, never a value."""
    error = order_errors.refusal(
        "bfl", FOX.asset, Refused(Refusal.CREDENTIALS, "no"), "BFL_API_KEY"
    )

    assert "set BFL_API_KEY" in text(error)
    assert isinstance(order_errors.keyless("why", "BFL_API_KEY"), SystemFault)


@pytest.mark.parametrize(
    "first",
    [
        order_errors.refusal("bfl", FOX.asset, Refused(Refusal.CREDITS, "empty"), "K"),
        order_errors.keyless("refused", "K"),
        order_errors.too_many_doubts(5),
    ],
)
def test_orders_that_were_not_sent_say_why(first: Flux2BuildError) -> None:
    """They end like the one that stopped them: same kind, same exit code, same cause."""
    owl = recipe("an owl", "owl")

    error = order_errors.not_ordered(owl, first)

    assert (type(error), error.exit) == (type(first), first.exit)
    assert text(error).startswith("`owl` was not ordered: ")
    assert first.problems[0].message in text(error)


DECIDE = (
    order_errors.in_doubt(SENT, "the connection broke"),
    order_errors.in_doubt(SENT),
    order_errors.too_many_doubts(5),
    order_errors.kept_aside(FOX.asset, of_bytes(b"x"), "task-1", DecisionError("it is too small")),
    order_errors.lost(FOX.asset, TICKET, "the server does not know the task"),
    order_errors.overdue(FOX.asset, TICKET, "the answer points elsewhere", decide=True),
    order_errors.undecided(FOX, ReasonCode.KEPT_ASIDE),
    order_errors.undecided(FOX, ReasonCode.LOST),
    order_errors.undecided(FOX, ReasonCode.IN_DOUBT),
    order_errors.undecided(FOX, ReasonCode.UNRECORDED),
    order_errors.unknown_output(FOX),
)


@pytest.mark.parametrize("error", DECIDE)
def test_what_a_person_decides(error: Flux2BuildError) -> None:
    """Where money may be gone the exit code is 5, and the way to settle it is named."""
    assert isinstance(error, DecisionError)
    assert error.exit == Exit.DECIDE
    ways = ("orders", "next build collects it", "build --force")
    assert any(way in text(error) for way in ways)


def test_a_doubt_tells_what_is_at_stake() -> None:
    """When it was sent, to whom, for how much at most, and what it is called."""
    message = text(order_errors.in_doubt(SENT, "the connection broke"))

    for fact in ("2026-11-20", "bfl, flux-2-pro", "$0.03", "a1b2c3d4", "the connection broke"):
        assert fact in message


def test_what_is_late_is_not_lost() -> None:
    """Its ticket stays good: the build is incomplete, and the next one collects it."""
    error = order_errors.overdue(FOX.asset, TICKET, "not ready after 15 minutes", decide=False)

    assert isinstance(error, IncompleteError)
    assert "task-1" in text(error)
    assert "the next build collects it" in text(error)


def test_nothing_ordered_without_a_price_or_a_lock() -> None:
    """Both say that no money was spent."""
    assert isinstance(order_errors.unpriced(FOX), BudgetError)
    assert isinstance(order_errors.lockless(Path("/net/home")), SystemFault)
    for error in (order_errors.unpriced(FOX), order_errors.lockless(Path("/net/home"))):
        assert "nothing was ordered" in text(error)


def test_moderation_and_pointers_are_not_about_money() -> None:
    """A blocked order is the user's to change; a Git LFS pointer is to be fetched."""
    blocked = order_errors.undecided(FOX, ReasonCode.MODERATED)
    pointer = order_errors.undecided(FOX, ReasonCode.OUTPUT_POINTER)

    assert (blocked.exit, "--force 'fox'" in text(blocked)) == (Exit.INCOMPLETE, True)
    assert (pointer.exit, "git lfs pull" in text(pointer)) == (Exit.SYSTEM, True)


def test_no_problem_is_left_out() -> None:
    """What is wrong for several reasons is said for each of them."""
    wrong = IncompleteError("too small", "cut off")

    kept = order_errors.kept_aside(FOX.asset, of_bytes(b"picture"), "task-1", wrong)
    later = order_errors.not_ordered(FOX, wrong)

    assert [p.message.rpartition(": ")[2] for p in kept.problems] == ["too small", "cut off"]
    assert [p.message.rpartition(": ")[2] for p in later.problems] == ["too small", "cut off"]
    assert later.exit == Exit.INCOMPLETE


@pytest.mark.parametrize(
    "error", [*DECIDE, order_errors.unpriced(FOX), order_errors.keyless("no", "K")]
)
def test_how_errors_are_written(error: Flux2BuildError) -> None:
    """Lower case, no final period, one problem."""
    (problem,) = error.problems
    first = problem.message[0]
    assert first == "`" or first.islower() or first.isdigit()
    assert not problem.message.endswith(".")
