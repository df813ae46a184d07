"""Sum up what was spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from flux2build import ledger, planview
from flux2build.command import command, option
from flux2build.digest import Json
from flux2build.errors import Exit
from flux2build.ledger import Sum
from flux2build.project import Project, user_journal
from flux2build.request import Request

_GROUPS: Final = {
    "asset": ledger.asset,
    "model": ledger.model,
    "provider": ledger.provider,
    "month": ledger.month,
    "project": ledger.project,
}


@command("cost")
@option("--by", type=click.Choice(list(_GROUPS)), default="month", help="How to group the sums.")
@option("--everything", is_flag=True, help="All projects of this machine, not this one only.")
def cost(request: Request, *, by: str, everything: bool) -> Exit:
    """Sum up what was spent, out of the ledger.

    `settled` figures come from the provider when the picture was ready,
    `submitted` ones when it was ordered, `estimated` ones from the price list.
    What is on its way or in doubt is set aside and shown apart.
    """
    entries = ledger.fold(user_journal().read())
    project = Project.open(request)
    if not everything:
        own = tuple(a for a in entries.attempts if ledger.project(a) == str(project.folder))
        entries = ledger.Ledger(attempts=own)
    sums = ledger.spent(entries, _GROUPS[by])
    if request.json:
        project.console.json(_as_json(by, sums))
        return Exit.DONE
    paid = {name: found for name, found in sums.items() if found.spent or found.reserved}
    width = max((len(name) for name in paid), default=0)
    for name, found in paid.items():
        aside = f", {planview.money(found.reserved)} set aside" if found.reserved else ""
        sources = ", ".join(f"{source}" for source in sorted(found.sources))
        project.console.data(
            f"{name:<{width}}  {planview.money(found.spent)} for {found.orders} orders"
            f"{aside}  ({sources})"
        )
    if not paid:
        project.console.say("Nothing was spent yet.")
    return Exit.DONE


def _as_json(by: str, sums: Mapping[str, Sum]) -> Json:
    return {
        "format_version": planview.FORMAT_VERSION,
        "by": by,
        "sums": [
            {
                by: name,
                "spent": str(found.spent),
                "reserved": str(found.reserved),
                "orders": found.orders,
                "sources": {source: str(usd) for source, usd in found.sources.items()},
            }
            for name, found in sums.items()
        ],
    }


COMMAND: Final[click.Command] = cost
