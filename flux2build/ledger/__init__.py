"""The ledger: every order, its fate, and the resulting sums; pure.

An attempt to buy is `Intended` before anything is sent, `Ticketed` once the server has accepted it,
and ends `Delivered` or `Voided`. A picture that differs from its order is `Kept`, and waits for a
person; so does an attempt that is `Voided` as lost:

    Intended ──▶ Ticketed ──▶ Delivered
        │            │            ▲
        │            ├───▶ Kept ──┤
        └────────────┴────────────┴──▶ Voided
"""

from __future__ import annotations

from flux2build.ledger.charge import (
    Charge,
    Sum,
    asset,
    charges,
    model,
    month,
    project,
    provider,
    spent,
)
from flux2build.ledger.codec import SCHEMA, entry_from_json, entry_to_json
from flux2build.ledger.entries import (
    LOST,
    REBUILT,
    RESUBMITTED,
    UNKNOWN,
    WRITTEN_OFF,
    Delivered,
    Entry,
    Foreign,
    Intended,
    Kept,
    Ticketed,
    Voided,
    expected,
)
from flux2build.ledger.fold import Attempt, Ledger, State, fold

__all__ = [
    "LOST",
    "REBUILT",
    "RESUBMITTED",
    "SCHEMA",
    "UNKNOWN",
    "WRITTEN_OFF",
    "Attempt",
    "Charge",
    "Delivered",
    "Entry",
    "Foreign",
    "Intended",
    "Kept",
    "Ledger",
    "State",
    "Sum",
    "Ticketed",
    "Voided",
    "asset",
    "charges",
    "entry_from_json",
    "entry_to_json",
    "expected",
    "fold",
    "model",
    "month",
    "project",
    "provider",
    "spent",
]
