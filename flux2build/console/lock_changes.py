"""The changes between two states of a lock: words, pictures and money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from flux2build.console.changes import marked, row_changes
from flux2build.console.escaping import clean
from flux2build.console.plan_view import counted
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import brief
from flux2build.lockfile import Block, Generated
from flux2build.lockfile.compare import LockChange, files
from flux2build.model import Receipt
from flux2build.providers.pricing import money
from flux2build.session.revisions import Compared

_LONG: Final = 300
"""Characters of a new prompt that are shown."""
_SIGNS: Final = {"new": "+", "changed": "~", "renamed": "=", "removed": "-"}
_STYLES: Final = {"new": "green", "changed": "yellow", "renamed": "cyan", "removed": "red"}


def kind(change: LockChange) -> str:
    """The kind of change to an asset, in a word."""
    if change.before is None:
        return "new"
    if change.after is None:
        return "removed"
    return "renamed" if change.former else "changed"


def picture(compared: Compared) -> str:
    """The change to the picture's bytes, in words; empty if one side has no picture."""
    before, after = compared.change.generated
    if before is None or after is None:
        return ""
    if before.output.sha256 == after.output.sha256:
        return "the same bytes"
    if compared.likeness is None:
        return "other bytes; one of the pictures is not at hand"
    if compared.likeness.equal:
        return "other bytes, the same pixels"
    return f"different (distance {compared.likeness.distance:.1f})"


def paid(receipt: Receipt) -> str:
    """The price of a picture, in words."""
    if receipt.adopted:
        return "adopted"
    return "free" if not receipt.paid else "paid" if receipt.cost is None else money(receipt.cost)


def spent(receipts: Sequence[Receipt]) -> str:
    """The price of one or several orders, in words."""
    if len(receipts) == 1:
        return paid(receipts[0])
    total = sum((each.cost or Decimal(0) for each in receipts), Decimal(0))
    return f"{money(total)} for {counted(len(receipts), 'order')}"


def fields(compared: Compared) -> Iterator[tuple[str, str]]:
    """The facts about a change, as name and text."""
    change = compared.change
    if change.former:
        yield "was", change.former
    before, after = change.generated
    if before is None and after is not None:
        yield "prompt", brief(after.prompt, _LONG)
    yield from row_changes(before, after)
    if words := picture(compared):
        yield "picture", words
    if (row := after or before) is not None:
        yield from _facts(row)
    if others := [path for path, _, _ in files(change) if not (row and row.output.path == path)]:
        names = ", ".join(others[:3])
        yield "files", names if len(others) <= 3 else f"{names} and {len(others) - 3} more"
    if (decision := reviewed(change.before, change.after)) is not None:
        yield "review", decision
    if receipts := change.bought:
        yield "paid", spent(receipts)


def _facts(row: Generated) -> Iterator[tuple[str, str]]:
    seed = "" if row.receipt.seed is None else f", seed {row.receipt.seed}"
    yield "made by", f"{row.model}{seed}"


def reviewed(before: Block | None, after: Block | None) -> str | None:
    """How the decision about a picture has changed, in words."""
    old, new = (block.decision if block else None for block in (before, after))
    if new is not None and new != old:
        note = f": {new.note}" if new.note else ""
        return f"{new.state.value} by {new.by}{note}"
    if old is not None and new is None and after is not None:
        return f"no longer {old.state.value}: the picture is another one"
    return None


def lines(changes: Sequence[Compared]) -> Iterator[Text]:
    """The changes for people: a line for each asset, and one for each field."""
    for compared in changes:
        change, what = compared.change, kind(compared.change)
        profile = f"  {change.profile}" if change.profile != "default" else ""
        yield Text.assemble(
            (f"{_SIGNS[what]} ", _STYLES[what]),
            (clean(change.asset), "bold"),
            (f"{profile}  {what}", "dim"),
        )
        for name, text in fields(compared):
            yield Text.assemble((f"    {name:<8} ", "cyan"), marked(text))


def footer(changes: Sequence[Compared], since: str) -> str:
    """The number of changes, and the sum that was paid."""
    kinds = [kind(each.change) for each in changes]
    counts = [f"{kinds.count(each)} {each}" for each in _SIGNS if each in kinds]
    receipts = [receipt for each in changes for receipt in each.change.bought]
    total = sum((receipt.cost or Decimal(0) for receipt in receipts), Decimal(0))
    cost = f" Paid: {money(total)} for {counted(len(receipts), 'order')}." if receipts else ""
    return f"Since {since}: {', '.join(counts) or 'nothing has changed'}.{cost}"


def as_json(changes: Sequence[Compared], commit: str) -> dict[str, Json]:
    """The changes for programs."""
    return {"since": commit, "changes": [_change_json(each) for each in changes]}


def _change_json(compared: Compared) -> dict[str, Json]:
    change, likeness = compared.change, compared.likeness
    before, after = change.generated
    costs = [receipt.cost for receipt in change.bought if receipt.cost is not None]
    return {
        "asset": change.asset,
        "profile": change.profile,
        "kind": kind(change),
        "former": change.former,
        "fields": dict(row_changes(before, after)),
        "files": [{"path": path, "before": old, "after": new} for path, old, new in files(change)],
        "same_pixels": likeness.equal if likeness else None,
        "distance": round(likeness.distance, 2) if likeness else None,
        "review": reviewed(change.before, change.after),
        "paid": str(sum(costs)) if costs else None,
    }
