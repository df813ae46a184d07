"""Every fault, at every stage of every carrier: the exit code, the charges, and the way out.

Each cell is a real build through the command line, against a real server over
sockets. Then the fault ends, and the order is brought to its end: by itself,
or by what a person is told to do. FLUX2BUILD_DEEP=1 tries every model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle, groupby, product
from typing import Final

import httpx
import pytest

from flux2build.images.formats.lookup import examine
from tests.conftest import Site
from tests.matrix.carriers import CARRIERS, SECRET, SHORT, Carrier, Setup
from tests.matrix.faults import FAULTS, STUCK, Fault, Outcome

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
TIMES: Final = ("once", "always")
PLACES: Final = [(carrier, model) for carrier in CARRIERS for model in carrier.models]

Cell = tuple[Carrier, str, Fault, str]


def possible(carrier: Carrier, model: str, fault: Fault) -> bool:
    """Whether a fault can be met there at all."""
    return not fault.only or fault.only in carrier.traits(model)


def every() -> Iterator[Cell]:
    """All cells there are."""
    for carrier, model in PLACES:
        for fault in FAULTS:
            if possible(carrier, model, fault):
                yield from ((carrier, model, fault, times) for times in TIMES)


def some() -> Iterator[Cell]:
    """Each fault in one way to strike, at carriers and their models in turn."""
    places = {carrier.name: cycle(carrier.models) for carrier in CARRIERS}
    for stage, group in groupby(FAULTS, key=lambda fault: fault.stage):
        turn = cycle(
            product(CARRIERS, TIMES) if stage != "upload" else product(CARRIERS[2:3], TIMES)
        )
        for fault in group:
            fits = (
                (carrier, times)
                for carrier, times in turn
                if possible(carrier, carrier.models[0], fault)
            )
            carrier, times = next(fits)
            model = next(each for each in places[carrier.name] if possible(carrier, each, fault))
            yield carrier, model, fault, times


def _name(cell: Cell) -> str:
    carrier, model, fault, times = cell
    return f"{carrier.name}/{model.rpartition('/')[2]}-{fault.name}-{times}"


CELLS: Final = list(every() if DEEP else some())


def test_short_tier_meets_everything() -> None:
    """Even the short tier has every fault, every model, and every carrier at every stage, both ways."""
    cells = list(some())

    assert {fault for _, _, fault, _ in cells} == set(FAULTS)
    assert {(carrier, model) for carrier, model, _, _ in cells} == set(PLACES)
    assert {(carrier, fault.stage, times) for carrier, _, fault, times in cells} == {
        (carrier, fault.stage, times) for carrier, _, fault, times in every()
    }


@pytest.mark.parametrize("cell", CELLS, ids=_name)
def test_cell(
    cell: Cell, server: httpx.Client, empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build ends as the table says, and the order comes to its end for as many charges."""
    carrier, model, fault, times = cell
    expected = fault.expected(times, carrier.traits(model))
    setup = Setup(empty, server, carrier, model)
    setup.open(monkeypatch, large=fault.only == "uploads")
    setup.inject(fault, times)
    if fault.fault in {"hang", "slow"}:
        setup.configure(*SHORT)
    elif expected.exit:
        setup.configure("deadline")

    ran = setup.build()

    assert (ran.code, len(setup.charges)) == (expected.exit, expected.charges), ran.err
    assert expected.says in ran.err
    assert SECRET not in ran.out + ran.err
    setup.scenario()
    setup.configure()
    _bring_to_its_end(setup, expected)
    assert len(setup.charges) == expected.total
    assert examine(empty.folder.joinpath("fox.png").read_bytes()).fault is None
    assert empty.run("check").code == 0
    posts = [r for r in setup.requests if r["key"]]
    assert {r["stage"] for r in posts} <= {"submit", "poll", "upload"}


def _bring_to_its_end(setup: Setup, expected: Outcome) -> None:
    """Do what people are told to do, and build again."""
    if expected.end == "edit":
        assert setup.build().code == 3
        setup.site.edit("assets.toml", "a fox", "a red fox")
    elif expected.end != "build":
        if expected is STUCK:
            setup.configure("deadline")
        _settle(setup, expected)
    ran = setup.build()
    assert ran.code == 0, ran.err


def _settle(setup: Setup, expected: Outcome) -> None:
    """Nothing is sent again by itself; then a person settles it."""
    before = len(setup.charges)
    again = setup.build()
    assert (again.code, len(setup.charges)) == (expected.exit, before), again.err
    order, words = setup.order["order"], [expected.end]
    match expected.end:
        case "adopt":
            words = ["adopt", order, setup.charges[0]["id"]]
        case "take":
            words = ["adopt", order]
        case _:
            words = [expected.end, order]
    settled = setup.site.run("orders", *words)
    assert settled.code == 0, settled.err
