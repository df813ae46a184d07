"""Every error says what became of the money and what to do, with the exit code that it means.

`WRITE_DOCS=1 python -m pytest tests/purchasing/test_order_errors.py` writes their texts anew.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from flux2build.digest import Digest, of_bytes
from flux2build.errors import (
    BudgetError,
    DecisionError,
    Exit,
    Flux2BuildError,
    IncompleteError,
    Problem,
    SystemFault,
)
from flux2build.ledger import Intended
from flux2build.model import AssetName, MasterOf, Receipt, Source
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action, Verdict
from flux2build.providers.contract import Refusal, Refused, Ticket
from flux2build.purchasing import order_errors
from tests.paid_provider import recipe
from tests.snapshots import delivered, intended, snapshot

WORDS = Path(__file__).with_name("order_errors.txt")
KEY = of_bytes(b"order")
PICTURE = of_bytes(b"picture")
FOX = recipe("a fox", "fox")
ODD = replace(FOX, output="img/the fox.png")
TICKET = Ticket("task-1", "https://x.example/1")
RECEIPT = Receipt("bfl", "task-1", Decimal("0.03"))
SENT = Intended(
    order=KEY,
    attempt="a1b2c3d4e5f6",
    at="2026-11-20T12:00:00+00:00",
    provider="bfl",
    model="flux-2-pro",
    asset="fox",
    reserve=Decimal("0.03"),
    payload=of_bytes(b"payload"),
)
WRONG = DecisionError("it is too small", rows=(("width", "8, ordered 64"),))
FULL = SystemFault("cannot write `x`: disk full", hint="make room")
KNOWN = snapshot(entries=[intended(KEY, "a1b2c3d4e5f6"), delivered(KEY, "a1b2c3d4e5f6")])
CODES = {
    Refusal.CREDITS: Exit.BUDGET,
    Refusal.CREDENTIALS: Exit.SYSTEM,
    Refusal.UNREACHABLE: Exit.SYSTEM,
    Refusal.UNTRUSTED: Exit.SYSTEM,
    Refusal.RATE_LIMITED: Exit.SYSTEM,
    Refusal.REQUEST_MODERATED: Exit.INCOMPLETE,
    Refusal.CONTENT_MODERATED: Exit.INCOMPLETE,
    Refusal.INVALID: Exit.INCOMPLETE,
    Refusal.FAILED: Exit.INCOMPLETE,
    Refusal.LOST: Exit.INCOMPLETE,
}


CHARGED = (Refusal.REQUEST_MODERATED, Refusal.CONTENT_MODERATED, Refusal.FAILED)
UNDECIDED = (
    ReasonCode.OUTPUT_POINTER,
    ReasonCode.MODERATED,
    ReasonCode.KEPT_ASIDE,
    ReasonCode.LOST,
    ReasonCode.UNRECORDED,
    ReasonCode.IN_DOUBT,
)


def refused(refusal: Refusal, message: str = "no", *, charged: bool = False) -> Flux2BuildError:
    """The error for a refusal of the fox."""
    return order_errors.refusal(
        "bfl", "fox", Refused(refusal, message, charged=charged), "BFL_API_KEY"
    )


def judged(code: ReasonCode, known: Snapshot, key: Digest | None = KEY) -> Flux2BuildError:
    """The error for a verdict about the fox, for one reason."""
    reasons = (Reason(ReasonCode.PROMPT_CHANGED), Reason(code))
    verdict = Verdict(Action.ASK, reasons, key, PICTURE, RECEIPT)
    return order_errors.judged(FOX, verdict, known)


def raised(error: Exception, *inputs: MasterOf | Source) -> Flux2BuildError:
    """What becomes of what a library raises for the fox."""
    with pytest.raises(Flux2BuildError) as caught, order_errors.failing_alone("fox.png", *inputs):
        raise error
    return caught.value


def every_error() -> Mapping[str, Flux2BuildError | Problem]:
    """Each error in each of its forms."""
    return {
        **{f"refusal, {each}": refused(each) for each in Refusal},
        **{f"refusal, {each}, charged": refused(each, charged=True) for each in CHARGED},
        "refusal without a message": refused(Refusal.FAILED, ""),
        "keyless": order_errors.keyless("`K` is not set", "K"),
        "lockless": order_errors.lockless(Path("/net/home")),
        "unready": order_errors.unready(FOX, SystemFault(*FULL.problems, "no room")),
        "spooled": order_errors.spooled("fox", SENT, Path("/tmp/a b"), PICTURE, FULL),
        "not kept": order_errors.not_kept("fox", "task-1", FULL),
        "not ordered": order_errors.not_ordered(FOX, IncompleteError("too small", "cut off")),
        "unpriced": order_errors.unpriced(FOX),
        "in doubt": order_errors.in_doubt(SENT),
        "in doubt, with a message": order_errors.in_doubt(SENT, "the connection broke"),
        "too many doubts": order_errors.too_many_doubts(5),
        "kept aside": order_errors.kept_aside("fox", PICTURE, "task-1", WRONG),
        "lost": order_errors.lost("fox", TICKET, "the task is not known"),
        "overdue": order_errors.overdue("fox", TICKET, "not ready", decide=False),
        "overdue, untrusted": order_errors.overdue(
            "fox", TICKET, "no answer", decide=False, untrusted=True
        ),
        "overdue, to be decided": order_errors.overdue("fox", TICKET, "points away", decide=True),
        "uncollected": order_errors.uncollected("fox", TICKET, "the key is refused", "K"),
        "waiting": order_errors.waiting("fox, owl", FULL),
        "waiting, without a hint": order_errors.waiting("fox", SystemFault("no network")),
        "ordered elsewhere": order_errors.ordered_elsewhere(FOX, SENT, "task-1"),
        "paid for": order_errors.paid_for(FOX, None, None),
        "paid for, known": order_errors.paid_for(ODD, PICTURE, RECEIPT, SENT.attempt),
        "paid for, in git": order_errors.paid_for(
            ODD, PICTURE, RECEIPT, ways_back=("`git log` lists it", "`git checkout` brings it back")
        ),
        "judged, paid for": judged(ReasonCode.PAID_FOR, snapshot()),
        "judged, paid for, known": judged(ReasonCode.PAID_FOR, KNOWN),
        "judged, paid for, without a key": judged(ReasonCode.PAID_FOR, KNOWN, None),
        "judged, paid for, in git": judged(
            ReasonCode.PAID_FOR,
            replace(KNOWN, ways_back=lambda path, digest: (f"git has {path}", f"and {digest}")),
        ),
        "judged, unknown output": judged(ReasonCode.OUTPUT_UNKNOWN, KNOWN),
        "judged, moderated": judged(ReasonCode.MODERATED, KNOWN),
        **{f"undecided, {each}": order_errors.undecided(FOX, each) for each in UNDECIDED},
        "broken": raised(ValueError("odd\nchunk")),
        "broken, of inputs": raised(MemoryError(), MasterOf(AssetName("owl")), Source("img/a.tif")),
        "broken, at length": raised(ValueError("x" * 300)),
        "broken, by ourselves": raised(WRONG),
        "broken, given": order_errors.broken("fox.png", WRONG),
    }


def words(error: Flux2BuildError | Problem) -> str:
    """Everything that an error says, with its kind and exit code."""
    lines = []
    if isinstance(error, Flux2BuildError):
        lines.append(f"{type(error).__name__}, exit {error.exit}")
    for problem in [error] if isinstance(error, Problem) else error.problems:
        lines.append(problem.message)
        lines += [f"  {name}: {value}".rstrip() for name, value in problem.rows]
        lines += [f"  hint: {problem.hint}"] * (problem.hint is not None)
    return "\n".join(lines)


def test_what_every_error_says() -> None:
    """Facts, hints and exit codes are pinned word for word: people act on them with their money."""
    texts = [f"[{name}]\n{words(error)}\n" for name, error in every_error().items()]
    if os.environ.get("WRITE_DOCS"):
        WORDS.write_text("\n".join(texts), "utf-8")

    assert "\n".join(texts) == WORDS.read_text("utf-8")


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_its_exit_code(refusal: Refusal) -> None:
    """None is left out, and each quotes what the server said."""
    error = refused(refusal, "go away")

    assert error.exit == CODES[refusal]
    assert "`bfl` says: go away" in words(error)
    assert "by `bfl`" in words(refused(refusal, ""))


@pytest.mark.parametrize("kind", [BudgetError, SystemFault, DecisionError, IncompleteError])
def test_orders_that_were_not_sent_say_why(kind: type[Flux2BuildError]) -> None:
    """They have the kind, the exit code and the cause of the error that stopped them."""
    first = kind("this", "that")
    first.exit = Exit.INTERRUPTED

    error = order_errors.not_ordered(FOX, first)

    assert (type(error), error.exit) == (type(first), first.exit)
    assert [problem.message for problem in error.problems] == [
        "`fox` was not ordered: this",
        "`fox` was not ordered: that",
    ]


def test_no_problem_is_left_out() -> None:
    """Each of several things that are wrong with a picture is reported."""
    wrong = IncompleteError("too small", "cut off")

    kept = order_errors.kept_aside("fox", PICTURE, "task-1", wrong)

    assert [p.message.rpartition(": ")[2] for p in kept.problems] == ["too small", "cut off"]


def test_the_gravest_reason_is_named() -> None:
    """If there are several reasons, the error is about the one that a person can act on."""
    for first, later in pairwise(UNDECIDED):
        alone = order_errors.undecided(FOX, first)
        assert words(order_errors.undecided(FOX, later, first)) == words(alone)


def test_how_errors_are_written() -> None:
    """Lower case, no final period; where money may be gone a way to settle it is named."""
    ways = ("orders", "next build", "build --force", "build again")
    for name, error in every_error().items():
        for problem in [error] if isinstance(error, Problem) else error.problems:
            first = problem.message[0]
            assert first == "`" or first.islower() or first.isdigit(), name
            assert not problem.message.endswith("."), name
        if isinstance(error, DecisionError) and "broken" not in name:
            assert any(way in words(error) for way in ways), name
