"""Encodes ledger entries as lines of JSON; entries of a newer flux2build survive word for word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import asdict

from flux2build.digest import Digest, Json
from flux2build.ledger.entries import (
    Delivered,
    Entry,
    Foreign,
    Intended,
    Kept,
    Ticketed,
    Voided,
    expected,
)
from flux2build.model import Receipt

SCHEMA: Final = 1
"""The version of the entries; an entry with a higher one is left to the flux2build that wrote it."""

_NAMES: Final[Mapping[type[Entry], str]] = {
    Intended: "intended",
    Ticketed: "ticketed",
    Delivered: "delivered",
    Kept: "kept",
    Voided: "voided",
}
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")


def entry_to_json(entry: Entry) -> str:
    """An entry as one line of JSON, without the line's end."""
    if isinstance(entry, Foreign):
        return entry.text
    facts = {"kind": _NAMES[type(entry)], "schema": SCHEMA, **asdict(entry)}
    for name in ("expected", "said"):
        if not facts.get(name, True):
            del facts[name]
    return json.dumps(facts, separators=(",", ":"), default=_plain)


def _plain(value: Receipt | Decimal) -> Json:
    return asdict(value) if isinstance(value, Receipt) else f"{value:f}"


def entry_from_json(text: str) -> Entry:
    """The entry that a line of JSON holds.

    Raises:
        ValueError: it does not hold one.
    """
    try:
        facts = json.loads(text)
        kind, schema = _text(facts["kind"]), int(facts["schema"])
        if schema > SCHEMA or kind not in _NAMES.values():
            return Foreign(kind=kind, schema=schema, text=text)
        return _READERS[kind](facts)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a ledger entry: {error}") from error


def _intended(facts: dict[str, Any]) -> Intended:
    return Intended(
        order=_digest(facts["order"]),
        attempt=_text(facts["attempt"]),
        at=_text(facts["at"]),
        provider=_text(facts["provider"]),
        model=_text(facts["model"]),
        asset=_text(facts["asset"]),
        reserve=_money(facts["reserve"]),
        payload=_digest(facts["payload"]),
        project=_text(facts["project"]),
        account=_text(facts["account"]),
        expected=_expected(facts.get("expected", {})),
    )


def _ticketed(facts: dict[str, Any]) -> Ticketed:
    return Ticketed(
        order=_digest(facts["order"]),
        attempt=_text(facts["attempt"]),
        at=_text(facts["at"]),
        task=_text(facts["task"]),
        poll=_text(facts["poll"]),
        cost=None if facts["cost"] is None else _money(facts["cost"]),
        said=_text(facts.get("said", "")),
    )


def _delivered(facts: dict[str, Any]) -> Delivered:
    return Delivered(
        order=_digest(facts["order"]),
        output=_digest(facts["output"]),
        receipt=_receipt(facts["receipt"]),
        attempt=_text(facts["attempt"]),
        at=_text(facts["at"]),
        project=_text(facts["project"]),
        asset=_text(facts["asset"]),
        model=_text(facts["model"]),
    )


def _kept(facts: dict[str, Any]) -> Kept:
    return Kept(
        order=_digest(facts["order"]),
        attempt=_text(facts["attempt"]),
        at=_text(facts["at"]),
        output=_digest(facts["output"]),
        receipt=_receipt(facts["receipt"]),
        message=_text(facts["message"]),
    )


def _voided(facts: dict[str, Any]) -> Voided:
    return Voided(
        order=_digest(facts["order"]),
        attempt=_text(facts["attempt"]),
        at=_text(facts["at"]),
        refusal=_text(facts["refusal"]),
        message=_text(facts["message"]),
        charged=facts["charged"] is True,
    )


_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Entry]]] = {
    "intended": _intended,
    "ticketed": _ticketed,
    "delivered": _delivered,
    "kept": _kept,
    "voided": _voided,
}


def _receipt(facts: dict[str, Any]) -> Receipt:
    seed = facts["seed"]
    if seed is not None and type(seed) is not int:
        raise TypeError(seed)
    return Receipt(
        provider=_text(facts["provider"]),
        task=_text(facts["task"]),
        cost=None if facts["cost"] is None else _money(facts["cost"]),
        cost_source=_text(facts["cost_source"]),
        seed=seed,
        prompt=None if facts["prompt"] is None else _text(facts["prompt"]),
    )


def _expected(facts: dict[str, Any]) -> dict[str, Json]:
    return {name: value for name, value in expected(facts).items() if type(value) in {int, str}}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(value)


def _digest(value: Any) -> Digest:
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return Digest(value)
    raise TypeError(value)


def _money(value: Any) -> Decimal:
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise TypeError(value)
