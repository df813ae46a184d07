"""Sum up what was spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console.columns import cell, column
from flux2build.console.console import Console
from flux2build.console.plan_view import counted
from flux2build.digest import Json
from flux2build.ledger import Sum
from flux2build.ledger.accounts import accounts
from flux2build.ledger.tally import GROUPS
from flux2build.providers.pricing import money
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal
from flux2build.session.project import Project


@command("cost", without={"profile", "env_file"})
@option(
    "--by", type=click.Choice([*GROUPS, "project"]), default="month", help="How to group the sums."
)
@option("--everything", is_flag=True, help="All projects of this machine, not this one only.")
def cost(options: CommonOptions, *, by: str, everything: bool) -> None:
    """Sum up what was spent, as the ledger says.

    `settled` figures come from the provider when the picture was ready,
    `submitted` ones when it was ordered, `estimated` ones from the price list.
    What is on its way or in doubt is set aside and shown apart.
    """
    console = Console.of(options)
    folder = None if everything else str(Project.open(options).folder)
    journal = user_journal()
    groups = accounts(journal).spent(by, folder)
    console.caution(journal.problems())
    sums = {name: each for name, each in groups.items() if each.spent or each.reserved}
    if options.json:
        console.document(_as_json(by, sums))
        return
    console.data(*_lines(sums, console.width))
    if not sums:
        console.say("Nothing was spent yet.")


def _lines(sums: Mapping[str, Sum], width: int | None) -> Iterator[str]:
    """A line for each group, and their total if there are several."""
    rows = dict(sums)
    if len(rows) > 1:
        rows["total"] = Sum(
            sum((each.spent for each in sums.values()), Decimal(0)),
            sum((each.reserved for each in sums.values()), Decimal(0)),
            sum(each.orders for each in sums.values()),
        )
    wide = column(rows, width)
    for name, row in rows.items():
        aside = f", {money(row.reserved)} set aside" if row.reserved else ""
        sources = f"  ({', '.join(sorted(row.sources))})" if row.sources else ""
        spent = f"{money(row.spent)} for {counted(row.orders, 'order')}"
        yield f"{cell(name, wide)}  {spent}{aside}{sources}"


def _as_json(by: str, sums: Mapping[str, Sum]) -> dict[str, Json]:
    return {
        "by": by,
        "sums": [
            {
                by: name,
                "spent": str(row.spent),
                "reserved": str(row.reserved),
                "orders": row.orders,
                "sources": {source: str(usd) for source, usd in row.sources.items()},
            }
            for name, row in sums.items()
        ],
    }


COMMAND: Final[click.Command] = cost
