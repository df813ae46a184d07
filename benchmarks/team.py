"""What a clone with an empty home costs a team: requests to its store, and seconds.

    python benchmarks/team.py                         # 1,000 pictures, 20 ms a request
    python benchmarks/team.py --pictures 100 --milliseconds 0

One machine buys everything from the simulator and shares it; the clone has the lock and nothing else. The store is
a folder that is served here, and waits with each answer as a bucket of the same region does.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from shots import selling, written
from table import FLUX2BUILD, Run, machine, markdown, timed

from flux2build.sharing.contract import Access, Backend, Listed, kind_of
from flux2build.sharing.keys import space_of
from flux2build.sharing.listening import base_url, listening
from flux2build.sharing.server import Site, running


class Counted:
    """A backend that counts what it is asked, and waits before it answers."""

    keeps_bytes = True

    def __init__(self, backend: Backend, seconds: float) -> None:
        self._backend, self._seconds = backend, seconds
        self.calls = Counter[str]()

    def _count(self, call: str, key: str) -> None:
        self.calls[f"{call} {space_of(key)}"] += 1
        time.sleep(self._seconds)  # the round trip to a store far away

    def get(self, key: str) -> bytes | None:
        """The value of a key."""
        self._count("GET", key)
        return self._backend.get(key)

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        self._count("HEAD", key)
        return self._backend.has(key)

    def put(self, key: str, data: bytes) -> None:
        """Write a value."""
        self._count("PUT", key)
        self._backend.put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key."""
        self._count("PUT", key)
        return self._backend.create(key, data)

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether a key is created once."""
        return self._backend.creates_once(key, one, other)

    def delete(self, key: str) -> None:
        """Remove a value."""
        self._count("DELETE", key)
        self._backend.delete(key)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix."""
        return self._backend.list(prefix)

    def sweep(self, before: float) -> int:
        """Remove what is unfinished."""
        return self._backend.sweep(before)

    def at_once(self) -> AbstractContextManager[None]:
        """While this is open, answers may be those of its beginning."""
        return self._backend.at_once()


def main() -> None:
    """Fill a store, restore a clone from it, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--milliseconds", type=float, default=20)
    parser.add_argument("--side", type=int, default=512)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        lines = report(folder, asked.pictures, asked.milliseconds / 1000, asked.side)
        print("\n".join(lines))
    finally:
        shutil.rmtree(folder)


def report(folder: Path, count: int, seconds: float, side: int) -> Iterator[str]:
    """What each machine asks and how long it takes, as a table."""
    yield f"{count:,} pictures of {side} by {side} pixels, {seconds * 1000:g} ms a request ({machine()})"
    yield ""
    folder.joinpath("store").mkdir()
    url = folder.joinpath("store").as_uri()
    counted = Counted(kind_of(url).open(url, Access()), seconds)
    with listening("127.0.0.1", 0) as listener, running(Site(counted), listener):
        rows = list(_rows(folder, base_url("127.0.0.1", listener), counted, count, side))
    yield from markdown(("what", "requests", "of which", "took", "CPU", "peak"), rows)


def _rows(folder: Path, store: str, counted: Counted, count: int, side: int) -> Iterator[list[str]]:
    one, other = folder / "one", folder / "other"
    for clone in (one, other):
        clone.mkdir()
        written(clone, count, side, "bfl")
    with selling("--latency", "0") as user:
        environment = {**user, "FLUX2BUILD_STORE": store}
        for what, clone, words in (
            ("buying and sharing", one, ("build", "--yes", "--quiet")),
            ("`plan` of the clone", other, ("plan", "--quiet")),
            ("`build` of the clone", other, ("build", "--quiet")),
            ("`build` once more", other, ("build", "--quiet")),
        ):
            counted.calls.clear()
            home = {"FLUX2BUILD_HOME": str(clone.with_name(f"{clone.name}-home"))}
            run = timed([*FLUX2BUILD, *words], clone, environment | home)
            yield _row(what, counted.calls, run)
            if clone is one:
                shutil.copy(one / "assets.lock", other)


def _row(what: str, calls: Counter[str], run: Run) -> list[str]:
    parts = ", ".join(f"{number:,} {call}" for call, number in calls.most_common())
    took = f"{run.seconds:.1f} s"
    return [
        what,
        f"{calls.total():,}",
        parts or "-",
        took,
        f"{run.cpu:.1f} s",
        f"{run.peak:.0f} MiB",
    ]


if __name__ == "__main__":
    main()
