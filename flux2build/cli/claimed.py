"""Shows the claims of other machines of a team, and tells them a person's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux2build.console.console import Console
from flux2build.console.ways_out import CLAIMED, DAMAGED
from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, UsageError
from flux2build.ledger import Entry
from flux2build.purchasing.settling import Purchase, is_digest, purchases
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal, user_store
from flux2build.session.project import Project
from flux2build.session.settings import read

if TYPE_CHECKING:
    from flux2build.session.team_orders import TeamOrders


def others(
    options: CommonOptions, console: Console, own: Sequence[Purchase]
) -> list[tuple[Purchase, str]]:
    """The claims of other machines with their states; warns if the store cannot be asked.

    It also says so if the team has the picture of an `own` order that a person has to settle.
    """
    try:
        if (team := _team(options)) is None:
            return []
        shown, pictures = team.others(), team.pictures(own)
    except Flux2BuildError as fault:
        console.caution(fault.problems)
        return []
    for name, picture in pictures.items():
        way_out = f"`flux2build orders adopt {name} {picture}`"
        console.say(f"the team's store has the picture of order {name}: {way_out} takes it")
    console.caution(team.problems)
    damaged = team.damaged
    return [(e, DAMAGED if e.attempt.name in damaged else CLAIMED) for e in shown]


def fetch_shared(options: CommonOptions, picture: str) -> None:
    """Put a picture, named by its digest, into the store if only the team's store has it.

    Raises:
        SystemFault: the store cannot be asked.
    """
    if not is_digest(picture) or user_store().has(Digest(picture)):
        return
    if (team := _team(options)) is not None:
        team.fetch(Digest(picture))


def claimed_entries(options: CommonOptions, known: Sequence[Entry], name: str) -> tuple[Entry, ...]:
    """The entries from other machines' claims about an order that the ledger does not know."""
    team = None if _knows(known, name) else _team(options)
    return team.entries(name) if team else ()


def take_in_claimed(options: CommonOptions, console: Console, name: str) -> None:
    """Enter an order that another machine has claimed in the ledger, so that it can be settled.

    Raises:
        UsageError: several names begin like this.
        SystemFault: the store cannot be asked or written.
    """
    team = None if _knows(user_journal().read(), name) else _team(options)
    if team is not None:
        team.take_in(name)
        console.caution(team.problems)


def tell_the_team(options: CommonOptions, console: Console, purchase: Purchase) -> None:
    """Tell the team's store a person's decision; if this fails, the next build does it."""
    try:
        if (team := _team(options)) is not None and not team.settled(purchase):
            console.say(
                "the team does not have it yet: after the next build, `flux2build store push` in "
                "its project shares it"
            )
    except Flux2BuildError as fault:
        console.caution(fault.problems)


def _knows(entries: Sequence[Entry], name: str) -> bool:
    return any(each.attempt.name.startswith(name) for each in purchases(entries))


def _team(options: CommonOptions) -> TeamOrders | None:
    try:
        settings = read(options.env_file)
    except UsageError:  # orders can be settled with faulty settings, too
        return None
    if not settings.shares:
        return None
    # Lazy: few users share a store.
    from flux2build.session.team_orders import team_orders

    try:
        project = Project.open(options)
    except UsageError:  # orders can be settled anywhere
        project = None
    return team_orders(settings, user_store(), user_journal(), project)
