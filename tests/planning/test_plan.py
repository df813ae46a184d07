"""The plan: verdicts in order, with prices, shared orders, and orphans."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from flux2build.lockfile import Lockfile
from flux2build.model import AssetName, MasterOf, Recipe, Source
from flux2build.planning.plan import Inputs, Plan, orphans, plan, pruned
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action
from tests.snapshots import (
    PROFILE,
    d,
    deliverable,
    derived,
    files_of,
    generated,
    intended,
    locked,
    master,
    snapshot,
)

FOX = master("fox")
DEN = master("den", "a den", MasterOf(AssetName("fox")))
CUT = deliverable("den", "img/den.webp")
ZERO = Decimal(0)
WHOLE = (FOX, DEN, CUT)
FOX_ROW = generated(FOX)
DEN_ROW = generated(DEN, [FOX_ROW.output.sha256])
CUT_ROW = derived(CUT, [DEN_ROW.output.sha256])
LOCK = locked((FOX, FOX_ROW), (DEN, DEN_ROW), (CUT, CUT_ROW))


def dear(_: Recipe) -> tuple[Decimal, Decimal] | None:
    """Everything costs between three and five cents."""
    return Decimal("0.03"), Decimal("0.05")


def planned(recipes: Sequence[Recipe], seen: Snapshot) -> Plan:
    """The plan at that price."""
    return plan(recipes, seen, dear)


def actions(made: Plan) -> list[str]:
    """What is to be done, step by step."""
    return [step.verdict.action.value for step in made.steps]


def test_clean() -> None:
    """Where everything agrees there is no drift and no price."""
    made = planned(WHOLE, snapshot(LOCK))

    assert (actions(made), made.drift, made.todo) == (["keep"] * 3, False, ())
    assert (made.low, made.high) == (ZERO, ZERO)


def test_first() -> None:
    """The first plan renders everything; what waits for a new picture is certain all the same."""
    made = planned(WHOLE, snapshot())

    assert actions(made) == ["render", "render", "derive"]
    assert (made.low, made.high) == (Decimal("0.06"), Decimal("0.10"))
    assert made.counts == {Action.RENDER: 2, Action.DERIVE: 1}


def test_uncertain_steps_make_a_range() -> None:
    """What only waits for a picture may turn out unnecessary: it counts for the most, not the least."""
    edited = master("fox", "a blue fox")
    made = planned((edited, DEN, CUT), snapshot(LOCK))

    assert [step.verdict.certain for step in made.steps] == [True, False, False]
    assert (made.low, made.high) == (Decimal("0.03"), Decimal("0.10"))


def test_unknown_prices() -> None:
    """One unknown price makes the whole price unknown, the certain part excepted."""
    made = plan(WHOLE, snapshot(), lambda recipe: dear(recipe) if recipe == FOX else None)

    assert (made.low, made.high) == (Decimal("0.03"), None)


def test_only_renders_are_priced() -> None:
    """Nobody is asked for the price of what is free."""
    asked: list[Recipe] = []

    def price(recipe: Recipe) -> tuple[Decimal, Decimal]:
        asked.append(recipe)
        return Decimal(1), Decimal(1)

    plan(WHOLE, snapshot(LOCK, {}, stored=[FOX_ROW.output.sha256, DEN_ROW.output.sha256]), price)
    assert asked == []


def test_doubts_are_priced_at_the_most() -> None:
    """A purchase in doubt may cost again, if a person decides so; it is never certain."""
    key = FOX_ROW.key
    made = planned((FOX,), snapshot(entries=[intended(key)]))

    assert actions(made) == ["ask"]
    assert (made.low, made.high) == (ZERO, Decimal("0.05"))


def test_pointers_cost_nothing() -> None:
    """A picture that Git LFS holds is paid for, and what is made of it is judged by the lock."""
    seen = snapshot(LOCK, {**files_of(LOCK), FOX.output: d("pointer")})
    made = planned(WHOLE, replace(seen, pointer=lambda path: path == FOX.output))

    assert actions(made) == ["ask", "keep", "keep"]
    assert (made.low, made.high) == (ZERO, ZERO)


def test_shared_orders() -> None:
    """Several assets with one order: the first pays, the others adopt."""
    same = tuple(replace(FOX, asset=AssetName(n), output=f"img/{n}.png") for n in "abc")
    made = planned(same, snapshot())

    assert actions(made) == ["render", "adopt", "adopt"]
    assert [str(r) for r in made.steps[2].verdict.reasons] == ["never-rendered", "same-order:a"]
    assert made.high == Decimal("0.05")


def test_shared_orders_that_wait() -> None:
    """Assets that will come to one order share it, though nobody knows its inputs yet."""
    twins = [replace(DEN, asset=AssetName(n), output=f"img/{n}.png") for n in ("den", "lair")]
    made = planned([FOX, *twins], snapshot())

    assert actions(made) == ["render", "render", "adopt"]
    assert made.low == Decimal("0.06")


def test_steps_remember_what_was() -> None:
    """A step carries the row of the lock, to show what changed."""
    made = planned((master("fox", "a blue fox"), DEN), snapshot(LOCK))

    assert [step.before for step in made.steps] == [FOX_ROW, DEN_ROW]


def test_inputs() -> None:
    """Bytes of inputs come from files and from masters; what is not there yet is unknown."""
    recipe = master("x", "p", Source("a.png"), Source("b.png"), MasterOf(AssetName("fox")))
    seen = snapshot(files={"a.png": d("a")})

    inputs = Inputs(seen.files)
    assert inputs.of(recipe) == (d("a"), None, None)
    inputs.note(master("fox", "p"), d("f"))
    assert inputs.of(recipe) == (d("a"), None, d("f"))


def left_over(
    recipes: Sequence[Recipe], lock: Lockfile, known: Sequence[str] = (PROFILE,)
) -> list[str]:
    """The paths that nobody wants any more."""
    return [o.path for o in orphans(recipes, lock.blocks.values(), frozenset(known), PROFILE)]


def test_orphans() -> None:
    """An asset or a deliverable that is gone leaves its files; nothing else is left over."""
    assert left_over(WHOLE, LOCK) == []
    assert left_over((FOX, DEN), LOCK) == ["img/den.webp"]
    assert left_over((FOX,), LOCK) == ["img/den.png", "img/den.webp"]


def test_orphans_of_profiles() -> None:
    """Another profile's files are its own, unless the spec has no such profile any more."""
    final = locked((FOX, FOX_ROW), profile="final")

    assert left_over((), final, [PROFILE, "final"]) == []
    assert left_over((), final) == ["img/fox.png"]


def test_paths_that_are_taken_over_are_not_left_over() -> None:
    """A file that another asset is to have now is wanted."""
    heir = replace(master("heir"), output="img/fox.png")

    assert left_over((heir,), locked((FOX, FOX_ROW))) == []


def test_moved_pictures_are_not_left_over() -> None:
    """A picture that moves is on its way, not left behind."""
    assert left_over((replace(FOX, output="img/new.png"),), locked((FOX, FOX_ROW))) == []


def test_pruned() -> None:
    """Pruning takes the rows of what is left over and nothing else; empty blocks go."""
    left = orphans((FOX, DEN), LOCK.blocks.values(), frozenset({PROFILE}), PROFILE)

    assert pruned(LOCK, left) == locked((FOX, FOX_ROW), (DEN, DEN_ROW))
    everything = orphans((), LOCK.blocks.values(), frozenset({PROFILE}), PROFILE)
    assert pruned(LOCK, everything).blocks == {}
    assert pruned(LOCK, ()) == LOCK
