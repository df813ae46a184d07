"""Where pictures come from: what arrives is held against what was ordered; comps are drawn for nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.digest import Json, of_bytes
from flux2build.errors import DecisionError, HaltedError
from flux2build.images.decode import PictureError
from flux2build.ledger import fold
from flux2build.ledger.journal import Journal
from flux2build.model import AssetName, Generate, Order, Recipe
from flux2build.providers.contract import Ready, Reference
from flux2build.providers.sketch import Sketch
from flux2build.purchasing.local_renderer import LocalRenderer, same_seed, verify
from flux2build.storage.store import Store

FORMATS: Final = ("png", "jpeg", "webp")
SIDES: Final = st.sampled_from([16, 17, 32])


def _picture(width: int, height: int, form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, form)
    return file.getvalue()


def _order(**params: Json) -> Order:
    return Order("sketch", "a fox", params, ())


def _recipe(order: Order) -> Recipe:
    task = Generate("sketch", order.model, order.prompt, order.params)
    return Recipe(AssetName("fox"), task, (), "fox.png")


SHAPES: Final = st.fixed_dictionaries(
    {}, optional={"width": SIDES, "height": SIDES, "format": st.sampled_from(FORMATS)}
)


@given(SHAPES, SIDES, SIDES, st.sampled_from(FORMATS))
def test_a_picture_is_what_was_ordered_or_a_person_decides(
    ordered: dict[str, Json], width: int, height: int, form: str
) -> None:
    """Exactly what was asked for is compared: size and format, and nothing that was left open."""
    came = {"width": width, "height": height, "format": form}
    wrong = [name for name, value in ordered.items() if came[name] != value]
    order = _order(**ordered)

    if not wrong:
        verify(order, _recipe(order), _picture(width, height, form))
        return
    with pytest.raises(DecisionError) as error:
        verify(order, _recipe(order), _picture(width, height, form))
    (problem,) = error.value.problems
    assert sorted(name for name, _ in problem.rows) == sorted(wrong)
    assert all(f"{came[name]}, ordered {ordered[name]}" == text for name, text in problem.rows)


@given(st.integers(1, 200))
def test_a_picture_that_is_not_whole_is_none(cut: int) -> None:
    """However much of it is missing, half a picture is never taken for one."""
    data, order = _picture(32, 32, "png"), _order()

    with pytest.raises(PictureError):
        verify(order, _recipe(order), data[: max(0, len(data) - cut)])


@given(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3))
def test_another_seed_is_another_picture(ordered: int | None, told: int | None) -> None:
    """The seed counts where it was ordered and where the server tells it."""
    order = _order() if ordered is None else _order(seed=ordered)
    ready = Ready("https://example.com/x.png", seed=told)

    if None in {ordered, told} or ordered == told:
        same_seed(order, _recipe(order), ready)
    else:
        with pytest.raises(DecisionError):
            same_seed(order, _recipe(order), ready)


class Easel(Sketch):
    """Draws what it is told, and notes how many drew at once."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = data
        self.loaded = self.most = 0

    def draw(self, order: Order, references: Sequence[Reference]) -> bytes:
        """The picture that was handed in, else a comp."""
        self.most = max(self.most, self.loaded)
        self.loaded -= 1
        return self._data or super().draw(order, references)


def _studio(tmp_path: Path, easel: Easel, slots: int = 2) -> tuple[LocalRenderer, asyncio.Event]:
    halt = asyncio.Event()
    store, journal = Store(tmp_path / "store"), Journal(tmp_path / "ledger.jsonl")
    return LocalRenderer(easel, store, journal, "site", asyncio.Semaphore(slots), halt), halt


def test_a_comp_is_kept_and_noted_for_nothing(tmp_path: Path) -> None:
    """Its bytes are in the store, and the ledger knows that it cost nothing."""
    order = _order(width=32, height=16, format="png")

    async def draw() -> Any:
        studio, _ = _studio(tmp_path, Easel())
        return await studio.buy(order, _recipe(order), _nothing), studio

    bought, studio = asyncio.run(draw())

    assert of_bytes(studio.store.get(bought.digest)) == bought.digest
    assert (bought.receipt.cost, bought.receipt.cost_source) == (0, "free")
    assert fold(studio.journal.read()).delivered[order.digest].output == bought.digest
    assert not studio.unsettled(order.digest)


def test_a_comp_of_the_wrong_size_is_not_kept(tmp_path: Path) -> None:
    """Even what is drawn here is held against the order; nothing is noted of what fails."""
    order = _order(width=32, height=16)
    easel = Easel(_picture(16, 16, "png"))

    async def draw() -> LocalRenderer:
        studio, _ = _studio(tmp_path, easel)
        with pytest.raises(DecisionError):
            await studio.buy(order, _recipe(order), _nothing)
        return studio

    studio = asyncio.run(draw())

    assert list(studio.store.digests()) == []
    assert studio.journal.read() == []


def test_orders_that_wait_hold_no_references(tmp_path: Path) -> None:
    """References are loaded when an order's turn has come: as many at once as there are slots."""
    easel = Easel()

    async def loading() -> Sequence[Reference]:
        easel.loaded += 1
        return ()

    async def draw() -> None:
        studio, _ = _studio(tmp_path, easel, slots=2)
        orders = [_order(width=16, height=16, seed=number) for number in range(12)]
        await asyncio.gather(*(studio.buy(one, _recipe(one), loading) for one in orders))

    asyncio.run(draw())

    assert 1 <= easel.most <= 2


def test_nothing_is_drawn_after_a_halt(tmp_path: Path) -> None:
    """Who waits for a turn when the build is halted gets none."""
    order = _order(width=16, height=16)

    async def draw() -> None:
        studio, halt = _studio(tmp_path, Easel())
        halt.set()
        with pytest.raises(HaltedError):
            await studio.buy(order, _recipe(order), _nothing)

    asyncio.run(draw())


async def _nothing() -> Sequence[Reference]:
    return ()
