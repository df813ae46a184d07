"""The ledger adds up facts; reading them twice or mixed with others changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import Digest, Json, of_bytes
from flux2build.ledger import (
    LOST,
    RESUBMITTED,
    SCHEMA,
    WRITTEN_OFF,
    Delivered,
    Entry,
    Foreign,
    Intended,
    Kept,
    Ledger,
    State,
    Sum,
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

FOX, OWL, ANT = map(of_bytes, (b"fox", b"owl", b"ant"))
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


SOON, LATER = "2026-11-20T12:00:01Z", "2026-11-20T12:00:02Z"
"""The time of `ticketed`, and one second later."""


def kept(order: Digest = FOX, attempt: str = "1", at: str = "", cost: str | None = "0.05") -> Kept:
    """An order for which something else arrived."""
    receipt = delivered(order, attempt, cost).receipt
    return Kept(
        order=order, attempt=attempt, at=at, output=OWL, receipt=receipt, message="too small"
    )


def lost(order: Digest = FOX, attempt: str = "1", at: str = "") -> Voided:
    """An order that was paid for and is lost."""
    gone = voided(order, attempt, charged=True)
    return replace(gone, refusal=LOST, at=at)


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
        ([intended(), kept()], State.KEPT),
        ([intended(), kept(), replace(voided(), refusal=WRITTEN_OFF)], State.VOIDED),
        ([intended(), kept(), delivered()], State.DELIVERED),
        ([intended(), ticketed(), kept(at=SOON)], State.KEPT),
        ([intended(), ticketed(), kept(at=LATER)], State.KEPT),
        ([intended(), kept(at=SOON), replace(ticketed(), at=LATER)], State.PENDING),
        ([intended(), ticketed(), lost(at=SOON)], State.LOST),
        ([intended(), ticketed(), lost(at=LATER)], State.LOST),
        ([intended(), lost(at=SOON), replace(ticketed(), at=LATER)], State.PENDING),
        ([intended(), lost(at=LATER), kept(at=SOON), ticketed()], State.KEPT),
        ([intended(), lost(at=SOON), kept(at=LATER), ticketed()], State.KEPT),
        ([intended(), lost()], State.LOST),
        ([intended(), lost(), replace(voided(), refusal=WRITTEN_OFF)], State.VOIDED),
        ([intended(), replace(voided(), refusal=WRITTEN_OFF), lost(at=LATER)], State.VOIDED),
        ([intended(), lost(), delivered()], State.DELIVERED),
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


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (intended(), replace(intended(), asset="owl"), 0),
        (delivered(), replace(delivered(), output=OWL), 0),
        (kept(at=SOON), kept(at=LATER), 1),
        (kept(at=LATER), kept(at=SOON), 0),
        (voided(), replace(voided(), at=LATER), 0),
        (lost(at=SOON), lost(at=LATER), 1),
        (lost(at=LATER), lost(at=SOON), 0),
        (lost(at=LATER), voided(), 1),
        (voided(), lost(at=LATER), 0),
        (ticketed(), replace(ticketed(), task="t-2"), 0),
    ],
)
def test_of_two_entries_of_a_kind_one_counts(first: Entry, second: Entry, counts: int) -> None:
    """The first one counts; but a later picture, a later loss, and the end of a loss replace it."""
    (attempt,) = fold([first, second]).attempts
    parts = (attempt.intended, attempt.ticketed, attempt.delivered, attempt.kept, attempt.voided)

    assert [part for part in parts if part] == [(first, second)[counts]]


def test_every_order_is_where_it_belongs() -> None:
    """Each map of the ledger holds the orders in its state, and no other one."""
    names = ("doubt", "pending", "kept", "lost", "bought", "again", "gone", "drawn")
    orders = {name: of_bytes(name.encode()) for name in names}
    sent = {name: intended(order, name) for name, order in orders.items() if name != "drawn"}
    ticket = ticketed(orders["pending"], "pending")
    bought = {name: delivered(orders[name], name) for name in ("bought", "again")}
    drawn = replace(delivered(orders["drawn"]), attempt="")
    aside, loss = kept(orders["kept"], "kept"), lost(orders["lost"], "lost")
    again = replace(voided(orders["again"], "again"), refusal=RESUBMITTED)
    gone = voided(orders["gone"], "gone")
    everything: tuple[Entry, ...] = (
        *sent.values(),
        ticket,
        *bought.values(),
        drawn,
        aside,
        loss,
        again,
        gone,
    )

    ledger = fold(everything)

    def of(*names: str) -> dict[Digest, Intended]:
        return {orders[name]: sent[name] for name in names}

    assert ledger.delivered == {each.order: each for each in (*bought.values(), drawn)}
    assert ledger.outputs == {PNG}
    assert ledger.paid == {orders["bought"]: bought["bought"]}
    assert ledger.resubmitted == {(orders["again"], "t-1")}
    assert ledger.pending == {orders["pending"]: (sent["pending"], ticket)}
    assert ledger.kept == {orders["kept"]: aside}
    assert ledger.lost == {orders["lost"]: loss}
    assert ledger.doubts == of("doubt")
    assert ledger.unsettled == of("doubt", "pending", "kept", "lost")
    assert [each.name for each in ledger.open] == ["doubt", "pending", "kept", "lost"]
    assert ledger.refusals == {orders["again"]: again, orders["gone"]: gone}
    assert fold([ticket, aside, loss]).unsettled == {}
    assert [each.name for each in fold([drawn, replace(ticket, attempt="")]).attempts] == [PNG, ""]


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


@pytest.mark.parametrize(
    "known",
    [
        [intended(OWL)],
        [intended(OWL), ticketed(OWL)],
        [intended(OWL), delivered(OWL)],
        [intended(OWL), voided(OWL)],
    ],
)
def test_an_order_is_known_under_all_its_names(known: Sequence[Entry]) -> None:
    """What is known under an older name counts for the first one, and other orders do not."""
    ledger, alone = fold([replace(delivered(ANT), output=OWL), *known]), fold(known)

    about = ledger.about([FOX, OWL])

    assert about.attempts == (replace(alone.attempts[0], order=FOX),)
    for name in ("delivered", "unsettled", "refusals", "pending"):
        under_its_name: dict[Digest, object] = getattr(alone, name)
        assert list(getattr(about, name).items()) == [
            (FOX, each) for each in under_its_name.values()
        ]
    assert about.outputs is ledger.outputs
    assert ledger.about([OWL, FOX]) is ledger


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
        ([intended(), ticketed(), voided(charged=True)], "0.045", "submitted", False),
        ([ticketed()], "0.045", "submitted", True),
        ([ticketed(cost=None)], "0", "unknown", True),
        ([intended(), ticketed(), kept()], "0.05", "settled", False),
        ([intended(), kept(), voided()], "0.05", "settled", False),
        ([intended(), kept(cost=None)], "0.06", "estimated", False),
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


def test_sums_add_up_by_group_and_source() -> None:
    """Groups come in order; each has what was spent, by source, and what may still be."""
    ledger = fold(
        [
            replace(intended(attempt="2"), at="2026-12-01"),
            delivered(attempt="2", cost="0.02"),
            *(entry for n in "345" for entry in (intended(attempt=n), delivered(attempt=n))),
            intended(attempt="6"),
            intended(attempt="7"),
            *(intended(attempt="8"), voided(attempt="8", charged=True)),
        ]
    )

    assert list(spent(ledger, month)) == ["2026-11", "2026-12"]
    november, december = spent(ledger, month).values()
    assert november == Sum(
        spent=Decimal("0.21"),
        reserved=Decimal("0.12"),
        orders=6,
        sources={"settled": Decimal("0.15"), "estimated": Decimal("0.06")},
    )
    assert december == Sum(Decimal("0.02"), Decimal(0), 1, {"settled": Decimal("0.02")})


DESCRIBED = replace(delivered(), at="2026-12-01", asset="owl", model="flex", project="shop")


@pytest.mark.parametrize(
    ("entries", "properties"),
    [
        ([intended()], ["2026-11", "bfl", "flux-2-pro", "fox", "site"]),
        ([intended(), DESCRIBED], ["2026-11", "bfl", "flux-2-pro", "fox", "site"]),
        ([DESCRIBED], ["2026-12", "bfl", "flex", "owl", "shop"]),
        ([ticketed()], ["2026-11", "", "", "", ""]),
        ([replace(voided(), at=SOON)], ["2026-11", "", "", "", ""]),
        ([kept(at=SOON)], ["2026-11", "bfl", "", "", ""]),
    ],
)
def test_what_is_known_of_an_attempt(entries: Sequence[Entry], properties: list[str]) -> None:
    """The facts come from its beginning, else its delivery, as far as they are in the journal."""
    (attempt,) = fold(entries).attempts

    assert [by(attempt) for by in (month, provider, model, asset, project)] == properties


@pytest.mark.parametrize("change", [{"kind": "refunded"}, {"schema": SCHEMA + 1}])
def test_entries_of_a_newer_flux2build_are_kept_word_for_word(change: dict[str, object]) -> None:
    """What is not understood is neither lost nor guessed at."""
    text = json.dumps({**json.loads(entry_to_json(intended())), **change})
    entry = entry_from_json(text)

    assert isinstance(entry, Foreign)
    assert entry_to_json(entry) == text
    assert fold([entry, entry]).foreign == (entry,)
    assert len(fold([entry, intended()]).attempts) == 1
    assert fold([entry]).attempts == ()


def test_a_write_off_has_its_word() -> None:
    """A person who gives an attempt up leaves a word that tells it from the server's."""
    gone = Voided(
        order=FOX, attempt="1", at="", refusal=WRITTEN_OFF, message="by hand", charged=True
    )

    assert fold([intended(), gone]).refusals[FOX].refusal == "written-off"


BEFORE = f'"schema":1,"order":"{FOX}","attempt":"1","at":"'
RECEIPT = (
    '"receipt":{"provider":"bfl","task":"t-1","cost":"0.05","cost_source":"settled","seed":42,'
    '"prompt":"a fox"}'
)
LINES: dict[str, Entry] = {
    f'{{"kind":"intended",{BEFORE}2026-11-20T12:00:00Z","provider":"bfl","model":"flux-2-pro",'
    f'"asset":"fox","reserve":"0.06","payload":"{of_bytes(b"body")}","project":"site",'
    '"account":"a1"}': replace(intended(), account="a1"),
    f'{{"kind":"intended",{BEFORE}2026-11-20T12:00:00Z","provider":"bfl","model":"flux-2-pro",'
    f'"asset":"fox","reserve":"0.0000001","payload":"{of_bytes(b"body")}","project":"site",'
    '"account":"","expected":{"width":64,"format":"png"}}': replace(
        intended(reserve="1E-7"), expected={"width": 64, "format": "png"}
    ),
    f'{{"kind":"ticketed",{BEFORE}2026-11-20T12:00:01Z","task":"t-1",'
    '"poll":"https://api.bfl.ai/v1/get_result?id=t-1","cost":"0.045"}': ticketed(),
    f'{{"kind":"ticketed",{BEFORE}2026-11-20T12:00:01Z","task":"t-1",'
    '"poll":"https://api.bfl.ai/v1/get_result?id=t-1","cost":null}': ticketed(cost=None),
    f'{{"kind":"delivered","schema":1,"order":"{FOX}","output":"{PNG}",{RECEIPT},"attempt":"1",'
    '"at":"2026-12-01","project":"shop","asset":"owl","model":"flex"}': DESCRIBED,
    f'{{"kind":"kept",{BEFORE}","output":"{OWL}",{RECEIPT},"message":"too small"}}': kept(),
    f'{{"kind":"voided",{BEFORE}","refusal":"lost","message":"no","charged":true}}': lost(),
    f'{{"kind":"voided",{BEFORE}","refusal":"content-moderated","message":"no","charged":false}}': (
        voided()
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_an_entry_and_its_line(line: str) -> None:
    """Both are pinned word for word: every release reads what any other one wrote."""
    assert entry_to_json(LINES[line]) == line
    assert entry_from_json(line) == LINES[line]


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        (0, '"a1"', "null"),
        (0, f'"{FOX}"', f'"{FOX.upper()}"'),
        (0, f'"{FOX}"', f'"{FOX}0"'),
        (0, '"0.06"', '"0.06 "'),
        (0, '"0.06"', '"NaN"'),
        (0, '"0.06"', f'"{"9" * 31}"'),
        (0, '"0.06"', "0.06"),
        (0, '"account":"a1"', '"who":"a1"'),
        (2, '"0.045"', "0.045"),
        (4, '"seed":42', '"seed":true'),
        (4, '"seed":42', '"seed":"42"'),
        (4, '"a fox"', "7"),
        (4, '"0.05"', "5"),
        (6, '"lost"', "0"),
        (6, '"schema":1', '"schema":{}'),
        (6, '"schema":1', f'"schema":{"[" * 100_000}'),
    ],
)
def test_a_line_with_a_wrong_value_is_damage(line: int, old: str, new: str) -> None:
    """It is never read as something else; the error says that it is not an entry."""
    text = list(LINES)[line]
    assert old in text
    with pytest.raises(ValueError, match=r"^not a ledger entry: .|^Expecting"):
        entry_from_json(text.replace(old, new))


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        (6, '"lost"', "17"),
        (0, '"0.06"', "17"),
        (0, f'"{FOX}"', "17"),
        (4, '"seed":42', '"seed":1.7'),
    ],
)
def test_the_wrong_value_is_told(line: int, old: str, new: str) -> None:
    """The error quotes the value, so that a person finds it in the line."""
    told = new.rpartition(":")[2]
    with pytest.raises(ValueError, match=f"^not a ledger entry: {told}$"):
        entry_from_json(list(LINES)[line].replace(old, new))


@pytest.mark.parametrize(
    ("line", "old", "new", "entry"),
    [
        (6, "true", "1", replace(lost(), charged=False)),
        (
            4,
            '"seed":42',
            '"seed":null',
            replace(DESCRIBED, receipt=replace(DESCRIBED.receipt, seed=None)),
        ),
        (4, '"a fox"', "null", replace(DESCRIBED, receipt=replace(DESCRIBED.receipt, prompt=None))),
        (4, '"0.05"', "null", replace(DESCRIBED, receipt=replace(DESCRIBED.receipt, cost=None))),
        (1, '64,"format":"png"', '64.5,"format":null,"seed":true,"x":1', {}),
        (1, '"width"', '"seed":3,"height"', {"height": 64, "format": "png", "seed": 3}),
    ],
)
def test_what_an_entry_may_leave_open(
    line: int, old: str, new: str, entry: Entry | dict[str, Json]
) -> None:
    """An unknown value is read as none, and what is not understood of an order is left out."""
    known = entry_from_json(list(LINES)[line].replace(old, new))

    assert known == entry or (isinstance(known, Intended) and known.expected == entry)
