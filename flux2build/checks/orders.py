"""No paid order of the project is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Problem
from flux2build.model import AssetName
from flux2build.planning.reason import SETTLED_BY, ReasonCode

_UNCOLLECTED: Final = "uncollected"
_UNDECIDED: Final = "undecided"

_HINTS: Final = {
    **SETTLED_BY,
    ReasonCode.IN_FLIGHT: "`flux2build build` collects it, already paid, before its address expires",
}


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """An open order of this project in this machine's ledger that nothing asks for any more."""
    for order in facts.plan.orders:
        if not order.ours:
            continue
        name, asset = order.intended.attempt[:8], AssetName(order.intended.asset)
        message = ", ".join(reason.sentence for reason in order.reasons)
        rows = (("order", name), ("sent", order.intended.at))
        code = _UNCOLLECTED if order.pending else _UNDECIDED
        yield Finding(code, Problem(message, rows=rows, hint=_HINTS[order.reasons[0].code]), asset)


CHECK: Final[Check] = Check(
    {
        _UNCOLLECTED: "an order is paid for and not collected, and nothing asks for it",
        _UNDECIDED: "an order that nothing asks for waits for a person to decide",
    },
    findings,
    subject=Subject.STEPS,
)
