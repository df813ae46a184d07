"""The turns of orders: how many are prepared, pending and arriving at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from flux2build.purchasing.http.turns import Turns

STEPS = st.tuples(*[st.integers(0, 5)] * 3, st.integers(0, 30))
"""How many rounds of the loop an order takes in each stage, and after how many it is given up."""


async def _rounds(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@given(st.integers(1, 3), st.lists(STEPS, max_size=12))
def test_each_stage_has_as_many_places(places: int, orders: Sequence[tuple[int, ...]]) -> None:
    """However long each order takes, and wherever one is given up; in the end all are free again."""
    now, most = Counter[str](), Counter[str]()

    async def stage(name: str, rounds: int) -> None:
        now[name] += 1
        most[name] = max(most[name], now[name])
        try:
            await _rounds(rounds)
        finally:
            now[name] -= 1

    async def one(turns: Turns, prepared: int, pending: int, arriving: int) -> None:
        async with turns.turn() as turn:
            await stage("prepared", prepared)
            await turn.pend()
            await turn.pend()
            await stage("pending", pending)
            await turn.arrive()
            await stage("arriving", arriving)

    async def every() -> None:
        turns = Turns(places)
        tasks = [asyncio.ensure_future(one(turns, *steps)) for *steps, _ in orders]
        for task, (*_, patience) in zip(tasks, orders, strict=True):
            if patience < 20:
                asyncio.get_running_loop().call_soon(task.cancel)
                await _rounds(patience)
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(5):
            await asyncio.gather(*(one(turns, 1, 1, 1) for _ in range(2 * places)))

    asyncio.run(every())

    assert not now.total()
    assert all(most[name] <= places for name in ("prepared", "pending", "arriving"))


def test_an_order_is_pending_until_its_picture_has_room() -> None:
    """Where pictures are kept more slowly than they are made, no more are ordered."""

    async def one_after_the_other() -> list[bool]:
        turns, seen = Turns(1), list[bool]()
        async with turns.turn() as first:
            await first.pend()
            await first.arrive()
            async with turns.turn() as second:
                await second.pend()
                ready = asyncio.ensure_future(second.arrive())
                await _rounds(3)
                async with turns.turn() as third:
                    sent = asyncio.ensure_future(third.pend())
                    await _rounds(3)
                    seen += [ready.done(), sent.done()]
                    first.end()
                    await _rounds(3)
                    seen += [ready.done(), sent.done()]
        return seen

    assert asyncio.run(one_after_the_other()) == [False, False, True, True]
