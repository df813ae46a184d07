"""The ledger adds up facts; reading them twice or mixed with others changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.digest import Digest, of_bytes
from flux2build.ledger import (
    RESUBMITTED,
    SCHEMA,
    WRITTEN_OFF,
    Delivered,
    Entry,
    Foreign,
    Intended,
    Ledger,
    State,
    Ticketed,
    Voided,
    asset,
    charges,
    entry_from_json,
    entry_to_json,
    fold,
    model,
    month,
    project,
    provider,
    spent,
)
from flux2build.model import Receipt

FOX, OWL = of_bytes(b"fox"), of_bytes(b"owl")
PNG = of_bytes(b"png")


def intended(order: Digest = FOX, attempt: str = "1", reserve: str = "0.06") -> Intended:
    """An order about to be sent."""
    return Intended(
        order=order,
        attempt=attempt,
        at="2026-11-20T12:00:00Z",
        provider="bfl",
        model="flux-2-pro",
        asset="fox",
        reserve=Decimal(reserve),
        payload=of_bytes(b"body"),
        project="site",
    )


def ticketed(order: Digest = FOX, attempt: str = "1", cost: str | None = "0.045") -> Ticketed:
    """An order the server took."""
    return Ticketed(
        order=order,
        attempt=attempt,
        at="2026-11-20T12:00:01Z",
        task="t-1",
        poll="https://api.bfl.ai/v1/get_result?id=t-1",
        cost=None if cost is None else Decimal(cost),
    )


def delivered(order: Digest = FOX, attempt: str = "1", cost: str | None = "0.05") -> Delivered:
    """An order whose picture is in the store."""
    receipt = Receipt("bfl", "t-1", None if cost is None else Decimal(cost), "settled", 42, "a fox")
    return Delivered(order=order, attempt=attempt, at="", output=PNG, receipt=receipt)


def voided(order: Digest = FOX, attempt: str = "1", *, charged: bool = False) -> Voided:
    """An order that came to nothing."""
    refusal = "content-moderated"
    return Voided(
        order=order, attempt=attempt, at="", refusal=refusal, message="no", charged=charged
    )


AMOUNTS = st.decimals(0, 10, places=4)
HISTORIES = st.lists(
    st.builds(
        lambda order, end, charge: (order, end, charge),
        st.sampled_from([FOX, OWL]),
        st.sampled_from(["i", "it", "itd", "id", "iv", "itv", "ic", "itc", "itvd"]),
        AMOUNTS,
    ),
    max_size=5,
)


def history(number: int, order: Digest, steps: str, cost: Decimal) -> list[Entry]:
    """The entries of one attempt, in their order."""
    entries: dict[str, Entry] = {
        "i": intended(order, f"a{number}", str(cost)),
        "t": ticketed(order, f"a{number}", None),
        "d": delivered(order, f"a{number}", str(cost)),
        "v": voided(order, f"a{number}"),
        "c": voided(order, f"a{number}", charged=True),
    }
    return [entries[step] for step in steps]


@st.composite
def journals(draw: st.DrawFn) -> list[Entry]:
    """Several attempts of two orders, in any interleaving."""
    queues = [history(number, *attempt) for number, attempt in enumerate(draw(HISTORIES), start=1)]
    entries: list[Entry] = []
    while queues := [queue for queue in queues if queue]:
        entries.append(draw(st.sampled_from(queues)).pop(0))
    return entries


def total(ledger: Ledger) -> tuple[Decimal, Decimal]:
    """What was spent, and what is set aside."""
    sums = spent(ledger, provider).values()
    return sum((s.spent for s in sums), Decimal(0)), sum((s.reserved for s in sums), Decimal(0))


@settings(max_examples=150, deadline=None)
@given(journals(), st.data())
def test_duplicate_entries_change_nothing(entries: list[Entry], data: st.DataObject) -> None:
    """An entry that is written twice counts once."""
    again = data.draw(st.lists(st.sampled_from(entries), max_size=5)) if entries else []

    assert fold([*entries, *again]) == fold(entries)


@settings(max_examples=150, deadline=None)
@given(journals())
def test_any_prefix_folds_and_every_attempt_is_in_one_state(entries: list[Entry]) -> None:
    """A journal cut off anywhere still accounts for each attempt, and its worst cost."""
    for end in range(len(entries) + 1):
        ledger = fold(entries[:end])
        intentions = [entry for entry in entries[:end] if isinstance(entry, Intended)]
        states = [attempt.state for attempt in ledger.attempts]

        assert len(states) == len(intentions)
        assert len(ledger.delivered) <= states.count(State.DELIVERED)
        assert {a.order for a in ledger.attempts if a.state is State.DOUBT} == set(ledger.doubts)
        assert {a.order for a in ledger.attempts if a.state is State.PENDING} == set(ledger.pending)
        assert sum(total(ledger)) <= sum((entry.reserve for entry in intentions), Decimal(0))


@settings(max_examples=150, deadline=None)
@given(journals())
def test_entries_survive_their_text(entries: list[Entry]) -> None:
    """An entry read back from its line is the same entry."""
    assert [entry_from_json(entry_to_json(entry)) for entry in entries] == entries
    assert not any("\n" in entry_to_json(entry) for entry in entries)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.dictionaries(
        st.sampled_from(["kind", "schema", "order", "attempt", "at"]), inner
    ),
).map(json.dumps)))  # fmt: skip
def test_any_text_is_an_entry_or_a_value_error(text: str) -> None:
    """No text makes the reader fail in another way."""
    try:
        entry = entry_from_json(text)
    except ValueError:
        return
    assert entry_to_json(entry)


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([intended()], State.DOUBT),
        ([intended(), ticketed()], State.PENDING),
        ([intended(), ticketed(), delivered()], State.DELIVERED),
        ([intended(), voided()], State.VOIDED),
        ([intended(), ticketed(), voided()], State.VOIDED),
        ([intended(), voided(), delivered()], State.DELIVERED),
        ([intended(), delivered(), replace(voided(), refusal=RESUBMITTED)], State.VOIDED),
    ],
)
def test_the_state_of_an_attempt(entries: Sequence[Entry], state: State) -> None:
    """Without a ticket it is in doubt; a delivery outweighs all but its loss."""
    (attempt,) = fold(entries).attempts

    assert attempt.state is state


@given(st.permutations(["2026-11-20T12:00:01", "2026-11-20T12:00:01.5", "2026-11-21T09:00:00"]))
def test_the_latest_claim_check_counts(moments: list[str]) -> None:
    """A person who knows better where to ask is believed, in whatever order it is read."""
    tickets = [replace(ticketed(), at=at, poll=f"https://{at}") for at in moments]

    (attempt,) = fold([intended(), *tickets]).attempts

    assert attempt.ticketed is not None
    assert attempt.ticketed.poll == "https://2026-11-21T09:00:00"


def test_a_later_attempt_answers_for_an_order() -> None:
    """A refusal is forgotten once the order was tried again; deliveries never are."""
    refused = fold([intended(), voided()])
    tried = fold([intended(), voided(), intended(attempt="2")])
    bought = fold([intended(), delivered(), intended(attempt="2"), voided(attempt="2")])

    assert refused.refusals == {FOX: voided()}
    assert tried.refusals == {}
    assert tried.doubts == {FOX: intended(attempt="2")}
    assert bought.delivered == {FOX: delivered()}
    assert bought.refusals == {FOX: voided(attempt="2")}


def test_a_free_delivery_needs_no_attempt() -> None:
    """An embedded provider's pictures are told apart by their bytes; the newest counts."""
    first = Delivered(order=FOX, output=PNG, receipt=Receipt("sketch", cost=Decimal(0)))
    second = Delivered(order=FOX, output=OWL, receipt=Receipt("sketch", cost=Decimal(0)))

    assert fold([first, second, first]).delivered == {FOX: second}


@pytest.mark.parametrize(
    ("entries", "usd", "source", "reserved"),
    [
        ([intended()], "0.06", "estimated", True),
        ([intended(), ticketed()], "0.045", "submitted", True),
        ([intended(), ticketed(cost=None)], "0.06", "estimated", True),
        ([intended(), ticketed(), delivered()], "0.05", "settled", False),
        ([intended(), ticketed(), delivered(cost=None)], "0.045", "submitted", False),
        ([delivered(cost=None)], "0", "unknown", False),
        ([intended(), voided(charged=True)], "0.06", "estimated", False),
    ],
)
def test_what_an_attempt_costs(
    entries: Sequence[Entry],
    usd: str,
    source: str,
    reserved: bool,  # noqa: FBT001 - a table of cases
) -> None:
    """The receipt counts, else the ticket, else what was set aside."""
    (charge,) = charges(fold(entries))

    assert (charge.usd, charge.source, charge.reserved) == (Decimal(usd), source, reserved)


def test_free_pictures_cost_nothing_and_name_their_provider() -> None:
    """What an embedded provider drew is in the sums with nothing."""
    free = Receipt("sketch", cost=Decimal(0), cost_source="free")
    ledger = fold([Delivered(order=FOX, output=PNG, receipt=free, asset="fox", model="sketch")])

    assert spent(ledger, provider)["sketch"].sources == {"free": Decimal(0)}
    assert (list(spent(ledger, asset)), list(spent(ledger, model))) == (["fox"], ["sketch"])


@pytest.mark.parametrize(
    "change",
    [
        {"order": "md5:0"},
        {"reserve": "-1"},
        {"reserve": 0.1},
        {"at": None},
        {"schema": "1x"},
        {"kind": 1},
    ],
)
def test_an_entry_with_a_wrong_value_is_no_entry(change: dict[str, object]) -> None:
    """Money, digests and texts are what they should be, or the line is damage."""
    text = json.dumps({**json.loads(entry_to_json(intended())), **change})
    with pytest.raises(ValueError, match=r"\w"):
        entry_from_json(text)


def test_a_receipt_with_a_wrong_seed_is_no_receipt() -> None:
    """A seed is a whole number."""
    text = entry_to_json(delivered()).replace('"seed":42', '"seed":"42"')
    with pytest.raises(ValueError, match="not a ledger entry"):
        entry_from_json(text)


def test_a_refusal_without_charge_costs_nothing() -> None:
    """What certainly was not charged is in no sum."""
    assert list(charges(fold([intended(), voided()]))) == []


def test_sums_by_anything() -> None:
    """Spending adds up by month, provider, model, asset and project."""
    ledger = fold([intended(), delivered(), intended(OWL, "2"), ticketed(OWL, "2")])

    for by, group in (
        (month, "2026-11"),
        (provider, "bfl"),
        (model, "flux-2-pro"),
        (asset, "fox"),
        (project, "site"),
    ):
        (name,) = spent(ledger, by)
        total = spent(ledger, by)[name]
        assert name == group
        assert (total.spent, total.reserved) == (Decimal("0.05"), Decimal("0.045"))
        assert total.orders == 2
        assert total.sources == {"settled": Decimal("0.05")}


@pytest.mark.parametrize("change", [{"kind": "refunded"}, {"schema": SCHEMA + 1}])
def test_entries_of_a_newer_flux2build_are_kept_word_for_word(change: dict[str, object]) -> None:
    """What is not understood is neither lost nor guessed at."""
    text = json.dumps({**json.loads(entry_to_json(intended())), **change})
    entry = entry_from_json(text)

    assert isinstance(entry, Foreign)
    assert entry_to_json(entry) == text
    assert fold([entry, entry]).foreign == (entry,)
    assert fold([entry]).attempts == ()


def test_a_write_off_has_its_word() -> None:
    """A person who gives an attempt up leaves a word that tells it from the server's."""
    gone = Voided(
        order=FOX, attempt="1", at="", refusal=WRITTEN_OFF, message="by hand", charged=True
    )

    assert fold([intended(), gone]).refusals[FOX].refusal == "written-off"
