"""The laws that every backend of a team's store keeps, each against a real place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from flux2build import digest
from flux2build.sharing.contract import Backend
from flux2build.sharing.keys import Space, key_of, most
from tests.sharing.places import Place

ORDER = digest.of_bytes(b"order")
CLAIM = key_of(Space.CLAIMS, ORDER)
RECEIPT = key_of(Space.ORDERS, ORDER)
PICTURE = os.urandom(300_000)
BYTES = key_of(Space.BYTES, digest.of_bytes(PICTURE))
STRANGE = (
    *("", "cas/", "cas/00", f"{CLAIM}0", f"other/{'0' * 64}", f"cas/../claims/{'0' * 64}"),
    *(f"/{CLAIM}", f"cas/{'A' * 64}", f"{CLAIM}\n", f"cas/{'0' * 62}%2e", f"{CLAIM}?x"),
)


def values(backend: Backend) -> dict[str, tuple[bytes, bytes]]:
    """Two values of a key of each space that a backend has; bytes are always those of their digest."""
    some = {CLAIM: (b"first", PICTURE[: most(CLAIM)]), RECEIPT: (b"first", PICTURE)}
    return some | ({BYTES: (PICTURE, PICTURE)} if backend.keeps_bytes else {})


def test_absent(backend: Backend) -> None:
    """An empty place has no keys, which is not an error."""
    for key in values(backend):
        assert backend.get(key) is None
        assert not backend.has(key)
        backend.delete(key)
    assert [listed for space in Space for listed in backend.list(f"{space}/")] == []


def test_put(place: Place) -> None:
    """What was written last is read by every client, byte for byte."""
    writer, reader = place.open(), place.open()
    for key, (first, second) in values(writer).items():
        writer.put(key, first)
        writer.put(key, second)
        assert reader.has(key)
        assert reader.get(key) == second


def test_create(place: Place) -> None:
    """A value is created once, and stays; once deleted it can be created again."""
    one, other = place.open(), place.open()
    for key, (first, second) in values(one).items():
        assert one.create(key, first)
        assert not other.create(key, second)
        assert other.get(key) == first
        other.delete(key)
        assert one.get(key) is None
        assert other.create(key, second)
        assert one.get(key) == second


def test_one_winner(place: Place) -> None:
    """Exactly one of 20 clients can create a key at once, and its value is the one that is read."""
    clients = [place.open() for _ in range(20)]
    with ThreadPoolExecutor(20) as threads:
        names = [b"client %d" % number for number in range(20)]
        creating = [
            threads.submit(client.create, CLAIM, name)
            for client, name in zip(clients, names, strict=True)
        ]
        won = [each.result() for each in creating]

    assert won.count(True) == 1
    assert clients[0].get(CLAIM) == names[won.index(True)]


CREATING: Final = """
import os
from flux2build.sharing import exchanges
from flux2build.sharing.contract import Access, kind_of

exchanges._usual()  # what takes long is done once, before there are twenty
ready, start = os.pipe(), os.pipe()
children = []
for number in range(20):
    if not (child := os.fork()):
        access = Access(lambda name: os.environ.get(name, ""))
        backend = kind_of(os.environ["STORE"]).open(os.environ["STORE"], access)
        os.close(start[1])
        os.write(ready[1], b".")
        os.read(start[0], 1)
        os._exit(backend.create(os.environ["KEY"], b"client %d" % number))
    children.append(child)
for _ in children:
    os.read(ready[0], 1)
os.close(start[1])
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""
"""Twenty processes that create one key at the same moment."""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_one_winner_among_processes(place: Place) -> None:
    """Exactly one of 20 processes can create a key at once."""
    environment = {**os.environ, **place.environment, "STORE": place.url, "KEY": CLAIM}
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", CREATING],
        env={**environment, "PYTHONPATH": root},
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    won: list[int] = json.loads(ended.stdout)

    assert sorted(won) == [0] * 19 + [1], ended.stderr
    assert place.open().get(CLAIM) == b"client %d" % won.index(1)


def test_whole_or_absent(place: Place) -> None:
    """Whoever reads while others write sees one of the values, whole, or none yet."""
    several = {bytes([letter]) * 200_000 for letter in b"abcd"}
    clients = [place.open() for _ in several]
    with ThreadPoolExecutor(8) as threads:
        writing = [
            threads.submit(client.put, RECEIPT, value)
            for client, value in zip(clients, several, strict=True)
        ]
        seen = {place.open().get(RECEIPT) for _ in range(10)}
        for each in writing:
            each.result()

    assert seen <= {None, *several}
    assert place.open().get(RECEIPT) in several


def test_list(backend: Backend) -> None:
    """Every key is listed once, in its space only, with its size."""
    orders = [digest.of_bytes(b"%d" % number) for number in range(12)]
    for order in orders:
        backend.put(key_of(Space.CLAIMS, order), b"claimed")
    backend.put(RECEIPT, b"receipt")

    listed = list(backend.list(f"{Space.CLAIMS}/"))

    assert sorted(each.key for each in listed) == sorted(
        key_of(Space.CLAIMS, order) for order in orders
    )
    assert {each.size for each in listed} == {len(b"claimed")}


def test_keys(backend: Backend) -> None:
    """Nothing outside of the three spaces is read, written or removed."""
    calls: tuple[Callable[[str], object], ...] = (
        *(backend.get, backend.has, backend.delete),
        *(lambda key: backend.put(key, b""), lambda key: backend.create(key, b"")),
    )
    for key, call in product(STRANGE, calls):
        with pytest.raises(ValueError, match="no key"):
            call(key)
