"""One command for several specs, one after the other, with one summary and one exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from flux2build.console.console import Console
from flux2build.console.plan_view import counted
from flux2build.errors import Exit, Flux2BuildError, UsageError, gravest
from flux2build.ledger.accounts import accounts
from flux2build.providers.pricing import money
from flux2build.session.home import user_journal
from flux2build.storage.disk import SPEC_NAME
from flux2build.storage.paths import is_foreign


def below(named: Sequence[str]) -> list[str]:
    """Every spec in the current folder and below it.

    Raises:
        UsageError: there is none, or others were named.
    """
    if named:
        raise UsageError("`--all` and `--file` name different specs", hint="leave one of them out")
    if specs := sorted(_walk(Path.cwd())):
        return specs
    raise UsageError(
        f"there is no `{SPEC_NAME}` here or below", hint="`flux2build init` writes one"
    )


def _walk(folder: Path) -> Iterator[str]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_foreign(name)]
        if SPEC_NAME in names:
            yield os.path.relpath(Path(at, SPEC_NAME))


def each(specs: Sequence[str], run: Callable[..., Exit | None], values: dict[str, Any]) -> Exit:
    """Run a command with its values for each spec, and sum up.

    Money of `max_cost` that one spec spends is not available to the others.
    """
    console = Console(values["color"], -1 if values["quiet"] else values["verbose"])
    before, exits, most = _spent(), dict[str, Exit](), values.get("max_cost")
    for spec in specs:
        console.say(f"{spec}:", "bold")
        cap = {} if most is None else {"max_cost": max(most - _spent() + before, Decimal(0))}
        try:
            exits[spec] = run(**{**values, **cap}, file=spec, several=True) or Exit.DONE
        except Flux2BuildError as error:
            console.fail(error)
            exits[spec] = error.exit
        console.say("")
        if exits[spec] is Exit.INTERRUPTED:
            break
    console.say(_summary(exits, _spent() - before))
    return gravest(exits.values())


def _summary(exits: dict[str, Exit], spent: Decimal) -> str:
    others = [f"{spec} with exit code {int(code)}" for spec, code in exits.items() if code]
    parts = [counted(len(exits), "spec"), f"{len(exits) - len(others)} in order", *others]
    return f"{', '.join(parts)}." + (f" Spent: {money(spent)}." if spent else "")


def _spent() -> Decimal:
    """The cost of all orders of this user so far, including sums that may still be charged.

    While the ledger cannot be read, nothing is bought.
    """
    try:
        return accounts(user_journal()).total()
    except Flux2BuildError:
        return Decimal(0)
