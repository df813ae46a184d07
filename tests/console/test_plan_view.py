"""A plan as people and programs read it: symbols, prices, changed fields, and one footer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.console import plan_view
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName, MasterOf, Recipe
from flux2build.planning.plan import Orphan, Plan, Pricer, Step, plan
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action, Verdict
from tests.golden import text
from tests.snapshots import PROFILE, d, deliverable, derived, generated, locked, master, snapshot

FOX = master("fox", "a red fox", width=64, seed=7)
FOX_ROW = generated(FOX)
CUT = deliverable("fox", "img/fox.webp")
LOCK = locked((FOX, FOX_ROW), (CUT, derived(CUT, [FOX_ROW.output.sha256])))


def price(low: str, high: str | None) -> Pricer:
    """Everything costs the same."""
    if high is None:
        return lambda _: None
    return lambda _: (Decimal(low), Decimal(high))


def planned(
    recipes: Sequence[Recipe], known: Snapshot | None = None, cost: Pricer | None = None
) -> Plan:
    """A plan for recipes."""
    return plan(recipes, known or snapshot(LOCK), cost or price("0", "0"))


def printed(plan: Plan, *, every: bool = False) -> str:
    """The lines of a plan as plain text."""
    return "".join(f"{line.plain}\n" for line in plan_view.lines(plan, every=every))


def asked(recipe: Recipe = FOX, **changes: Any) -> Recipe:
    """The recipe with its task changed."""
    return replace(recipe, task=replace(recipe.task, **changes))


@pytest.mark.parametrize(
    ("action", "codes", "mark"),
    [
        (Action.KEEP, [], " "),
        (Action.RENDER, ["never-rendered"], "+"),
        (Action.RENDER, ["never-rendered", "upstream-pending"], "+"),
        (Action.RENDER, ["prompt-changed"], "~"),
        (Action.RENDER, ["upstream-pending"], "?"),
        (Action.DERIVE, ["never-derived"], "v"),
        (Action.DERIVE, ["upstream-pending"], "?"),
        (Action.RESTORE, ["output-missing"], "="),
        (Action.ADOPT, ["never-rendered", "already-made"], "="),
        (Action.RESUME, ["in-flight"], ">"),
        (Action.ASK, ["in-doubt"], "!"),
    ],
)
def test_symbols(action: Action, codes: list[str], mark: str) -> None:
    """One character tells what is to be done, without any colour."""
    verdict = Verdict(action, tuple(Reason(ReasonCode(code), "x") for code in codes))

    assert plan_view.symbol(Step(FOX, verdict)) == mark


def test_lines() -> None:
    """One line for each asset and kind, prices behind, then one footer."""
    den = master("den", "a den", MasterOf(AssetName("fox")))
    plan = planned(
        [asked(prompt="a blue fox"), den, CUT, deliverable("fox", "img/2.webp", size=9)],
        cost=price("0.03", "0.045"),
    )
    left = Orphan(AssetName("a-very-long-name"), PROFILE, "img/old.png", d("old"))

    assert printed(replace(plan, orphans=(left,))) == text("""
        ~ fox               render   prompt changed  $0.03 to $0.045
            prompt a [-red-]{+blue+} fox
        ? fox               derive   follows its master
        v fox               derive   new deliverable
        + den               render   never rendered, waits for `fox`  $0.03 to $0.045
        - a-very-long-name  orphan   img/old.png

        Plan (draft): 2 to render, 2 to derive, 1 left over, 0 up to date. Price: $0.06 to $0.09.
        """)


def test_every_line() -> None:
    """With every file asked for, kept ones are listed too, each by its path."""
    assert printed(planned([FOX, CUT]), every=True) == (
        "  fox  keep     img/fox.png  \n"
        "  fox  keep     img/fox.webp  \n"
        "\n"
        "Up to date (draft): 2 files. Nothing to do.\n"
    )


def test_files_that_say_the_same_share_a_line() -> None:
    """Files of one asset with the same verdict are counted."""
    files = [deliverable("fox", f"img/{n}.webp", size=n) for n in range(3)]

    assert (
        printed(planned([FOX, *files])).splitlines()[0] == "v fox  derive 3 files  new deliverable"
    )


def test_unknown_prices() -> None:
    """An unknown price is printed in the line and in the footer."""
    out = printed(planned([FOX], snapshot(), price("0", None)))

    assert out == text("""
        + fox  render   never rendered  unknown price

        Plan (draft): 1 to render, 0 up to date. Price: unknown price.
        """)


def test_hostile_names() -> None:
    """A name or a prompt cannot steer the terminal."""
    odd = replace(asked(prompt="a \x1b[31mfox"), asset=AssetName("fo\u202ex"))
    row = generated(replace(FOX, asset=odd.asset))
    out = printed(planned([odd], snapshot(locked((odd, row)))))

    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"{+\u001b[31mfox+}" in out


def test_json_prices() -> None:
    """Prices are plain decimal strings, whatever the arithmetic made of them."""
    plan = planned([FOX], snapshot(), price("0E-9", "1E+1"))
    value: Any = plan_view.as_json(plan)

    assert (value["steps"][0]["price_min"], value["summary"]["price_max"]) == ("0.000000000", "10")


def test_json_of_unknown_prices() -> None:
    """An unknown price is null."""
    value: Any = plan_view.as_json(planned([FOX], snapshot(), price("0", None)))

    assert value["steps"][0]["price_max"] is None
    assert value["summary"]["price_max"] is None


@given(st.integers(0, 3), st.integers(0, 3))
def test_footers_count_everything(renders: int, keeps: int) -> None:
    """The numbers of the footer add up to the steps of the plan."""
    kept = [master(f"k{n}") for n in range(keeps)]
    lock = locked(*((r, generated(r)) for r in kept)) if kept else Lockfile()
    plan = planned([*kept, *(master(f"n{n}") for n in range(renders))], snapshot(lock))
    words = plan_view.footer(plan).plain

    if renders:
        assert f"{renders} to render" in words
        assert f"{keeps} up to date" in words
    else:
        assert words == f"Up to date (draft): {plan_view.counted(keeps)}. Nothing to do."
