"""Contradictions between ledger, claims and store tell of orders that the ledger lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.purchasing.evidence import emptied, unrecorded
from tests import journals
from tests.paid_provider import Buyer, FakeProvider


@pytest.mark.parametrize(
    ("claim", "kept", "stored", "doubtful"),
    [
        (None, False, False, [False, False]),
        ("", False, False, [False, False]),
        ("", False, True, [True, True]),
        ("a" * 32, True, True, [False, True]),
        (None, False, True, [False, False]),
    ],
)
def test_what_a_lost_ledger_leaves(
    tmp_path: Path, claim: str | None, *, kept: bool, stored: bool, doubtful: list[bool]
) -> None:
    """An order is unrecorded if its claim says so, or if only store and claims are left of all."""
    buyer, order = Buyer(tmp_path / "home", FakeProvider()), of_bytes(b"order")
    buyer.journal.path.parent.mkdir()
    buyer.journal.lock_path.touch()
    if stored:
        buyer.store.put(b"picture")
    if claim is not None:
        path = buyer.journal.claims.path(order)
        path.parent.mkdir()
        path.write_text(claim)
    if kept:
        buyer.journal.append(journals.intended("other"))

    found = [emptied(buyer.journal, buyer.store), unrecorded(buyer.journal, buyer.store, order)]

    assert found == doubtful
