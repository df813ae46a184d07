"""List orders, and settle the ones in doubt."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from flux2build import ledger
from flux2build.cli.command import command, option
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.digest import Digest, Json
from flux2build.errors import Exit, Problem, SystemFault, UsageError
from flux2build.images.decode import probe
from flux2build.ledger import (
    WRITTEN_OFF,
    Attempt,
    Delivered,
    Entry,
    Intended,
    State,
    Ticketed,
    Voided,
)
from flux2build.model import Receipt
from flux2build.providers.contract import PROVIDERS, Remote, is_task
from flux2build.providers.pricing import money
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import user_journal
from flux2build.session.settings import read
from flux2build.storage import durable
from flux2build.storage.disk import home
from flux2build.storage.store import Store

_SHORT: Final = 8
"""Characters of an attempt's name that are shown; any prefix that is unique will do."""
_OPEN: Final = frozenset({State.DOUBT, State.PENDING, State.KEPT})
_ASIDE: Final = {
    State.DOUBT: (
        "Look the orders in doubt up at the provider, then\n"
        "  flux2build orders adopt ORDER TASK   it was bought: collect it\n"
        "  flux2build orders resubmit ORDER     it was not bought: let the next build send it\n"
        "  flux2build orders write-off ORDER    nobody can tell: count it as spent"
    ),
    State.KEPT: (
        "What is kept aside is not what was ordered; `flux2build orders show ORDER` says why\n"
        "  flux2build orders adopt ORDER        take it as it is\n"
        "  flux2build orders adopt ORDER FILE   take a file that you had from the provider\n"
        "  flux2build orders write-off ORDER    give it up: it stays paid, the next build orders anew"
    ),
    State.PENDING: "The next build collects what is pending.",
}
"""What can be done about orders that are open."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_FILE: Final = re.compile(r".*/.*|.*\.(png|jpe?g|webp|avif|gif|tiff?)", re.IGNORECASE | re.DOTALL)
"""A name that can only be meant as that of a file."""


class _Listing(click.Group):
    """The group that lists when nothing else is asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`orders` alone, or with options only, means `orders list`."""
        bare = not args and not ctx.resilient_parsing
        if bare or (args and args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("orders", cls=_Listing)
def orders() -> None:
    """List orders, and settle the ones in doubt.

    An order is in doubt when the connection broke after it was sent: it may
    have been bought, and flux2build never sends it again by itself. `orders`
    alone lists what is open. An ORDER is named by the beginning of its name.
    """


def _attempts() -> tuple[Attempt, ...]:
    bought = ledger.fold(user_journal().read()).attempts
    return tuple(attempt for attempt in bought if attempt.intended is not None)


def _find(name: str) -> tuple[Attempt, Intended]:
    """The one order whose name begins so."""
    found = [(a, a.intended) for a in _attempts() if a.intended and a.name.startswith(name)]
    if name and len(found) == 1:
        return found[0]
    problem = "there is no order" if not found else "several orders begin with"
    raise UsageError(Problem(f"{problem} `{name}`", hint="`flux2build orders list` names them"))


def _open(name: str) -> tuple[Attempt, Intended]:
    """The same, if there is something to settle about it."""
    attempt, sent = _find(name)
    if attempt.state not in _OPEN:
        raise UsageError(f"order `{attempt.name[:_SHORT]}` is {attempt.state.value} already")
    return attempt, sent


@command("list")
@option("--everything", is_flag=True, help="Also what is delivered or settled.")
def list_orders(options: CommonOptions, *, everything: bool) -> Exit:
    """List the orders that are pending, in doubt or kept aside."""
    console = Console(options.color, options.verbosity)
    shown = [a for a in _attempts() if everything or a.state in _OPEN]
    if options.json:
        rows = [_as_json(attempt) for attempt in shown]
        console.json({"format_version": plan_view.FORMAT_VERSION, "orders": rows})
        return Exit.DONE
    width = max((len(a.intended.asset) for a in shown if a.intended), default=0)
    for attempt in shown:
        console.data(_line(attempt, width))
    states = {attempt.state for attempt in shown}
    for text in (text for state, text in _ASIDE.items() if state in states):
        console.say(f"\n{text}")
    if not shown:
        console.say("There is no order." if everything else "No order is open.")
    return Exit.DONE


def _line(attempt: Attempt, width: int) -> str:
    sent = attempt.intended
    assert sent is not None
    return (
        f"{attempt.name[:_SHORT]}  {attempt.state.value:<10}  {sent.at[:10]} {sent.at[11:16]}  "
        f"{sent.asset:<{width}}  {sent.provider}/{sent.model}  {_price(attempt)}"
    )


def _price(attempt: Attempt) -> str:
    """What it cost, or may cost."""
    charge = next(ledger.charges(ledger.Ledger((attempt,))), None)
    if charge is None:
        return "not charged"
    return f"{'at most ' if charge.reserved else ''}{money(charge.usd)}"


@command("show")
@click.argument("order")
def show_order(options: CommonOptions, *, order: str) -> Exit:
    """Show all that is known of one order."""
    console, (attempt, sent) = Console(options.color, options.verbosity), _find(order)
    if options.json:
        console.json({"format_version": plan_view.FORMAT_VERSION, **_as_json(attempt)})
        return Exit.DONE
    for name, value in _facts(attempt, sent):
        if value:
            console.data(f"{name:<9} {value}")
    if text := _ASIDE.get(attempt.state):
        console.say(f"\n{text}")
    return Exit.DONE


def _facts(attempt: Attempt, sent: Intended) -> Iterator[tuple[str, str]]:
    made = attempt.delivered or attempt.kept
    yield "order", attempt.name
    yield "state", attempt.state.value
    yield "asset", sent.asset
    yield "model", f"{sent.provider}/{sent.model}"
    yield "project", sent.project
    yield "sent", sent.at
    yield "task", attempt.ticketed.task if attempt.ticketed else ""
    yield "price", _price(attempt)
    yield "refusal", f"{attempt.voided.refusal}: {attempt.voided.message}" if attempt.voided else ""
    yield "kept", attempt.kept.message if attempt.kept else ""
    yield "picture", made.output if made else ""
    yield "file", str(_store().path(made.output)) if made else ""


def _as_json(attempt: Attempt) -> dict[str, Json]:
    sent, ticket, made = attempt.intended, attempt.ticketed, attempt.delivered or attempt.kept
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
        "output": made.output if made else None,
        "cost": str(made.receipt.cost) if made and made.receipt.cost is not None else None,
        "message": attempt.kept.message if attempt.kept else None,
        "refusal": attempt.voided.refusal if attempt.voided else None,
    }


@command("adopt")
@click.argument("order")
@click.argument("what", required=False)
def adopt(options: CommonOptions, *, order: str, what: str | None) -> Exit:
    """Settle an order that was bought.

    WHAT is the task's id at the provider (the next build collects it), or a
    picture: a file that you fetched from the provider yourself, or the
    `sha256:…` of one in the store. Without it, what was kept aside is taken.
    """
    attempt, sent = _open(order)
    if what is None:
        what = _kept(attempt)
    if os.path.isfile(what):  # noqa: PTH113 - for a name that is too long `Path` raises
        return _deliver(options, attempt, sent, _stored(Path(what)))
    if what.startswith("sha256:"):
        return _deliver(options, attempt, sent, _known(what))
    if _FILE.fullmatch(what):
        raise UsageError(f"there is no file `{what}`")
    return _collect(options, attempt, sent, what)


def _kept(attempt: Attempt) -> str:
    if attempt.kept is None:
        raise UsageError(
            f"nothing was kept aside for order `{attempt.name[:_SHORT]}`",
            hint=f"`flux2build orders adopt {attempt.name[:_SHORT]} TASK` names the task to collect",
        )
    return str(attempt.kept.output)


def _stored(path: Path) -> Digest:
    """A picture of the user's, put into the store."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise durable.fault("read", path, error) from error
    probe(data, str(path))
    return _store().put(data)


def _known(what: str) -> Digest:
    """A digest of the user's, if the store has its bytes."""
    if not _DIGEST.fullmatch(what):
        raise UsageError(f"`{what}` is no digest", hint="it has 64 digits from 0 to f")
    if not _store().has(Digest(what)):
        raise UsageError(f"the store holds no picture `{what}`")
    return Digest(what)


def _collect(options: CommonOptions, attempt: Attempt, sent: Intended, task: str) -> Exit:
    """Note the claim check of a task that the user found at the provider."""
    if attempt.state is State.KEPT:
        name = attempt.name[:_SHORT]
        raise UsageError(
            f"what order `{name}` brought is kept aside",
            hint=f"`flux2build orders adopt {name}` takes it as it is",
        )
    provider = PROVIDERS.get(sent.provider)
    if not isinstance(provider, Remote):
        raise UsageError(f"order `{attempt.name[:_SHORT]}` names no paid provider")
    endpoint = read(options.env_file).value(provider.url_variable) or provider.endpoint
    if not is_task(task):
        raise UsageError(f"`{task}` is no task of `{provider.name}`")
    answer = provider.claim(task, endpoint)
    # To the microsecond: what a person knows comes after what the server said in that second.
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    _note(
        attempt,
        Ticketed(
            order=attempt.order, attempt=attempt.name, at=at, task=answer.task, poll=answer.poll
        ),
    )
    return _settled(
        options, attempt, f"`{sent.asset}` was bought as {task}; the next build collects it"
    )


def _deliver(options: CommonOptions, attempt: Attempt, sent: Intended, output: Digest) -> Exit:
    _note(
        attempt,
        Delivered(
            order=attempt.order,
            output=output,
            receipt=_receipt(attempt, sent),
            attempt=attempt.name,
            at=_now(),
            project=sent.project,
            asset=sent.asset,
            model=sent.model,
        ),
    )
    return _settled(
        options, attempt, f"`{sent.asset}` is delivered; the next build puts it in place"
    )


def _receipt(attempt: Attempt, sent: Intended) -> Receipt:
    """The proof of what a person adopts, with the best figure there is."""
    if attempt.kept:
        return attempt.kept.receipt
    ticket = attempt.ticketed
    told = ticket.cost if ticket else None
    return Receipt(
        provider=sent.provider,
        task=ticket.task if ticket else "",
        cost=sent.reserve if told is None else told,
        cost_source="estimated" if told is None else "submitted",
    )


@command("resubmit")
@click.argument("order")
def resubmit(options: CommonOptions, *, order: str) -> Exit:
    """Settle an order that was not bought; the next build may send it again."""
    attempt, sent = _open(order)
    if attempt.state is not State.DOUBT:
        name = attempt.name[:_SHORT]
        raise UsageError(
            f"order `{name}` is {attempt.state.value}: it was bought",
            hint=f"`flux2build orders write-off {name}` gives it up and counts it as spent",
        )
    return _void(options, attempt, sent, "not-bought")


@command("write-off")
@click.argument("order")
def write_off(options: CommonOptions, *, order: str) -> Exit:
    """Give an order up: it counts as spent, and the next build may order anew."""
    attempt, sent = _open(order)
    return _void(options, attempt, sent, WRITTEN_OFF)


def _void(options: CommonOptions, attempt: Attempt, sent: Intended, refusal: str) -> Exit:
    charged = refusal == WRITTEN_OFF
    _note(
        attempt,
        Voided(
            order=attempt.order,
            attempt=attempt.name,
            at=_now(),
            refusal=refusal,
            message="settled by hand",
            charged=charged,
        ),
    )
    counted = "it counts as spent" if charged else "it costs nothing"
    return _settled(
        options, attempt, f"`{sent.asset}` is settled: {counted}; the next build may order it again"
    )


def _note(attempt: Attempt, decided: Entry) -> None:
    """Write down what a person decided, unless a build has come further with the order."""
    journal = user_journal()
    claim = journal.claim(attempt.order)
    if claim is None:
        raise SystemFault(
            f"a build is at order `{attempt.name[:_SHORT]}` this very moment",
            hint="let it finish, then `flux2build orders list` shows what became of it",
        )
    try:
        now, _ = _find(attempt.name)
        if now.state is not attempt.state:
            raise UsageError(f"order `{now.name[:_SHORT]}` is {now.state.value} by now")
        journal.append(decided)
    finally:
        os.close(claim)


def _settled(options: CommonOptions, attempt: Attempt, text: str) -> Exit:
    """Say what became of an order, as it is recorded now."""
    console = Console(options.color, options.verbosity)
    if options.json:
        now, _ = _find(attempt.name)
        console.json({"format_version": plan_view.FORMAT_VERSION, **_as_json(now)})
    console.say(text)
    return Exit.DONE


def _store() -> Store:
    return Store(home() / "store")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_SUBCOMMANDS: Final[Sequence[click.Command]] = (list_orders, show_order, adopt, resubmit, write_off)
for _one in _SUBCOMMANDS:
    orders.add_command(_one)

COMMAND: Final[click.Command] = orders
