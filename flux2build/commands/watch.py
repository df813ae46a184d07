"""Build again whenever something changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import click

from flux2build import app
from flux2build.command import command, option
from flux2build.errors import Exit
from flux2build.project import Choice, Project
from flux2build.request import Request


@command("watch", selects=True)
@option("-j", "--jobs", type=click.IntRange(1, 256), help="Pictures drawn at once.")
@option("--max-cost", type=app.USD, metavar="USD", help="Spend at most this in the session.")
def watch(
    request: Request,
    *,
    selection: Sequence[str],
    exclude: Sequence[str],
    jobs: int | None,
    max_cost: Decimal | None,
) -> Exit:
    """Build again whenever something changes.

    Free providers build at once. Paid ones show the plan and wait, unless
    --max-cost allows the session to spend. Ctrl-C ends it.
    """
    choice = Choice(tuple(selection), tuple(exclude))
    return app.watch(Project.open(request), choice, app.Terms(jobs=jobs, max_cost=max_cost))


COMMAND: Final[click.Command] = watch
