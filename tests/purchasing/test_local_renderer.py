"""Sketches are drawn for nothing, a few at a time, and checked like anything that was bought."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flux2build.digest import Json, of_bytes
from flux2build.errors import DecisionError, HaltedError, IncompleteError
from flux2build.model import AssetName, Generate, MasterOf, Order, Recipe
from flux2build.providers.contract import Reference
from flux2build.providers.sketch import Sketch
from flux2build.purchasing.local_renderer import LocalRenderer
from flux2build.storage.store import Store
from tests.paid_provider import picture


def _order(**params: Json) -> Order:
    return Order("sketch", "a fox", params, ())


def _recipe(order: Order) -> Recipe:
    task = Generate("sketch", order.model, order.prompt, order.params)
    return Recipe(AssetName("fox"), task, (), "fox.png")


class FakeSketch(Sketch):
    """Draws a given picture, and notes how many orders hold their references at once."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = data
        self.loaded = self.most = 0

    def draw(self, order: Order, references: Sequence[Reference]) -> bytes:
        """The given picture, else a sketch."""
        self.most = max(self.most, self.loaded)
        self.loaded -= 1
        return self._data or super().draw(order, references)


def _renderer(
    tmp_path: Path, sketch: FakeSketch, slots: int = 2
) -> tuple[LocalRenderer, asyncio.Event]:
    halt = asyncio.Event()
    store = Store(tmp_path / "store")
    return LocalRenderer(sketch, store, asyncio.Semaphore(slots), halt), halt


def test_a_sketch_is_kept_for_nothing(tmp_path: Path) -> None:
    """Its bytes are in the store, and its receipt says that it cost nothing."""
    order = _order(width=32, height=16, format="png")

    async def draw() -> Any:
        renderer, _ = _renderer(tmp_path, FakeSketch())
        return await renderer.buy(order, _recipe(order), _nothing), renderer

    bought, renderer = asyncio.run(draw())

    assert of_bytes(renderer.store.get(bought.digest)) == bought.digest
    assert (bought.receipt.cost, bought.receipt.cost_source) == (0, "free")
    assert not renderer.unsettled(order.digest)


def test_a_sketch_of_the_wrong_size_is_not_kept(tmp_path: Path) -> None:
    """Even what is drawn here is compared with the order; nothing is kept of what fails."""
    order = _order(width=32, height=16)
    sketch = FakeSketch(picture((16, 16)))

    async def draw() -> LocalRenderer:
        renderer, _ = _renderer(tmp_path, sketch)
        with pytest.raises(DecisionError):
            await renderer.buy(order, _recipe(order), _nothing)
        return renderer

    renderer = asyncio.run(draw())

    assert list(renderer.store.digests()) == []


class Broken(FakeSketch):
    """Draws nothing."""

    def draw(self, order: Order, references: Sequence[Reference]) -> bytes:
        """Raise what nobody has thought of."""
        del order, references
        raise ZeroDivisionError


def test_what_cannot_be_drawn_names_what_it_was_drawn_of(tmp_path: Path) -> None:
    """Whatever the library raises is the failure of one asset, and names its inputs."""
    order = _order(width=16, height=16)
    recipe = replace(_recipe(order), inputs=(MasterOf(AssetName("owl")),))

    async def draw() -> None:
        renderer, _ = _renderer(tmp_path, Broken())
        await renderer.buy(order, recipe, _nothing)

    with pytest.raises(IncompleteError) as caught:
        asyncio.run(draw())

    assert caught.value.problems[0].rows == (("read", "`owl`"), ("library", "ZeroDivisionError"))


def test_orders_that_wait_hold_no_references(tmp_path: Path) -> None:
    """References are loaded when an order's turn has come: as many at once as there are slots."""
    sketch = FakeSketch()

    async def loading() -> Sequence[Reference]:
        sketch.loaded += 1
        return ()

    async def draw() -> None:
        renderer, _ = _renderer(tmp_path, sketch, slots=2)
        orders = [_order(width=16, height=16, seed=number) for number in range(12)]
        await asyncio.gather(*(renderer.buy(one, _recipe(one), loading) for one in orders))

    asyncio.run(draw())

    assert 1 <= sketch.most <= 2


def test_nothing_is_drawn_after_a_halt(tmp_path: Path) -> None:
    """An order that waits for its turn when the build is halted is not drawn."""
    order = _order(width=16, height=16)

    async def draw() -> None:
        renderer, halt = _renderer(tmp_path, FakeSketch())
        halt.set()
        with pytest.raises(HaltedError):
            await renderer.buy(order, _recipe(order), _nothing)

    asyncio.run(draw())


async def _nothing() -> Sequence[Reference]:
    return ()
