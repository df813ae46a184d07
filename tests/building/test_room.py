"""What is done at the same time fits into memory."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.building.deriving import OnThisMachine
from flux2build.building.room import Room
from flux2build.images.derive import File, Job, no_networks
from flux2build.model import Derive

SIZE = 100


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3)), max_size=20))
def test_no_more_is_taken_than_there_is_and_everyone_gets_a_turn(
    wants: list[tuple[int, int]],
) -> None:
    """However much each wants, and however long, the sum stays within the room and all of them end."""
    held, most, turns = 0, 0, list[int]()

    async def use(room: Room, number: int, size: int, steps: int) -> None:
        nonlocal held, most
        async with room.taken(size):
            turns.append(number)
            held += min(size, SIZE)
            most = max(most, held)
            for _ in range(steps):
                await asyncio.sleep(0)
            held -= min(size, SIZE)

    async def all_of_them() -> None:
        room = Room(SIZE)
        users = [use(room, number, *want) for number, want in enumerate(wants)]
        async with asyncio.timeout(5):
            await asyncio.gather(*users)

    asyncio.run(all_of_them())
    assert most <= SIZE
    assert turns == sorted(turns) == list(range(len(wants)))


def test_what_fails_gives_its_room_back() -> None:
    """After an error or a cancellation there is as much room as before."""

    async def all_of_them() -> None:
        room = Room(SIZE)
        with pytest.raises(ZeroDivisionError):
            async with room.taken(SIZE):
                1 / 0  # noqa: B018 - it is to fail
        async with asyncio.timeout(5), room.taken(SIZE):
            waiting = asyncio.ensure_future(room.taken(1).__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5), room.taken(SIZE):
            pass

    asyncio.run(all_of_them())


@pytest.mark.parametrize(("pictures", "patience"), [(1, 0.2), (2, 30)])
def test_files_are_derived_of_as_many_pictures_as_fit(pictures: int, patience: float) -> None:
    """Two are in work at once where there is room for two, and only there."""
    data, met = io.BytesIO(), list[int]()
    Image.new("RGB", (20, 10), "teal").save(data, "png")
    jobs = [Job(Derive((), {"format": "png"}), (data.getvalue(),))]
    meeting = threading.Barrier(2)

    def run(work: Callable[[int], File], indices: Iterable[int]) -> list[File]:
        with suppress(threading.BrokenBarrierError):
            met.append(meeting.wait(patience))
        return [work(index) for index in indices]

    async def all_of_them() -> None:
        here = OnThisMachine({}, run, no_networks, pictures * 4 * 20 * 10)
        await asyncio.gather(here.derive(jobs), here.derive(jobs))

    asyncio.run(all_of_them())
    assert len(met) == (2 if pictures == 2 else 0)
