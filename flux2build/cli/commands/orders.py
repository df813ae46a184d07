"""List orders, and settle the ones in doubt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from flux2build import ledger
from flux2build.cli.claimed import (
    claimed_entries,
    fetch_shared,
    others,
    take_in_claimed,
    tell_the_team,
)
from flux2build.cli.command import Listing, command, option
from flux2build.cli.completers import COMPLETERS
from flux2build.cli.spooled import take_in_spooled
from flux2build.console import plan_view
from flux2build.console.columns import cell, column
from flux2build.console.console import Console
from flux2build.console.ways_out import MISSING, WAYS_OUT
from flux2build.digest import Json, of_bytes
from flux2build.errors import Exit, Flux2BuildError, UsageError
from flux2build.images.formats.lookup import of_path
from flux2build.ledger import Entry, State
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Remote
from flux2build.providers.pricing import money
from flux2build.purchasing import settling
from flux2build.purchasing.redaction import Key, unkeyed
from flux2build.purchasing.settling import Purchase
from flux2build.session.asked import parameters
from flux2build.session.candidate_orders import numbers
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal, user_store
from flux2build.session.project import Project
from flux2build.session.rebuilding import Rebuilding
from flux2build.session.settings import read

_GONE: Final = "its bytes are not in the store"


@click.group("orders", cls=Listing)
def orders() -> None:
    """List orders, and settle the ones in doubt.

    An order is in doubt when the connection broke after it was sent: it may
    have been bought, and flux2build never sends it again by itself. `orders`
    alone lists what is open. An ORDER is named by the beginning of its name.
    """


@command("list")
@option(
    "--everything",
    is_flag=True,
    help="Also what is delivered or settled, and `missing` in the store.",
)
def list_orders(options: CommonOptions, *, everything: bool) -> Exit:
    """List the orders that are pending, in doubt, kept aside or lost."""
    console, journal = _prepare(options), user_journal()
    shown = (
        settling.purchases(journal.read())
        if everything
        else settling.open_purchases(journal.ledger())
    )
    unread = journal.problems()
    console.caution(unread)
    store, claimed = user_store(), others(options, console, shown)
    states = {each.name: MISSING for each in shown if settling.missing(each, store)}
    states |= {each.name: state for each, state in claimed}
    which, shown = _numbers(options, shown), (*shown, *(each for each, _ in claimed))
    if options.json:
        rows = [_as_json(each, states.get(each.name), which.get(each.name)) for each in shown]
        console.document({"orders": rows})
        return Exit.DONE
    _list(console, shown, states, which)
    if not shown and not unread:
        console.say("There is no order." if everything else "No order is open.")
    return Exit.DONE


def _numbers(options: CommonOptions, purchases: Sequence[Purchase]) -> Mapping[str, int]:
    """The numbers of the candidates of this project's orders, by the orders' names."""
    with suppress(Flux2BuildError):  # open orders are listed even if the spec is faulty
        project = Project.open(options)
        own = [each for each in purchases if each.intended.project == str(project.folder)]
        known = numbers(project) if own else {}
        return {each.name: known[each.attempt.order] for each in own if each.attempt.order in known}
    return {}


def _list(
    console: Console,
    purchases: Sequence[Purchase],
    otherwise: Mapping[str, str] = MappingProxyType({}),
    numbers: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """One line for each order, then what can be done about them; some are in other states."""
    names = {each.name: _titled(each, numbers.get(each.name)) for each in purchases}
    wide = column(names.values(), console.width)
    for purchase in purchases:
        state = otherwise.get(purchase.name, purchase.state.value)
        console.data(_line(purchase, state, cell(names[purchase.name], wide)))
    states = {_state(otherwise, each) for each in purchases if each.open or each.name in otherwise}
    for text in (text for state, text in WAYS_OUT.items() if state in states):
        console.paragraph(text)


def _state(otherwise: Mapping[str, str], purchase: Purchase) -> str:
    """The state of an order; the team's store says it for orders that only it knows."""
    state = otherwise.get(purchase.name, MISSING)
    return purchase.state if state == MISSING else state


def _titled(purchase: Purchase, candidate: int | None) -> str:
    """The asset of an order, and the number of the candidate."""
    asset = purchase.intended.asset
    return asset if candidate is None else f"{asset}, candidate {candidate}"


def _line(purchase: Purchase, state: str, name: str) -> str:
    sent = purchase.intended
    return (
        f"{purchase.name}  {state:<10}  {sent.at[:10]} {sent.at[11:16]}  "
        f"{name}  {sent.provider}/{sent.model}  {_price(purchase)}  {_said(purchase)}"
    ).rstrip()


def _said(purchase: Purchase) -> str:
    """The reason why the last try to collect a pending order failed."""
    ticketed = purchase.attempt.ticketed
    return ticketed.said if ticketed and purchase.state is State.PENDING else ""


def _price(purchase: Purchase) -> str:
    """The price of an order, or the most that it may cost."""
    charge = next(ledger.charges(ledger.Ledger((purchase.attempt,))), None)
    if charge is None:
        return "not charged"
    return f"{'at most ' if charge.reserved else ''}{money(charge.usd)}"


@command("show")
@click.argument("order", shell_complete=COMPLETERS["ORDER"])
def show_order(options: CommonOptions, *, order: str) -> Exit:
    """Show all that is known of one order."""
    console, journal = _prepare(options), user_journal()
    entries = journal.read()
    purchase = settling.find([*entries, *claimed_entries(options, entries, order)], order)
    console.caution(journal.problems())
    number = _numbers(options, [purchase]).get(purchase.name)
    if options.json:
        console.document(_as_json(purchase, candidate=number))
        return Exit.DONE
    for name, value in _facts(purchase, number):
        if value:
            console.data(f"{name:<9} {value}")
    if text := WAYS_OUT.get(purchase.state):
        console.paragraph(text)
    return Exit.DONE


def _facts(purchase: Purchase, candidate: int | None) -> Iterator[tuple[str, str]]:
    attempt, sent = purchase.attempt, purchase.intended
    arrived, voided = attempt.delivered or attempt.kept, attempt.voided
    yield "order", attempt.name
    yield "state", attempt.state.value
    yield "asset", _titled(purchase, candidate)
    yield "model", f"{sent.provider}/{sent.model}"
    yield "project", sent.project
    yield "sent", sent.at
    yield "task", unkeyed(attempt.ticketed.task) if attempt.ticketed else ""
    yield "said", _said(purchase)
    yield "price", _price(purchase)
    yield "refusal", f"{voided.refusal}: {voided.message}" if voided else ""
    yield "kept", attempt.kept.message if attempt.kept else ""
    yield "picture", arrived.output if arrived else ""
    yield "file", str(user_store().path(arrived.output)) if arrived else ""


def _as_json(
    purchase: Purchase, otherwise: str | None = None, candidate: int | None = None
) -> dict[str, Json]:
    attempt, sent = purchase.attempt, purchase.intended
    kept, arrived = attempt.kept, attempt.delivered or attempt.kept
    cost = arrived.receipt.cost if arrived else None
    return {
        "order": attempt.name,
        "state": attempt.state.value if otherwise in {None, MISSING} else otherwise,
        "digest": attempt.order,
        "asset": sent.asset,
        "provider": sent.provider,
        "model": sent.model,
        "project": sent.project,
        "sent": sent.at,
        "reserve": str(sent.reserve),
        "task": unkeyed(attempt.ticketed.task) if attempt.ticketed else None,
        "output": arrived.output if arrived else None,
        "cost": None if cost is None else str(cost),
        "message": _GONE
        if otherwise == MISSING
        else kept.message
        if kept
        else _said(purchase) or None,
        "refusal": attempt.voided.refusal if attempt.voided else None,
        **({} if candidate is None else {"candidate": candidate}),
    }


@command("adopt")
@click.argument("order", shell_complete=COMPLETERS["ORDER"])
@click.argument("what", required=False)
def adopt(options: CommonOptions, *, order: str, what: str | None) -> Exit:
    """Settle an order that was bought.

    WHAT is the task's id at the provider (the next build collects it), or a
    picture: a file that you fetched from the provider yourself, or the
    `sha256:…` of one in the store. Without it, what was kept aside is taken.
    A task that the provider does not know is refused.
    """
    take_in_claimed(options, _prepare(options), order)
    purchase = settling.find_open(user_journal().read(), order)
    fetch_shared(options, what or "")
    if (data := _picture(purchase, what)) is not None:
        _check_fit(options, purchase, data, what or purchase.name)
        entry: Entry = settling.adopt_picture(purchase, of_bytes(data), _now())
        outcome = "is delivered; the next build puts it in place"
        return _settle(options, purchase, entry, outcome, lambda: user_store().put(data))
    task, provider = str(what), PROVIDERS.get(purchase.intended.provider)
    settings = read(options.env_file)
    endpoint = settings.endpoint(provider) if isinstance(provider, Remote) else None
    entry = settling.adopt_task(purchase, task, provider, endpoint, _now())
    if isinstance(provider, Remote):
        from flux2build.cli.known_tasks import refuse_unknown

        refuse_unknown(Console.of(options), settings, provider, entry)
    return _settle(options, purchase, entry, f"was bought as {task}; the next build collects it")


def _picture(purchase: Purchase, what: str | None) -> bytes | None:
    """The picture that a person adopts; None where they name a task."""
    store = user_store()
    if what is None:
        return store.get(settling.kept_picture(purchase, store))
    if os.path.isfile(what):  # noqa: PTH113 - for a name that is too long `Path` raises
        return settling.file_of_picture(Path(what))
    if what.startswith("sha256:"):
        return store.get(settling.stored_picture(what, store))
    if "/" in what or of_path(what):  # it must be meant as the name of a file
        raise UsageError(f"there is no file `{what}`")
    return None


def _check_fit(options: CommonOptions, purchase: Purchase, data: bytes, name: str) -> None:
    """Compare a picture with its order, unless it is the one that was kept aside."""
    set_aside = purchase.attempt.kept
    if set_aside is not None and set_aside.output == of_bytes(data):
        return
    ordered = parameters(options, purchase.intended)
    settling.check_fit(purchase, data, name, ordered)
    if ordered is None:
        console = Console.of(options)
        console.say("its size was not compared with the order, which no spec has any more", "dim")


def _prepare(options: CommonOptions) -> Console:
    """Complete the ledger, register the keys that must stay secret, and open the console.

    Nothing is ordered here, so the keys and the settings may be faulty.

    Raises:
        UsageError: there is no spec where the options name one.
    """
    if options.file:
        Project.open(options)
    console = Console.of(options)
    take_in_spooled(user_journal(), user_store(), console)
    with suppress(Flux2BuildError):
        settings = read(options.env_file)
        for provider in PROVIDERS.values():
            if isinstance(provider, Remote) and (key := settings.value(provider.key_variable)):
                with suppress(Flux2BuildError):
                    Key(key, provider.key_variable)
    return console


@command("resubmit")
@click.argument("order", shell_complete=COMPLETERS["ORDER"])
def resubmit(options: CommonOptions, *, order: str) -> Exit:
    """Settle an order that was not bought, or whose picture is lost.

    The next build may send it again. A picture that is lost stays paid for.
    """
    take_in_claimed(options, _prepare(options), order)
    purchase = settling.find(user_journal().read(), order)
    entry = settling.resubmit(purchase, user_store(), _now())
    cost = "counts as spent" if entry.charged else "costs nothing"
    outcome = f"is settled: it {cost}; the next build may order it again"
    return _settle(options, purchase, entry, outcome)


@command("write-off")
@click.argument("order", shell_complete=COMPLETERS["ORDER"])
def write_off(options: CommonOptions, *, order: str) -> Exit:
    """Give an order up: it counts as spent, and the next build may order anew."""
    take_in_claimed(options, _prepare(options), order)
    purchase = settling.find_open(user_journal().read(), order)
    entry = settling.write_off(purchase, _now())
    outcome = "is settled: it counts as spent; the next build may order it again"
    return _settle(options, purchase, entry, outcome)


def _settle(
    options: CommonOptions,
    purchase: Purchase,
    entry: Entry,
    outcome: str,
    keep: Callable[[], object] = lambda: None,
) -> Exit:
    """Record a decision, and show the new state of the order."""
    journal, console = user_journal(), Console.of(options)
    settling.record(journal, purchase, entry, keep)
    current = settling.find(journal.read(), purchase.attempt.name)
    tell_the_team(options, console, current)
    if options.json:
        console.document({**_as_json(current)})
    console.say(f"`{purchase.asset}` {outcome}")
    return Exit.DONE


@command("recover")
@option("-y", "--yes", is_flag=True, help="Write it instead of only showing it.")
def recover(options: CommonOptions, *, yes: bool) -> Exit:
    """Rebuild the ledger where it is damaged, missing or an older copy.

    Every entry that is as it was written stays. What is missing is added: an
    order is delivered if the lock has its receipt; one that is only known to have
    been attempted is in doubt, for you to settle. Shows what it would write;
    `--yes` writes it, and keeps the damaged file beside it. Nothing is bought. Run
    it in every project, as each lock proves its own orders.
    """
    console, journal = _prepare(options), user_journal()
    rebuilding = Rebuilding.of(journal, user_store(), _project(options))
    if idle := rebuilding.idle:
        console.say("Nothing is missing in the ledger.")
    aside = rebuilding.carry_out() if yes and not idle else None
    shown = rebuilding.purchases
    if options.json:
        rows = [_as_json(purchase) for purchase in shown]
        kept = str(aside) if aside else None
        console.document({"orders": rows, "written": yes, "kept": kept})
    else:
        _list(console, shown)
    if idle:
        return Exit.DONE
    orders_in_words = plan_view.counted(len(shown), "order")
    console.say(f"{'Added' if yes else 'To be added'} to {journal.path}: {orders_in_words}.")
    if aside is not None:
        console.say(f"What was there before is kept as {aside}.")
    if not yes:
        console.say("`flux2build orders recover --yes` writes this.")
    doubts = any(purchase.state is State.DOUBT for purchase in shown)
    return Exit.DECIDE if doubts or not yes else Exit.DONE


def _project(options: CommonOptions) -> Project | None:
    """The project that the options name, or the one here, if there is one."""
    try:
        return Project.open(options)
    except UsageError:
        if options.file:
            raise
        return None


def _now() -> datetime:
    return datetime.now(UTC)


_SUBCOMMANDS: Final[Sequence[click.Command]] = (
    list_orders,
    show_order,
    adopt,
    resubmit,
    write_off,
    recover,
)
for _subcommand in _SUBCOMMANDS:
    orders.add_command(_subcommand)

COMMAND: Final[click.Command] = orders
