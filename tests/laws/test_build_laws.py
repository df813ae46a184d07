"""The laws of building, over random graphs, edits, refusals and power cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from flux2build.building.report import Report
from flux2build.building.runner import build
from flux2build.digest import Digest
from flux2build.errors import Exit
from flux2build.model import (
    About,
    Asset,
    AssetName,
    Derive,
    Generate,
    Input,
    MasterOf,
    Operation,
    OutputOf,
    Recipe,
    Source,
    Write,
)
from flux2build.planning.graph import Graph
from flux2build.planning.plan import Plan, plan
from flux2build.planning.verdict import Action
from tests.fakes import FakeWorld, PowerCutError


class Wanted(Struct, frozen=True):
    """A small spec: prompts, who refers to whom, which source, how many files."""

    prompts: tuple[str, ...]
    refs: tuple[frozenset[int], ...]
    files: tuple[int, ...]
    told: bool = True
    """Whether there are documents: one about each asset's files, and one about all of them."""
    alt: str = ""

    def recipes(self) -> tuple[Recipe, ...]:
        """The recipes that the spec comes to."""
        recipes = []
        for n, prompt in enumerate(self.prompts):
            name, inputs = self.name(n), [MasterOf(self.name(m)) for m in sorted(self.refs[n])]
            sources: list[Input] = [Source("brand.png")] if n % 3 == 0 else []
            task = Generate("fake", "m", prompt, {"seed": n})
            recipes.append(Recipe(name, task, (*inputs, *sources), f"{name}.png"))
            for size in range(self.files[n]):
                crop = Derive((Operation("crop", 1, {"size": size}),), {"format": "webp"})
                recipes.append(Recipe(name, crop, (MasterOf(name),), f"{name}-{size}.webp"))
        if not self.told:
            return tuple(recipes)
        own = [self.document(self.name(n), recipes) for n in range(len(self.prompts))]
        whole = self.document(AssetName("all.json"), recipes)
        return (whole, *own, *recipes)  # a spec may declare them in any order

    def document(self, owner: AssetName, recipes: Sequence[Recipe]) -> Recipe:
        """A document about an asset's files and what they show, or about all files."""
        files = [recipe for recipe in recipes if recipe.asset == owner] or recipes
        inputs: list[Input] = [OutputOf(recipe.asset, recipe.output) for recipe in files]
        inputs += [MasterOf(files[0].asset), Source("brand.png")]
        about = tuple(About(owner, str(source), alt=self.alt) for source in inputs)
        path = owner if owner.endswith(".json") else f"{owner}.json"
        return Recipe(owner, Write("list", 1, {}, about), tuple(inputs), path)

    @staticmethod
    def name(number: int) -> AssetName:
        """The name of an asset by its number."""
        return AssetName(f"a{number}")

    def metas(self) -> Mapping[AssetName, Digest]:
        """The metadata digest of every asset."""
        names = [*(self.name(n) for n in range(len(self.prompts))), AssetName("all.json")]
        return {name: Asset(name, name, {}).meta for name in names}


@st.composite
def specs(draw: st.DrawFn) -> Wanted:
    """Specs of up to seven assets, each referring to earlier ones only."""
    count = draw(st.integers(1, 7))
    prompts = draw(st.lists(st.sampled_from("pqrs"), min_size=count, max_size=count))
    refs = [
        draw(st.frozensets(st.integers(0, n - 1), max_size=2)) if n else frozenset[int]()
        for n in range(count)
    ]
    files = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    told = draw(st.booleans())
    return Wanted(tuple(f"{p}{n}" for n, p in enumerate(prompts)), tuple(refs), tuple(files), told)


def fresh(*, steady: bool = False) -> FakeWorld:
    """A world with one source and nothing made."""
    return FakeWorld(sources={"brand.png": b"brand"}, steady=steady)


def planned(wanted: Wanted, world: FakeWorld, requested: frozenset[str] = frozenset()) -> Plan:
    """What a build would do."""
    order = Graph(wanted.recipes()).ordered
    return plan(order, world.look(requested), lambda _: (Decimal(1), Decimal(1)))


def built(wanted: Wanted, world: FakeWorld, requested: frozenset[str] = frozenset()) -> Report:
    """Plan and build."""
    agreed = planned(wanted, world, requested)
    snapshot = replace(world.look(requested), metas=wanted.metas())
    return asyncio.run(build(agreed, snapshot, world, lambda _: None, world.halt))


def edited(wanted: Wanted, number: int) -> Wanted:
    """The spec with one prompt changed."""
    prompts = [f"{p}!" if n == number else p for n, p in enumerate(wanted.prompts)]
    return replace(wanted, prompts=tuple(prompts))


def below(wanted: Wanted, number: int) -> set[AssetName]:
    """An asset and everything that is made of its picture."""
    reached = {number}
    for n in range(number + 1, len(wanted.prompts)):
        if wanted.refs[n] & reached:
            reached.add(n)
    return {wanted.name(n) for n in reached}


@given(specs())
def test_second_build_does_nothing(wanted: Wanted) -> None:
    """After a build, a plan has nothing to do and a build has no effect."""
    world = fresh()
    built(wanted, world)
    effects = (list(world.renders), list(world.derives), list(world.writes), world.locked)

    report = built(wanted, world)

    assert not planned(wanted, world).drift
    assert {verdict.action for _, verdict in report.done} == {Action.KEEP}
    assert (world.renders, world.derives, world.writes, world.locked) == effects


@given(specs(), st.data())
def test_exactly_the_descendants_of_an_edit_are_made_again(
    wanted: Wanted, data: st.DataObject
) -> None:
    """An edited prompt remakes its asset and everything made of it, nothing else."""
    world = fresh()
    built(wanted, world)
    world.renders.clear()
    number = data.draw(st.integers(0, len(wanted.prompts) - 1))

    built(edited(wanted, number), world)

    assert set(world.renders) == below(wanted, number)
    assert len(world.renders) == len(set(world.renders))


@given(specs(), st.data())
def test_identical_upstream_leaves_its_users_alone(wanted: Wanted, data: st.DataObject) -> None:
    """Early cut-off: an asset rendered again to the same bytes remakes nobody else."""
    world = fresh(steady=True)
    built(wanted, world)
    world.renders.clear()
    world.derives.clear()
    world.writes.clear()
    number = data.draw(st.integers(0, len(wanted.prompts) - 1))

    built(wanted, world, frozenset({wanted.name(number)}))

    assert world.renders == [wanted.name(number)]
    assert world.derives == []
    assert world.writes == []


@given(specs(), st.data())
def test_done_was_planned(wanted: Wanted, data: st.DataObject) -> None:
    """A build never does to a file what its plan did not announce for it."""
    world = fresh()
    built(wanted, world)
    change = edited(wanted, data.draw(st.integers(0, len(wanted.prompts) - 1)))
    announced = {s.recipe.output: s.verdict.action for s in planned(change, world).steps}

    report = built(change, world)

    for recipe, verdict in report.done:
        cheaper = {Action.KEEP, Action.ADOPT, announced[recipe.output]}
        assert verdict.action in cheaper, recipe.output


@given(specs(), st.data())
def test_reverting_an_edit_renders_nothing(wanted: Wanted, data: st.DataObject) -> None:
    """Back to what was paid for already: the old pictures come back, nothing is bought."""
    world = fresh()
    built(wanted, world)
    before = dict(world.files)
    built(edited(wanted, data.draw(st.integers(0, len(wanted.prompts) - 1))), world)
    world.renders.clear()

    built(wanted, world)

    assert world.renders == []
    assert world.files == before


@given(specs())
def test_renaming_assets_renders_nothing(wanted: Wanted) -> None:
    """A new name is not a new picture."""
    world = fresh()
    built(wanted, world)
    world.renders.clear()

    class Renamed(Wanted, frozen=True):
        @staticmethod
        def name(number: int) -> AssetName:
            return AssetName(f"other{number}")

    built(Renamed(wanted.prompts, wanted.refs, wanted.files, wanted.told), world)

    assert world.renders == []


@settings(max_examples=60)
@given(specs(), st.lists(st.integers(0, 25), max_size=6))
def test_power_cuts_never_buy_twice(wanted: Wanted, cuts: list[int]) -> None:
    """However often the power is cut at whatever effect, each order is bought once."""
    world = fresh()
    for cut in cuts:
        world.fuse = cut
        try:
            built(wanted, world)
        except BaseExceptionGroup:
            world.renders = list(world.renders)
        except PowerCutError:
            pass
    world.fuse = None

    report = built(wanted, world)

    assert not report.exit
    assert not planned(wanted, world).drift
    assert sorted(world.renders) == sorted({wanted.name(n) for n in range(len(wanted.prompts))})


@given(specs(), st.data())
def test_failure_blocks_descendants_only(wanted: Wanted, data: st.DataObject) -> None:
    """A refused asset blocks what is made of it; everything else is finished."""
    number = data.draw(st.integers(0, len(wanted.prompts) - 1))
    world = fresh()
    world.refusing.add(wanted.name(number))

    report = built(wanted, world)

    assert {r.asset for r, _ in report.failures} == {wanted.name(number)}
    assert report.exit == 3
    done = {recipe.asset for recipe, _ in report.done} - {"all.json"}
    assert done == {wanted.name(n) for n in range(len(wanted.prompts))} - below(wanted, number)
    world.refusing.clear()
    assert not built(wanted, world).exit


@given(specs(), st.data())
def test_exactly_the_documents_about_an_edited_file_are_written_again(
    wanted: Wanted, data: st.DataObject
) -> None:
    """A document is written again when a file it tells of changed, and never otherwise."""
    wanted = replace(wanted, told=True)
    world = fresh()
    built(wanted, world)
    before = dict(world.files)
    number = data.draw(st.integers(0, len(wanted.prompts) - 1))

    built(edited(wanted, number), world)

    changed = {path for path in before if before[path] != world.files[path]}
    texts = {f"{name}.json" for name in below(wanted, number)} | {"all.json"}
    assert {path for path in changed if path.endswith(".json")} == texts


@given(specs())
def test_other_words_write_documents_and_nothing_else(wanted: Wanted) -> None:
    """What is said beside the pixels writes texts again; no picture is touched."""
    wanted = replace(wanted, told=True)
    world = fresh()
    built(wanted, world)
    before, writes = dict(world.files), len(world.writes)
    world.renders.clear()
    world.derives.clear()

    report = built(replace(wanted, alt="A fox"), world)

    assert not report.exit
    assert (world.renders, world.derives) == ([], [])
    assert len(world.writes) == 2 * writes
    changed = {path for path in before if before[path] != world.files[path]}
    assert changed == {path for path in before if path.endswith(".json")}


@given(specs(), st.data())
def test_a_lost_document_is_written_again(wanted: Wanted, data: st.DataObject) -> None:
    """A document that was deleted or edited by hand comes back, and nothing else is made."""
    wanted = replace(wanted, told=True)
    world = fresh()
    built(wanted, world)
    before = dict(world.files)
    path = data.draw(st.sampled_from(sorted(p for p in before if p.endswith(".json"))))
    if data.draw(st.booleans()):
        world.files[path] = b"edited by hand"
    else:
        del world.files[path]
    world.renders.clear()
    world.derives.clear()

    built(wanted, world)

    assert world.files == before
    assert (world.renders, world.derives) == ([], [])


def test_same_order_is_bought_once() -> None:
    """Two assets with one recipe share one picture, and the plan says so."""
    world, one = fresh(), Generate("fake", "m", "a fox", {})
    recipes = tuple(Recipe(AssetName(n), one, (), f"{n}.png") for n in "ab")
    agreed = plan(recipes, world.look(), lambda _: (Decimal(1), Decimal(1)))
    metas = {AssetName(n): Asset(AssetName(n), n, {}).meta for n in "ab"}
    snapshot = replace(world.look(), metas=metas)

    asyncio.run(build(agreed, snapshot, world, lambda _: None, world.halt))

    assert [step.verdict.action for step in agreed.steps] == [Action.RENDER, Action.ADOPT]
    assert agreed.high == 1
    assert len(world.renders) == 1
    assert world.files["a.png"] == world.files["b.png"]


@given(specs(), st.integers(0, 7))
def test_an_interrupted_build_is_finished_by_the_next_one(wanted: Wanted, patience: int) -> None:
    """A stopped build keeps its files, and the next build makes only the rest."""
    world = fresh()
    whole = fresh()
    built(wanted, whole)
    world.patience = patience
    world.lose_patience()

    report = built(wanted, world)
    renders = list(world.renders)
    world.patience = None
    world.halt.clear()
    again = built(wanted, world)

    assert report.interrupted == (len(report.done) < len(wanted.recipes()))
    assert report.exit is (Exit.INTERRUPTED if report.interrupted else Exit.DONE)
    assert not report.failures
    assert not report.blocked
    assert again.exit is Exit.DONE
    assert not planned(wanted, world).drift
    assert sorted(world.renders) == sorted(whole.renders)
    assert world.renders[: len(renders)] == renders


@st.composite
def twins(draw: st.DrawFn) -> Wanted:
    """Specs in which prompts repeat, so that assets may come to one order."""
    wanted = draw(specs())
    prompts = draw(
        st.lists(st.sampled_from("pq"), min_size=len(wanted.prompts), max_size=len(wanted.prompts))
    )

    class Twins(Wanted, frozen=True):
        def recipes(self) -> tuple[Recipe, ...]:
            return tuple(
                replace(r, task=replace(r.task, params={})) if isinstance(r.task, Generate) else r
                for r in super().recipes()
            )

    return Twins(tuple(prompts), wanted.refs, wanted.files)


@given(twins(), st.data())
def test_nothing_is_bought_beyond_the_plan(wanted: Wanted, data: st.DataObject) -> None:
    """Renders are at most as many as planned, never two of one order, and each is told once."""
    world = fresh()
    for spec in (wanted, edited(wanted, data.draw(st.integers(0, len(wanted.prompts) - 1)))):
        bought, agreed = len(world.renders), planned(spec, world)
        orders = len(world.bought)

        report = built(spec, world)

        renders = [verdict for _, verdict in report.done if verdict.action is Action.RENDER]
        assert len(renders) == len(world.renders) - bought == len(world.bought) - orders
        assert agreed.high is not None
        assert agreed.low <= len(renders) <= agreed.high
        assert not planned(spec, world).drift
