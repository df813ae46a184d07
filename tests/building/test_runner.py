"""What the runner does beyond its laws: shared flights, moved files, failures, and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.building.report import Event, Report
from flux2build.building.runner import build
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Exit, Flux2BuildError, SystemFault
from flux2build.ledger import fold
from flux2build.model import Asset, AssetName, Bought, MasterOf, Order, Output, Recipe, Source
from flux2build.planning.graph import Graph
from flux2build.planning.plan import Plan, plan
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action
from tests.fakes import FakeWorld
from tests.snapshots import deliverable, intended, master, ticketed


def planned(recipes: Sequence[Recipe], snapshot: Snapshot) -> Plan:
    """What a build would do, at a price of one for each picture."""
    return plan(Graph(tuple(recipes)).ordered, snapshot, lambda _: (Decimal(1), Decimal(1)))


def metas_of(recipes: Sequence[Recipe], alt: str | None = None) -> Mapping[AssetName, Digest]:
    """The metadata digests of the assets that recipes belong to."""
    return {r.asset: Asset(r.asset, r.asset, {}, alt=alt).meta for r in recipes}


def built(
    recipes: Sequence[Recipe], world: FakeWorld, seen: Snapshot | None = None
) -> tuple[Report, list[Event]]:
    """Plan and build; what came of it, and what was told meanwhile."""
    now, events = replace(seen or world.look(), metas=metas_of(recipes)), list[Event]()
    agreed = planned(recipes, now)

    def tell(event: Event) -> None:
        if not event.begun:
            events.append(event)

    return asyncio.run(build(agreed, now, world, tell, world.halt)), events


def renamed(recipes: Sequence[Recipe], outputs: Sequence[str]) -> list[Recipe]:
    """The recipes with other outputs."""
    return [replace(r, output=path) for r, path in zip(recipes, outputs, strict=True)]


PATHS = [f"img/{n}.png" for n in "abcdefg"]


@given(
    st.permutations(PATHS),
    st.permutations(PATHS),
    st.integers(1, 5),
    st.sampled_from(["", "the same"]),
)
def test_outputs_may_change_places(
    before: list[str], after: list[str], count: int, prompt: str
) -> None:
    """However outputs are moved about, nothing is rendered, and every file is where it is wanted."""
    world = FakeWorld()
    recipes = [master(f"a{n}", prompt) for n in range(count)]
    old, new = renamed(recipes, before[:count]), renamed(recipes, after[:count])
    built(old, world)
    wanted = {r.asset: world.files[r.output] for r in old}
    world.renders.clear()

    built(new, world)

    assert world.renders == []
    assert world.files == {r.output: wanted[r.asset] for r in new}
    assert not planned(new, world.look()).drift


def test_edited_files_are_not_vacated() -> None:
    """What lies at an older path is removed only if it is the picture that moved away."""
    world = FakeWorld()
    fox = master("fox")
    built([fox], world)
    world.files[fox.output] = b"drawn over by hand"

    built(renamed([fox], ["img/new.png"]), world)

    assert world.files[fox.output] == b"drawn over by hand"
    assert world.files["img/new.png"].startswith(b"picture")


def test_files_of_assets_that_swap_are_derived_for_nothing() -> None:
    """Deliverables that trade places never call for bytes that were just overwritten."""
    world = FakeWorld()
    one, two = deliverable(path="img/1.webp", size=1), deliverable(path="img/2.webp", size=2)
    built([master(), one, two], world)
    swapped = [replace(one, output="img/2.webp"), replace(two, output="img/1.webp")]
    contents = [world.files["img/1.webp"], world.files["img/2.webp"]]

    report, _ = built([master(), *swapped], world)

    assert report.exit == 0
    assert [world.files["img/2.webp"], world.files["img/1.webp"]] == contents


def test_second_flight_is_an_adoption() -> None:
    """Only one of the assets that share an order is rendered; the others name it in their reasons."""
    world = FakeWorld()
    same = [replace(master(), asset=AssetName(n), output=f"img/{n}.png") for n in "abc"]

    report, _ = built(same, world)

    assert len(world.renders) == 1
    done = {recipe.asset: verdict for recipe, verdict in report.done}
    assert [done[AssetName(n)].action for n in "abc"] == ["render", "adopt", "adopt"]
    assert str(done[AssetName("c")].reasons[-1]) == "same-order:a"
    assert len(set(world.files.values())) == 1


def test_another_take_is_another_picture() -> None:
    """`take = 2` buys the same order once more."""
    world = FakeWorld()

    built([master("a"), master("b", take=2)], world)

    assert world.renders == ["a", "b"]
    assert world.files["img/a.png"] != world.files["img/b.png"]


def test_refused_flights_fail_everyone_on_board() -> None:
    """An order that is refused is refused once, and whoever shares it fails with it."""
    world = FakeWorld(refusing={"a"})
    same = [replace(master(), asset=AssetName(n), output=f"img/{n}.png") for n in "ab"]

    report, _ = built(same, world)

    assert {recipe.asset for recipe, _ in report.failures} == {"a", "b"}
    assert (world.renders, world.files) == ([], {})


def test_collected_orders() -> None:
    """An order on its way is collected, not bought, and says so."""
    world, fox = FakeWorld(), master("fox")
    snapshot = world.look()
    key = planned([fox], snapshot).steps[0].verdict.key
    assert key is not None
    on_its_way = replace(snapshot, ledger=fold([intended(key), ticketed(key)]))

    report, _ = built([fox], world, on_its_way)

    assert [verdict.action for _, verdict in report.done] == [Action.RESUME]
    assert planned([fox], on_its_way).high == 0
    assert fox.output in world.files


def test_doubts_block_and_are_told() -> None:
    """A purchase in doubt is not sent; what needs its picture waits, everything else is made."""
    world, fox = FakeWorld(), master("fox")
    den = master("den", "a den", MasterOf(AssetName("fox")))
    snapshot = world.look()
    key = planned([fox], snapshot).steps[0].verdict.key
    assert key is not None
    world.doubtful.add(key)
    report, events = built(
        [fox, den, master("owl")], world, replace(snapshot, ledger=fold([intended(key)]))
    )

    assert world.renders == ["owl"]
    assert [(r.asset, culprit) for r, culprit in report.blocked] == [("den", "fox")]
    assert report.exit is Exit.DECIDE
    messages = {e.recipe.asset: p.message for e in events for p in e.problems}
    assert messages == {
        "fox": "`fox` may have been bought",
        "den": "blocked, because `fox` was not made",
    }


def test_each_step_is_told_once() -> None:
    """Everything that happened is told, in the order in which it happened."""
    world = FakeWorld(refusing={"owl"})
    recipes = [master("fox"), deliverable("fox"), master("owl"), deliverable("owl", "img/owl.webp")]

    report, events = built(recipes, world)

    assert len(events) == len(recipes)
    assert {e.recipe.output for e in events if e.problems} == {"img/owl.png", "img/owl.webp"}
    assert [r.output for r, _ in report.done] == ["img/fox.png", "img/fox.webp"]


@dataclass
class Clumsy(FakeWorld):
    """A world that cannot write some paths, nor derive some files."""

    unwritable: set[str] = field(default_factory=set)
    underivable: set[str] = field(default_factory=set)

    async def place(self, path: str, data: bytes | Digest, vacated: str | None) -> Output:
        """Write a file, unless the disk says no."""
        if path in self.unwritable:
            raise SystemFault(f"cannot write `{path}`: disk full")
        return await super().place(path, data, vacated)

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files, unless they cannot be."""
        answers = await super().derive(recipes, inputs)
        wrong = Flux2BuildError("the picture is too small")
        return [
            wrong if r.output in self.underivable else data
            for r, data in zip(recipes, answers, strict=True)
        ]


def test_one_file_that_fails() -> None:
    """A file that cannot be derived fails alone; its siblings and its master are done."""
    world = Clumsy(underivable={"img/1.webp"})
    one, two = deliverable(path="img/1.webp", size=1), deliverable(path="img/2.webp", size=2)

    report, _ = built([master(), one, two], world)

    assert [r.output for r, _ in report.failures] == ["img/1.webp"]
    assert set(world.files) == {"img/fox.png", "img/2.webp"}
    assert report.exit is Exit.INCOMPLETE
    world.underivable.clear()
    assert [v.action for _, v in built([master(), one, two], world)[0].done if v.reasons] == [
        "derive"
    ]


@pytest.mark.parametrize("path", ["img/fox.png", "img/fox.webp"])
def test_a_disk_that_says_no(path: str) -> None:
    """What cannot be written is not entered in the lock, and what was bought is not bought again."""
    world = Clumsy(unwritable={path})

    report, _ = built([master(), deliverable()], world)

    assert report.exit is Exit.SYSTEM
    assert path not in str(world.locked)
    world.unwritable.clear()
    assert built([master(), deliverable()], world)[0].exit == 0
    assert world.renders == ["fox"]


def test_sources_that_disappear() -> None:
    """A source that is gone since the plan fails its asset, in words."""
    world = FakeWorld(sources={"refs/buyer.jpg": b"buyer"})
    recipe = master("fox", "p", Source("refs/buyer.jpg"))
    agreed = planned([recipe], world.look())
    world.sources.clear()

    report = asyncio.run(build(agreed, world.look(), world, lambda _: None, world.halt))

    assert [str(f) for _, f in report.failures] == ["`refs/buyer.jpg` disappeared while building"]


def test_words_beside_the_picture() -> None:
    """Other alt text is entered in the lock, with no effect on any file."""
    world, recipes = FakeWorld(), [master(), deliverable()]
    built(recipes, world)
    before, old = dict(world.files), world.locked.block(AssetName("fox"), "default")
    metas = metas_of(recipes, alt="A fox")
    snapshot = replace(world.look(), metas=metas)
    agreed = planned(recipes, snapshot)

    asyncio.run(build(agreed, snapshot, world, lambda _: None, world.halt))

    new = world.locked.block(AssetName("fox"), "default")
    assert old is not None
    assert new == replace(old, meta=metas[AssetName("fox")])
    assert (world.files, len(world.renders), len(world.derives)) == (before, 1, 1)


def test_a_lock_that_stays_is_not_written() -> None:
    """A build that changes nothing leaves the lock's file alone."""
    world = FakeWorld()
    built([master()], world)
    world.fuse = 0

    report, _ = built([master()], world)

    assert [verdict.action for _, verdict in report.done] == [Action.KEEP]


def test_taken_over_paths() -> None:
    """An asset that takes over the file of a gone one takes over its row."""
    world = FakeWorld()
    built([master("old")], world)

    built([replace(master("heir", "an owl"), output="img/old.png")], world)

    assert [name for name, _ in world.locked.blocks] == ["heir"]


def test_failures_do_not_wait_for_each_other() -> None:
    """The gravest of several outcomes decides the exit code."""
    codes = {Exit.BUDGET, Exit.DECIDE, Exit.SYSTEM, Exit.INCOMPLETE, Exit.USAGE}
    for code in codes:
        report = Report()
        for each in (Exit.INCOMPLETE, code):
            error = Flux2BuildError("no")
            error.exit = each
            report.failures.append((master(), error))
        assert report.exit is (Exit.INCOMPLETE if code is Exit.USAGE else code)


class Gate(FakeWorld):
    """A world whose pictures are finished only when a number of them is under way."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.together, self.flying, self.most = together, 0, 0
        self.ready: asyncio.Event | None = None

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Wait for the others."""
        self.ready = self.ready or asyncio.Event()
        self.flying += 1
        self.most = max(self.most, self.flying)
        if self.flying == self.together:
            self.ready.set()
        await self.ready.wait()
        return await super().buy(order, recipe)


def test_everything_that_can_be_made_is_made_at_once() -> None:
    """Assets that do not need each other are under way together; providers keep their own limits."""
    world = Gate(together=5)

    built([master(f"a{n}", f"p{n}") for n in range(5)], world)

    assert world.most == 5


class InTurn(FakeWorld):
    """A world whose pictures are finished in a given order."""

    def __init__(self, assets: Sequence[str]) -> None:
        super().__init__()
        self.turns = {asset: asyncio.Event() for asset in [*assets, "nobody"]}
        self.turns[assets[0]].set()
        self.after = dict(pairwise(self.turns))

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Wait for those before."""
        await self.turns[recipe.asset].wait()
        try:
            return await super().buy(order, recipe)
        finally:
            self.turns[self.after[recipe.asset]].set()


@given(st.permutations("abcdef"))
def test_what_comes_first_changes_no_list(finished: list[str]) -> None:
    """A report lists what was planned, in that order, whichever picture was finished first."""
    world = InTurn(finished)
    world.refusing = {"b", "e"}
    needing = [master(f"{asset}2", "", MasterOf(AssetName(asset))) for asset in "be"]

    report, _ = built([*(master(asset, f"p{asset}") for asset in "abcdef"), *needing], world)

    assert [recipe.asset for recipe, _ in report.done] == [*"acdf"]
    assert [recipe.asset for recipe, _ in report.failures] == [*"be"]
    assert [recipe.asset for recipe, _ in report.blocked] == ["b2", "e2"]


@given(st.permutations([("fox", Decimal(2)), ("owl", Decimal(1)), ("owl", Decimal(3))]))
def test_costs_follow_the_plan(charged: list[tuple[str, Decimal]]) -> None:
    """Whichever order was charged first, those of an asset that no plan names come last."""
    report = Report()

    report.charge([("hen", Decimal(9)), *charged], Decimal(0), ["owl", "fox"])

    assert [f"{asset} {cost}" for asset, cost in report.costs] == [
        "owl 1",
        "owl 3",
        "fox 2",
        "hen 9",
    ]


def test_interruption_keeps_what_is_done() -> None:
    """When the build is cancelled, what came out is in the lock, and flights are landed."""
    landed: list[str] = []

    class Slow(FakeWorld):
        async def buy(self, order: Order, recipe: Recipe) -> Bought:
            if recipe.asset != "owl":
                return await super().buy(order, recipe)
            try:
                await asyncio.Event().wait()
            finally:
                landed.append(recipe.asset)
            raise AssertionError

    world, recipes = Slow(), [master("fox"), master("owl")]

    async def interrupted() -> None:
        done = asyncio.Event()

        def ended(event: Event) -> None:
            if not event.begun:
                done.set()

        snapshot = replace(world.look(), metas=metas_of(recipes))
        work = build(planned(recipes, snapshot), snapshot, world, ended, world.halt)
        running = asyncio.ensure_future(work)
        await done.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupted())

    assert landed == ["owl"]
    assert [name for name, _ in world.locked.blocks] == ["fox"]
    assert of_bytes(world.files["img/fox.png"]) in str(world.locked)


@dataclass
class Startled(FakeWorld):
    """A world in which a library raises something odd wherever `img/odd…` is touched."""

    stage: str = "derive"

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Sell a picture, unless a library raises."""
        self._startle("buy", recipe.output)
        return await super().buy(order, recipe)

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files, unless a library raises."""
        self._startle("derive", recipes[0].output)
        return await super().derive(recipes, inputs)

    async def place(self, path: str, data: bytes | Digest, vacated: str | None) -> Output:
        """Write a file, unless a library raises."""
        self._startle("place", path)
        return await super().place(path, data, vacated)

    def _startle(self, stage: str, path: str) -> None:
        if stage == self.stage and path.startswith("img/odd"):
            raise TypeError("Missing dimensions")


@pytest.mark.parametrize("stage", ["derive", "place"])
def test_one_broken_picture_of_eight(stage: str) -> None:
    """Whatever a library raises for one picture, the other seven are made, locked and kept."""
    world = Startled(stage=stage)
    names = ["odd", *"abcdefg"]
    recipes = [
        recipe
        for name in names
        for recipe in (master(name), deliverable(name, path=f"img/{name}.webp"))
    ]

    report, _ = built(recipes, world)

    assert report.exit is Exit.INCOMPLETE
    assert {asset for asset, _ in world.locked.blocks} >= set("abcdefg")
    assert {f"img/{name}.{form}" for name in "abcdefg" for form in ("png", "webp")} <= set(
        world.files
    )
    (failure,) = [failure for _, failure in report.failures]
    (problem,) = failure.problems
    assert "`img/odd." in problem.message
    assert ("library", "TypeError: Missing dimensions") in problem.rows


def test_a_bug_while_buying_ends_the_build() -> None:
    """It is not the failure of one picture: with the bug, no more money is put at risk."""
    world = Startled(stage="buy")

    with pytest.raises(ExceptionGroup) as caught:
        built([master("odd"), master("fox")], world)

    assert caught.group_contains(TypeError, match="Missing dimensions")
