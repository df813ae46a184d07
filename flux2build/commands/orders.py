"""List orders, and settle the ones in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from flux2build import ledger, planview
from flux2build.command import command, option
from flux2build.console import Console
from flux2build.digest import Digest, Json
from flux2build.disk import home
from flux2build.errors import Exit, Problem, UsageError
from flux2build.families import providers_by_name
from flux2build.ledger import WRITTEN_OFF, Attempt, Delivered, State, Ticketed, Voided
from flux2build.model import Receipt
from flux2build.picture import probe
from flux2build.project import user_journal
from flux2build.provider import Remote, Reply, Ticket
from flux2build.request import Request
from flux2build.settings import read
from flux2build.store import Store

_SHORT: Final = 8
"""Characters of an attempt's name that are shown; any prefix that is unique will do."""


@click.group("orders", short_help="List orders, and settle the ones in doubt.")
def orders() -> None:
    """List orders, and settle the ones in doubt.

    An order is in doubt when the connection broke after it was sent: it may
    have been bought, and flux2build never sends it again by itself.
    """


def _attempts() -> tuple[Attempt, ...]:
    bought = ledger.fold(user_journal().read()).attempts
    return tuple(attempt for attempt in bought if attempt.intended is not None)


def _find(name: str) -> Attempt:
    found = [attempt for attempt in _attempts() if attempt.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    problem = "there is no order" if not found else "several orders begin with"
    raise UsageError(Problem(f"{problem} `{name}`", hint="`flux2build orders list` names them"))


@command("list")
@option("--everything", is_flag=True, help="Also what is delivered or settled.")
def list_orders(request: Request, *, everything: bool) -> Exit:
    """List the orders that wait, are in doubt, or brought something else than was ordered."""
    console = Console(request.color, request.verbosity)
    over = {State.DELIVERED, State.VOIDED}
    shown = [a for a in _attempts() if everything or a.state not in over]
    if request.json:
        console.json({"format_version": "1.0", "orders": [_as_json(a) for a in shown]})
        return Exit.DONE
    for attempt in shown:
        console.data(_line(attempt))
    states = {attempt.state for attempt in shown}
    for state, advice in _ADVICE.items():
        if state in states:
            console.say(advice)
    if not shown:
        console.say("No order waits or is in doubt.")
    return Exit.DONE


_ADVICE: Final = {
    State.DOUBT: "\nLook the orders in doubt up at the provider, then\n"
    "  flux2build orders adopt ORDER TASK   it was bought: collect it\n"
    "  flux2build orders resubmit ORDER     it was not bought: let the next build send it\n"
    "  flux2build orders write-off ORDER    nobody can tell: count it as spent",
    State.KEPT: "\nWhat is kept aside is not what was ordered; `orders show ORDER` says why\n"
    "  flux2build orders adopt ORDER        take it as it is\n"
    "  flux2build orders adopt ORDER FILE   take a file that you had from the provider\n"
    "  flux2build orders write-off ORDER    give it up: it stays paid, the next build orders anew",
}


def _line(attempt: Attempt) -> str:
    sent = attempt.intended
    if sent is None:  # pragma: no cover - `_attempts` gives intended ones only
        return attempt.name
    task = f"  task={attempt.ticketed.task}" if attempt.ticketed else ""
    return (
        f"{attempt.name[:_SHORT]}  {attempt.state.value:<10}  {sent.at[:16]}  {sent.asset}  "
        f"{sent.provider}/{sent.model}  at most {planview.money(sent.reserve)}{task}"
    )


@command("show")
@click.argument("order")
def show_order(request: Request, *, order: str) -> Exit:
    """Show all that is known of one order."""
    console = Console(request.color, request.verbosity)
    console.json(_as_json(_find(order)))
    return Exit.DONE


def _as_json(attempt: Attempt) -> Json:
    sent, ticket = attempt.intended, attempt.ticketed
    brought = attempt.delivered or attempt.kept
    cost = brought.receipt.cost if brought else None
    return {
        "order": attempt.name,
        "state": attempt.state.value,
        "digest": attempt.order,
        "asset": sent.asset if sent else None,
        "provider": sent.provider if sent else None,
        "model": sent.model if sent else None,
        "project": sent.project if sent else None,
        "sent": sent.at if sent else None,
        "reserve": str(sent.reserve) if sent else None,
        "task": ticket.task if ticket else None,
        "output": brought.output if brought else None,
        "cost": str(cost) if cost is not None else None,
        "message": attempt.kept.message if attempt.kept else None,
        "refusal": attempt.voided.refusal if attempt.voided else None,
    }


@command("adopt")
@click.argument("order")
@click.argument("what", required=False)
def adopt(request: Request, *, order: str, what: str | None) -> Exit:
    """Settle an order that was bought.

    WHAT is the task's id at the provider (the next build collects it), or a
    picture file that you fetched from the provider yourself. Without it, what
    was kept aside is taken as it is.
    """
    console, attempt = Console(request.color, request.verbosity), _open(order)
    data = Path(what).read_bytes() if what and Path(what).is_file() else None
    if what and data is None and not what.startswith("sha256:"):
        _ticket(attempt, what, request)
        console.say(f"`{_asset(attempt)}` was bought as {what}; the next build collects it")
        return Exit.DONE
    if what and data is not None:
        probe(data, what)
    store = Store(home() / "store")
    output = store.put(data) if data is not None else Digest(what or _kept(attempt))
    if not store.has(output):
        raise UsageError(Problem(f"the store holds no {output}"))
    _deliver(attempt, output)
    console.say(f"`{_asset(attempt)}` is delivered as {output}; the next build puts it in place")
    return Exit.DONE


def _kept(attempt: Attempt) -> Digest:
    """What was kept aside of an order."""
    if attempt.kept is None:
        raise UsageError(
            Problem(
                f"nothing is kept aside of order `{attempt.name[:_SHORT]}`",
                hint="name the task's id at the provider, or a picture file",
            )
        )
    return attempt.kept.output


def _ticket(attempt: Attempt, task: str, request: Request) -> None:
    """Note the claim check of a task that the user found at the provider."""
    sent = attempt.intended
    provider = providers_by_name().get(sent.provider if sent else "")
    if not isinstance(provider, Remote):
        raise UsageError(Problem(f"order `{attempt.name[:_SHORT]}` names no paid provider"))
    endpoint = read(request.env_file).value(provider.url_variable) or provider.endpoint
    answer = provider.ticket(Reply(200, {}, b'{"id": "%s"}' % task.encode()), endpoint)
    if not isinstance(answer, Ticket):
        raise UsageError(Problem(f"`{task}` is no task of `{provider.name}`"))
    # To the microsecond: what a person knows comes after what the server said in that second.
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    user_journal().append(
        Ticketed(
            order=attempt.order, attempt=attempt.name, at=at, task=answer.task, poll=answer.poll
        )
    )


def _deliver(attempt: Attempt, output: Digest) -> None:
    sent = attempt.intended
    user_journal().append(
        Delivered(
            order=attempt.order,
            output=output,
            receipt=_receipt(attempt),
            attempt=attempt.name,
            at=_now(),
            project=sent.project if sent else "",
            asset=_asset(attempt),
            model=sent.model if sent else "",
        )
    )


def _receipt(attempt: Attempt) -> Receipt:
    """The proof of what a person adopts, with the best figure there is."""
    if attempt.kept:
        return attempt.kept.receipt
    sent, ticket = attempt.intended, attempt.ticketed
    told = ticket.cost if ticket else None
    return Receipt(
        provider=sent.provider if sent else "",
        task=ticket.task if ticket else "",
        cost=told if told is not None or sent is None else sent.reserve,
        cost_source="estimated" if told is None else "submitted",
    )


@command("resubmit")
@click.argument("order")
def resubmit(request: Request, *, order: str) -> Exit:
    """Settle an order that was not bought; the next build may send it again."""
    return _settle(request, order, "not-bought", charged=False)


@command("write-off")
@click.argument("order")
def write_off(request: Request, *, order: str) -> Exit:
    """Give an order up: it counts as spent, and the next build may order anew."""
    return _settle(request, order, WRITTEN_OFF, charged=True)


def _settle(request: Request, order: str, refusal: str, *, charged: bool) -> Exit:
    attempt = _open(order)
    user_journal().append(
        Voided(
            order=attempt.order,
            attempt=attempt.name,
            at=_now(),
            refusal=refusal,
            message="settled by hand",
            charged=charged,
        )
    )
    counted = "it counts as spent" if charged else "it costs nothing"
    console = Console(request.color, request.verbosity)
    console.say(f"`{_asset(attempt)}` is settled: {counted}; the next build may order it again")
    return Exit.DONE


def _open(name: str) -> Attempt:
    attempt = _find(name)
    if attempt.state in (State.DELIVERED, State.VOIDED):
        raise UsageError(
            Problem(f"order `{attempt.name[:_SHORT]}` is {attempt.state.value} already")
        )
    return attempt


def _asset(attempt: Attempt) -> str:
    return attempt.intended.asset if attempt.intended else ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_SUBCOMMANDS: Final[Sequence[click.Command]] = (list_orders, show_order, adopt, resubmit, write_off)
for _one in _SUBCOMMANDS:
    orders.add_command(_one)

COMMAND: Final[click.Command] = orders
