"""One function decides: which action, for which reasons, at which price of certainty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.ledger import RESUBMITTED, Delivered, Entry
from flux2build.lockfile import Generated, Lockfile
from flux2build.model import (
    AssetName,
    Derive,
    Generate,
    Input,
    MasterOf,
    Operation,
    Receipt,
    Recipe,
    Source,
)
from flux2build.planning.reason import Reason, ReasonCode, because
from flux2build.planning.snapshot import Snapshot, locked_pictures, locked_purchases
from flux2build.planning.verdict import Action, Verdict, judge
from tests.snapshots import (
    META,
    PROFILE,
    d,
    deliverable,
    delivered,
    derived,
    files_of,
    generated,
    intended,
    kept,
    locked,
    master,
    snapshot,
    ticketed,
    voided,
)

FOX = master(
    "fox", "a red fox", Source("refs/desk.jpg"), MasterOf(AssetName("den")), width=64, seed=7
)
INPUTS = (d("desk"), d("den picture"))
ROW = generated(FOX, INPUTS)
LOCK = locked((FOX, ROW))


def codes(verdict: Verdict) -> list[str]:
    """The reasons as JSON says them."""
    return [str(reason) for reason in verdict.reasons]


def judged(
    recipe: Recipe, inputs: Sequence[Digest | None] = INPUTS, seen: Snapshot | None = None
) -> tuple[str, list[str]]:
    """Action and reasons for a recipe, where the lock knows the fox."""
    verdict = judge(recipe, inputs, seen or snapshot(LOCK))
    return verdict.action.value, codes(verdict)


def asked(recipe: Recipe = FOX, **changes: Any) -> Recipe:
    """The recipe with its task changed."""
    return replace(recipe, task=replace(recipe.task, **changes))


def key(recipe: Recipe = FOX) -> Digest:
    """What the fox is ordered as."""
    found = judge(recipe, INPUTS, snapshot()).key
    assert found is not None
    return found


def test_kept() -> None:
    """File, lock and spec agree: nothing to do, for no reason."""
    verdict = judge(FOX, INPUTS, snapshot(LOCK))

    assert verdict == Verdict(Action.KEEP, (), ROW.key, ROW.output.sha256, ROW.receipt)


def test_new() -> None:
    """What the lock does not know was never rendered, or never derived."""
    assert judged(FOX, seen=snapshot()) == ("render", ["never-rendered"])
    assert judged(deliverable(), (d("x"),), snapshot()) == ("derive", ["never-derived"])


def test_profiles_are_apart() -> None:
    """What another profile holds is not this profile's, but its picture is adopted."""
    final = locked((FOX, ROW), profile="final")

    assert judged(FOX, seen=snapshot(final)) == ("adopt", ["never-rendered", "already-made"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"prompt": "a blue fox"}, ["prompt-changed"]),
        ({"model": "m2"}, ["model-changed"]),
        ({"take": 2}, ["take-changed"]),
        ({"params": {"width": 64, "seed": 8}}, ["seed-changed"]),
        ({"params": {"width": 64}}, ["seed-changed"]),
        ({"params": {"width": 80, "seed": 7}}, ["param-changed:width"]),
        ({"params": {"width": 64, "seed": 7, "steps": 9}}, ["param-added:steps"]),
        ({"params": {"seed": 7}}, ["param-removed:width"]),
        (
            {"prompt": "x", "model": "y", "params": {"height": 1, "width": 2, "seed": 3}},
            [
                "model-changed",
                "prompt-changed",
                "param-added:height",
                "seed-changed",
                "param-changed:width",
            ],
        ),
    ],
)
def test_changed_requests(change: dict[str, Any], expected: list[str]) -> None:
    """Every field of a request that changed is a reason of its own."""
    assert judged(asked(**change)) == ("render", expected)


def test_provider_is_not_asked() -> None:
    """The same order at another provider is the same picture."""
    assert judged(asked(provider="other")) == ("keep", [])


def test_params_are_compared_by_meaning() -> None:
    """The order in which parameters are written does not matter, nor how a number is."""
    task = FOX.task
    assert isinstance(task, Generate)
    turned = dict(reversed(list(task.params.items())))

    assert judged(asked(params=turned)) == ("keep", [])


@pytest.mark.parametrize(
    ("inputs", "now", "expected"),
    [
        (FOX.inputs, (d("desk!"), INPUTS[1]), ["ref-changed:refs/desk.jpg"]),
        (FOX.inputs, (INPUTS[0], d("den!")), ["upstream-changed:den"]),
        (FOX.inputs[::-1], INPUTS[::-1], ["ref-order-changed"]),
        (FOX.inputs[:1], INPUTS[:1], ["ref-removed:den"]),
        (FOX.inputs[1:], INPUTS[1:], ["ref-removed:refs/desk.jpg"]),
        ((*FOX.inputs, Source("c.png")), (*INPUTS, d("c")), ["ref-added:c.png"]),
        (
            (Source("new.jpg"), FOX.inputs[1]),
            (d("new"), INPUTS[1]),
            ["ref-added:new.jpg", "ref-removed:refs/desk.jpg"],
        ),
        (
            FOX.inputs,
            (d("desk!"), d("den!")),
            ["ref-changed:refs/desk.jpg", "upstream-changed:den"],
        ),
    ],
)
def test_changed_inputs(
    inputs: tuple[Source | MasterOf, ...], now: tuple[Digest, ...], expected: list[str]
) -> None:
    """Inputs are told apart: another content, another order, one more, one less."""
    assert judged(replace(FOX, inputs=inputs), now) == ("render", expected)


def test_moved_inputs_are_the_same() -> None:
    """An input is its bytes: another path does not change it."""
    moved = replace(FOX, inputs=(Source("elsewhere/desk.jpg"), FOX.inputs[1]))

    assert judged(moved) == ("keep", [])


def test_pending() -> None:
    """While an input is not made, the fox waits: perhaps there is nothing to do."""
    verdict = judge(FOX, (INPUTS[0], None), snapshot(LOCK))

    assert codes(verdict) == ["upstream-pending:den"]
    assert (verdict.action, verdict.key, verdict.certain) == (Action.RENDER, None, False)


def test_pending_and_changed() -> None:
    """What has changed for a reason of its own is made again whatever comes from upstream."""
    verdict = judge(asked(prompt="x"), (INPUTS[0], None), snapshot(LOCK))

    assert codes(verdict) == ["prompt-changed", "upstream-pending:den"]
    assert verdict.certain


def test_new_files_do_not_wait_for_their_own_master() -> None:
    """Only the reasons of a known deliverable say that it follows its master."""
    cut = deliverable()
    row = derived(cut, (d("x"),))

    assert judged(cut, (None,), snapshot()) == ("derive", ["never-derived"])
    verdict = judge(cut, (None,), snapshot(locked((cut, row))))
    assert because(cut, verdict.reasons) == "follows its master"


@pytest.mark.parametrize("there", [None, d("edited")])
def test_restored(there: Digest | None) -> None:
    """A missing or edited file comes back from the store."""
    files = {} if there is None else {FOX.output: there}
    seen = snapshot(LOCK, files, stored=[ROW.output.sha256])
    reason = "output-missing" if there is None else "output-modified"

    verdict = judge(FOX, INPUTS, seen)

    assert (verdict.action, codes(verdict)) == (Action.RESTORE, [reason])
    assert (verdict.bytes, verdict.receipt) == (ROW.output.sha256, ROW.receipt)


def test_lost() -> None:
    """A file whose bytes nobody has any more is rendered again, and derived again for nothing."""
    cut = deliverable()
    gone = snapshot(locked((cut, derived(cut, (d("x"),)))), {})

    assert judged(FOX, seen=snapshot(LOCK, {})) == ("render", ["output-missing"])
    assert judged(cut, (d("x"),), gone) == ("derive", ["output-missing"])


def pointing(stored: Sequence[Digest] = ()) -> Snapshot:
    """Git LFS did not fetch the fox."""
    seen = snapshot(LOCK, {FOX.output: d("pointer")}, stored=stored)
    return replace(seen, pointer=lambda path: path == FOX.output)


def test_pointers_are_never_bought_again() -> None:
    """A Git LFS pointer is told apart; its picture is paid for, and known to what it is made into."""
    verdict = judge(FOX, INPUTS, pointing())

    assert (verdict.action, codes(verdict)) == (Action.ASK, ["output-pointer"])
    assert verdict.bytes == ROW.output.sha256
    assert judged(FOX, seen=pointing([ROW.output.sha256])) == ("restore", ["output-pointer"])


def test_moved() -> None:
    """A picture with another output is moved, wherever its bytes are."""
    moved = replace(FOX, output="img/new.png")
    both = snapshot(LOCK, {**files_of(LOCK), "img/new.png": ROW.output.sha256})

    assert judged(moved) == ("restore", [f"output-moved:{FOX.output}"])
    assert judged(moved, seen=both) == ("restore", [f"output-moved:{FOX.output}"])


def test_adopted_from_another_name() -> None:
    """A renamed asset finds its picture in the lock, with its receipt."""
    renamed = replace(FOX, asset=AssetName("vixen"), output="img/vixen.png")
    verdict = judge(renamed, INPUTS, snapshot(LOCK))

    assert (verdict.action, codes(verdict)) == (Action.ADOPT, ["never-rendered", "already-made"])
    assert (verdict.bytes, verdict.receipt) == (ROW.output.sha256, ROW.receipt)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("a red\r\nfox", "a red\nfox", ("adopt", ["prompt-changed", "already-made"])),
        ("a\r\nred\nfox", "a\nred\nfox", ("adopt", ["prompt-changed", "already-made"])),
        ("a red\r\nfox", "a blue\nfox", ("render", ["prompt-changed"])),
        ("a red\nfox", "a red\r\nfox", ("render", ["prompt-changed"])),
    ],
)
def test_line_ends_of_cells_buy_nothing_again(
    before: str, now: str, expected: tuple[str, list[str]]
) -> None:
    """A lock may be older than the rule that a cell's CRLF is read as LF: its picture is the same."""
    old = generated(asked(prompt=before), INPUTS)
    lock = locked((FOX, old))
    seen = replace(snapshot(lock), has=lambda _: True, pictures=locked_pictures(lock))

    assert judged(asked(prompt=now), seen=seen) == expected


def test_adopted_from_the_ledger() -> None:
    """A delivered order is adopted without any lock, as long as its bytes can be had."""
    entries = [intended(key()), ticketed(key()), delivered(key(), "bought")]

    assert judged(FOX, seen=snapshot(entries=entries, stored=[d("bought")])) == (
        "adopt",
        ["never-rendered", "already-made"],
    )


PAID: Final = locked(
    (FOX, replace(ROW, receipt=Receipt("fake", "task-1", Decimal("0.03"), "settled")))
)


def claimed(entries: Iterable[Entry] = ()) -> Snapshot:
    """What is seen by a machine that has a lock and no pictures."""
    return replace(snapshot(PAID, {}, entries), purchases=locked_purchases(PAID))


def resubmitted(task: str = "task-1") -> list[Entry]:
    """An order whose picture a person gave up."""
    return [
        intended(key()),
        delivered(key(), "bought", task=task),
        voided(key(), RESUBMITTED),
    ]


@pytest.mark.parametrize(
    ("seen", "lost"),
    [
        (snapshot(entries=[intended(key()), delivered(key(), "bought")]), d("bought")),
        (claimed(), ROW.output.sha256),
    ],
    ids=["ledger", "lock"],
)
def test_what_was_paid_for_is_not_bought_again(seen: Snapshot, lost: Digest) -> None:
    """If ledger or lock say so and the bytes are gone, a person decides; free ones are drawn."""
    verdict = judge(FOX, INPUTS, seen)

    assert (verdict.action, codes(verdict)[-1], verdict.bytes) == (Action.ASK, "paid-for", lost)
    assert judge(FOX, INPUTS, replace(seen, requested=frozenset({"fox"}))).action is Action.RENDER
    assert judge(FOX, INPUTS, replace(seen, buys=lambda _: False)).action is Action.RENDER


def test_nothing_is_bought_over_a_file_that_nobody_knows() -> None:
    """It may have been paid for before the lock was lost; known files cause no question."""
    there = snapshot(files={FOX.output: d("theirs")})
    delivery = delivered(key(asked(prompt="an owl")), "theirs")

    assert judged(FOX, seen=there) == ("ask", ["never-rendered", "output-unknown"])
    for known in (
        replace(there, locked_files=frozenset({d("theirs")})),
        snapshot(files=there.files, entries=[delivery]),
        replace(there, buys=lambda _: False),
        replace(there, requested=frozenset({"fox"})),
    ):
        assert judged(FOX, seen=known)[0] == "render"


def test_what_a_person_gave_up_is_bought_again() -> None:
    """Giving up settles this purchase in ledger and lock, but no other purchase."""
    anew = delivered(key(), "again", "2")

    assert judged(FOX, seen=snapshot(entries=resubmitted()))[0] == "render"
    assert judged(FOX, seen=claimed(resubmitted()))[0] == "render"
    assert judged(FOX, seen=claimed(resubmitted("task-2")))[0] == "ask"
    assert judged(FOX, seen=snapshot(entries=[*resubmitted(), anew]))[0] == "ask"
    assert judged(FOX, seen=snapshot(entries=resubmitted(), stored=[d("bought")]))[0] == "adopt"


def test_pending_orders_are_collected() -> None:
    """An order on its way was paid for: it is collected, also when it is asked for once more."""
    on_its_way = [intended(key()), ticketed(key())]
    wished = snapshot(LOCK, entries=on_its_way, requested=["fox"])

    assert judged(FOX, seen=snapshot(entries=on_its_way)) == (
        "resume",
        ["never-rendered", "in-flight"],
    )
    assert judged(FOX, seen=wished) == ("resume", ["in-flight"])


def test_the_lock_pins_bytes_whatever_the_ledger_says() -> None:
    """Another tree may buy the same order anew: what is locked and there, or at hand, stays."""
    on_its_way = [intended(key()), ticketed(key())]

    assert judged(FOX, seen=snapshot(LOCK, entries=on_its_way)) == ("keep", [])
    lost = snapshot(LOCK, {}, on_its_way, [d("picture of fox")])
    assert judged(FOX, seen=lost) == ("restore", ["output-missing"])


@pytest.mark.parametrize(
    ("again", "action", "code"),
    [
        ([intended(key(), "2"), ticketed(key(), "2")], "resume", "in-flight"),
        ([intended(key(), "2")], "ask", "in-doubt"),
        ([intended(key(), "2"), ticketed(key(), "2"), kept(key(), "2")], "ask", "kept-aside"),
        ([intended(key(), "2"), voided(key(), "credits", "2")], "adopt", "already-made"),
    ],
)
def test_what_is_bought_anew_goes_before_what_is_there(
    again: list[Entry], action: str, code: str
) -> None:
    """A forced purchase that a crash left open is seen to its end; the older picture is not it."""
    before = [intended(key()), ticketed(key()), delivered(key(), "bought")]
    seen = snapshot(entries=[*before, *again], stored=[d("bought")])

    assert judged(FOX, seen=seen) == (action, ["never-rendered", code])


def test_what_was_bought_anew_goes_before_a_twins_picture() -> None:
    """After a crash under `--force` the new picture is put in place, not the one of an asset alike."""
    twin = replace(FOX, asset=AssetName("vixen"), output="img/vixen.png")
    bought = Delivered(
        order=key(), output=d("new"), receipt=Receipt("fake"), attempt="2", asset="fox"
    )
    seen = snapshot(locked((twin, generated(twin, INPUTS))), entries=[bought], stored=[d("new")])

    assert judge(FOX, INPUTS, seen).bytes == d("new")
    assert judge(replace(FOX, asset=AssetName("owl")), INPUTS, seen).bytes != d("new")


def test_an_open_order_of_another_asset_asks_for_nothing_here() -> None:
    """What is at hand is adopted, though the same order is in doubt for somebody else."""
    before = [intended(key()), ticketed(key()), delivered(key(), "bought")]
    theirs = intended(key(), "2", "vixen")
    seen = snapshot(entries=[*before, theirs], stored=[d("bought")])

    assert judged(FOX, seen=seen) == ("adopt", ["never-rendered", "already-made"])


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([intended(key())], "in-doubt"),
        ([intended(key()), ticketed(key()), kept(key())], "kept-aside"),
        ([intended(key()), voided(key(), "content-moderated")], "moderated"),
        ([intended(key()), voided(key(), "request-moderated")], "moderated"),
    ],
)
def test_a_person_decides(entries: list[Entry], code: str) -> None:
    """What may be paid for already, or would be refused again, is not sent by itself."""
    assert judged(FOX, seen=snapshot(entries=entries)) == ("ask", ["never-rendered", code])
    assert judged(FOX, seen=snapshot(LOCK, entries=entries)) == ("keep", [])


def test_an_order_that_only_others_tell_of_is_for_a_person() -> None:
    """An order that a claim or the lock has and the ledger does not is not sent again."""
    seen = replace(snapshot(), unrecorded=key().__eq__)

    assert judged(FOX, seen=seen) == ("ask", ["never-rendered", "unrecorded"])
    assert judged(asked(prompt="an owl"), seen=seen) == ("render", ["never-rendered"])


@pytest.mark.parametrize("refusal", ["failed", "credits", "unreachable", "written-off"])
def test_refused_orders_are_sent_again(refusal: str) -> None:
    """A refusal that another try may not meet stops nothing."""
    entries = [intended(key()), voided(key(), refusal)]

    assert judged(FOX, seen=snapshot(entries=entries)) == ("render", ["never-rendered"])


def test_requested() -> None:
    """What is asked for is rendered although it is current, and nothing else is."""
    assert judged(FOX, seen=snapshot(LOCK, requested=["fox"])) == ("render", ["requested"])
    assert judged(FOX, seen=snapshot(LOCK, requested=["den"])) == ("keep", [])
    waiting = judge(FOX, (INPUTS[0], None), snapshot(LOCK, requested=["fox"]))
    assert (codes(waiting), waiting.certain) == (["requested"], True)


def test_requested_deliverables_follow_their_picture() -> None:
    """Asking for an asset renders its picture; its files are made again only if it came out other."""
    cut = deliverable()
    row = derived(cut, (d("x"),))

    assert judged(cut, (d("x"),), snapshot(locked((cut, row)), requested=["fox"])) == ("keep", [])


def test_requested_but_perhaps_paid_for() -> None:
    """Asking does not overrule a doubt about money; it does overrule moderation."""
    doubt = snapshot(LOCK, entries=[intended(key())], requested=["fox"])
    refused = snapshot(
        LOCK, entries=[intended(key()), voided(key(), "content-moderated")], requested=["fox"]
    )

    assert judged(FOX, seen=doubt) == ("ask", ["requested", "in-doubt"])
    assert judged(FOX, seen=refused) == ("render", ["requested"])


def test_words_beside_the_picture_never_render() -> None:
    """Other tags, alt text or title are told, and the picture is kept."""
    name = AssetName("fox")
    seen = snapshot(LOCK)

    assert judged(FOX, seen=replace(seen, metas={name: META})) == ("keep", [])
    assert judged(FOX, seen=replace(seen, metas={name: d("new")})) == ("keep", ["meta-changed"])


def test_changed_derivations() -> None:
    """Operations and encodings are told apart, and cost nothing."""
    cut = deliverable()
    seen = snapshot(locked((cut, derived(cut, (d("x"),)))))
    task = cut.task
    assert isinstance(task, Derive)
    newer = (Operation("crop", 2, task.ops[0].params),)

    assert judged(deliverable(size=9), (d("x"),), seen) == ("derive", ["ops-changed"])
    assert judged(asked(cut, ops=newer), (d("x"),), seen) == ("derive", ["ops-changed"])
    jpeg = asked(cut, encoding={"format": "jpeg"})
    assert judged(jpeg, (d("x"),), seen) == ("derive", ["encoding-changed"])
    assert judged(cut, (d("y"),), seen) == ("derive", ["upstream-changed:fox"])


def test_other_rules_of_keying() -> None:
    """A row that says the same under another key was recorded by other rules."""
    odd = locked((FOX, replace(ROW, key=d("older rules"))))

    assert judged(FOX, seen=snapshot(odd)) == ("render", ["key-schema"])


def test_every_reason_has_a_sentence() -> None:
    """Each code reads as a phrase, with its subject where it has one."""
    for code in ReasonCode:
        reason = Reason(code, "hero" if "{}" in code.phrase else "")
        assert reason.sentence == code.phrase.format("hero")
        assert not reason.sentence.endswith(".")
        assert str(reason) == (f"{code}:hero" if "{}" in code.phrase else code)


def test_known() -> None:
    """Everything the lock holds is found by the key it was made for, in whatever profile."""
    cut = deliverable()
    row = derived(cut, (ROW.output.sha256,))
    both = locked((FOX, ROW), (cut, row), profile="final")

    assert {key: found.output for key, found in locked_pictures(both).items()} == {
        ROW.key: ROW.output.sha256,
        row.key: row.output.sha256,
    }


_DIGESTS = st.sampled_from([None, d("a"), d("b")])
_PARAMS = st.dictionaries(
    st.sampled_from(["width", "seed", "steps"]), st.integers(0, 2), max_size=3
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Recipe, tuple[Digest | None, ...], Snapshot]:
    """Any recipe, before any lock, files, ledger and store."""
    sources: list[Input] = [Source("r.png"), MasterOf(AssetName("den"))]
    inputs = tuple(draw(st.lists(st.sampled_from(sources), max_size=2, unique=True)))
    recipe = master("fox", draw(st.sampled_from("pq")), *inputs, **draw(_PARAMS))
    digests = tuple(draw(_DIGESTS) for _ in inputs)
    lock = Lockfile()
    if draw(st.booleans()):
        older = master("fox", draw(st.sampled_from("pq")), *inputs, **draw(_PARAMS))
        then = [draw(st.sampled_from([d("a"), d("b")])) for _ in inputs]
        lock = locked((older, generated(older, then)))
    ready = judge(recipe, digests, snapshot()).key
    entries: list[Entry] = []
    if ready is not None:
        possible = [
            intended(ready),
            ticketed(ready),
            delivered(ready, "bought"),
            voided(ready, "content-moderated"),
        ]
        entries = possible[: draw(st.integers(0, 4))]
    there = draw(st.sampled_from([None, "picture of fox", "edited"]))
    files = {recipe.output: d(there)} if there else {}
    stored = draw(st.lists(st.sampled_from([d("picture of fox"), d("bought")])))
    wished = draw(st.sampled_from([(), ("fox",)]))
    return recipe, digests, snapshot(lock, files, entries, stored, wished)


@given(situations())
def test_verdicts_are_sound(
    situation: tuple[Recipe, tuple[Digest | None, ...], Snapshot],
) -> None:
    """Kept means agreed; free means at hand; rendered means neither known nor doubtful."""
    recipe, inputs, seen = situation
    verdict = judge(recipe, inputs, seen)
    block = seen.lock.block(recipe.asset, PROFILE)
    row: Generated | None = block.generated if block else None

    assert verdict == judge(recipe, inputs, seen)
    match verdict.action:
        case Action.KEEP:
            assert row is not None
            assert (row.key, seen.files[recipe.output]) == (verdict.key, row.output.sha256)
        case Action.RESTORE | Action.ADOPT:
            assert verdict.bytes is not None
            assert seen.has(verdict.bytes)
        case Action.RESUME:
            assert verdict.key in seen.ledger.pending
        case Action.RENDER:
            assert verdict.reasons
            if "fox" not in seen.requested:
                assert verdict.key not in seen.ledger.doubts
                bought = seen.ledger.delivered.get(verdict.key) if verdict.key else None
                assert bought is None or not seen.has(bought.output)
        case Action.ASK:
            assert verdict.key is not None
        case Action.DERIVE:
            raise AssertionError(verdict)


def test_another_encoder_is_no_drift_until_asked() -> None:
    """A file that an older encoder wrote is current; asked to, it is made again, for nothing."""
    cut = deliverable()
    row = derived(cut, (d("x"),))
    seen = snapshot(locked((cut, replace(row, encoder="pillow 1"))))
    form = row.output.format

    assert judged(cut, (d("x"),), seen) == ("keep", [])
    asked_for = replace(seen, encoders={form: "pillow 2"})
    assert judged(cut, (d("x"),), asked_for) == ("derive", ["encoder-changed:pillow 1"])
    assert judged(cut, (d("x"),), replace(seen, encoders={form: "pillow 1"})) == ("keep", [])
    assert judged(cut, (d("x"),), replace(seen, encoders={"other": "pillow 2"})) == ("keep", [])
