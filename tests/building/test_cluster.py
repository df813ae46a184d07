"""Files that a cluster derives are the same, and a worker that dies loses none of them."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import distributed
import pytest
from distributed.client import FutureCancelledError
from msgspec import structs
from PIL import Image, UnidentifiedImageError

from flux2build.building.cluster import Cluster
from flux2build.building.cluster_task import (
    LIBRARIES,
    Absent,
    Answer,
    Files,
    Part,
    Work,
    derived,
    versions,
)
from flux2build.building.on_cluster import Derivation
from flux2build.building.report import GoneError
from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.images.derive import Job, derive_many
from flux2build.images.ops import OPS
from flux2build.model import Derive, Operation
from flux2build.session.cluster_worker import work
from tests.conftest import Ran, Site
from tests.snapshots import deliverable

# Dask leaves files and sockets for the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

MASTERS = 9
"""More than are begun at once, so that Ctrl-C leaves some."""
SPEC = "".join(
    f"""
[asset.pic{number}]
source = "{number}.png"

[[asset.pic{number}.deliver]]
path = "{number}-{{{{ width }}}}.{{{{ format }}}}"
widths = [64, 128, 300]
formats = ["webp", "jpeg", "png"]
"""
    for number in range(MASTERS)
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler with two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as started:
        yield started


@pytest.fixture
def site(empty: Site) -> Site:
    """Some photos, of which many files are to be derived."""
    ramp = Image.linear_gradient("L")
    for number in range(MASTERS):
        parts = (ramp, ramp.rotate(90), ramp.rotate(40 * number))
        Image.merge("RGB", parts).resize((640, 480)).save(empty.folder / f"{number}.png")
    empty.write("assets.toml", SPEC)
    return empty


def no_work(*_parts: object) -> None:
    """Nothing: a part of a worker that is not asked for."""


@dataclass
class Desk:
    """A scheduler with one worker, which does the work itself, and notes what it was sent."""

    far: dict[Digest, bytes] = field(default_factory=dict)
    """What its worker can read in the team's store."""
    sent: list[tuple[Part, ...]] = field(default_factory=list)
    nthreads: int = 1
    """Without any, nothing is ever done."""
    lost: Exception | None = None
    """What becomes of each task."""
    scheduler: Any = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = self

    async def identity(self) -> dict[str, Any]:
        """What there is."""
        return {"workers": {"tcp://b:2": {"nthreads": self.nthreads, "resources": {}}}}

    def submit(self, task: Any, wanted: Any, *parts: Part, **_how: Any) -> asyncio.Future[Answer]:
        """Do a task at once."""
        self.sent.append(parts)
        answer: asyncio.Future[Answer] = asyncio.Future()
        if self.lost:
            answer.set_exception(self.lost)
        elif self.nthreads:
            answer.set_result(Answer(task(wanted, *parts), "tcp://b:2", versions()))
        return answer

    async def cancel(self, futures: Sequence[asyncio.Future[Answer]], **_how: Any) -> None:
        """Forget tasks."""
        for future in futures:
            future.cancel()

    def derive(self, files: Files, *parts: Part) -> object:
        """Derive, with bytes of the store where they were not sent."""
        data = [part if isinstance(part, bytes) else self.far.get(part) for part in parts]
        if None in data:
            return Absent("sha256:absent")
        return derived(files, [each for each in data if each is not None])

    def cluster(self, *, mixed: bool = False) -> Cluster:
        """A cluster of this desk, for whose build the team's store has everything."""
        work = Work(self.derive, no_work, no_work, no_work)
        return Cluster(self, "tcp://a:1", mixed, work, shared=lambda _digest: True)


@pytest.mark.parametrize("reads", [True, False])
def test_what_is_large_comes_from_the_teams_store(reads: bool) -> None:  # noqa: FBT001 - a case
    """A worker that cannot read it there gets the bytes; what is small is always sent."""
    noise = Image.effect_noise((1200, 1200), 90)
    large, small = io.BytesIO(), io.BytesIO()
    noise.save(large, "png")
    noise.resize((40, 40)).save(small, "png")
    master, logo = large.getvalue(), small.getvalue()
    digest = of_bytes(master)
    version = OPS["overlay"].version
    task = Derive((Operation("overlay", version, {"source": {"input": 1}}),), {"format": "png"})
    desk = Desk({digest: master} if reads else {})
    (file,) = asyncio.run(Derivation(desk.cluster(), 1).derive([Job(task, (master, logo))]))

    assert desk.sent == [(digest, logo)] if reads else [(digest, logo), (master, logo)]
    assert file == derive_many([Job(task, (master, logo))], OPS)[0]


def files(site: Site) -> dict[str, bytes]:
    """Everything that was derived, and the lock."""
    found = [p for p in site.folder.iterdir() if "-" in p.stem or p.name == "assets.lock"]
    return {path.name: path.read_bytes() for path in found}


def lines_of(ran: Ran) -> set[str]:
    """What a build says, in whatever order files end, and however far that indents it."""
    return {line.strip() for line in ran.err.splitlines()}


def clean(site: Site) -> None:
    """Forget the build."""
    for name in files(site):
        (site.folder / name).unlink()


def test_a_cluster_makes_the_same_bytes(site: Site, cluster: Any) -> None:
    """Files and lock are those of a build on one machine."""
    assert site.run("build").code == 0
    here = files(site)
    assert len(here) == 9 * MASTERS + 1
    clean(site)
    ran = site.run("build", "-v", "--cluster", cluster.scheduler_address)
    assert ran.code == 0
    assert f"working on 2 workers of {cluster.scheduler_address}" in ran.err
    assert files(site) == here


def test_a_cluster_reports_what_is_wrong_as_one_machine_does(site: Site, cluster: Any) -> None:
    """One file cannot be made; its siblings are, and the message is the same."""
    site.edit("assets.toml", "widths = [64, 128, 300]", "max_bytes = 40\nwidths = [64, 128, 300]")
    here = site.run("build")
    clean(site)
    there = site.run("build", "--cluster", cluster.scheduler_address)
    assert there.code == here.code == 3
    assert lines_of(there) == lines_of(here)


def test_a_build_with_nothing_to_derive_needs_no_cluster(site: Site) -> None:
    """Nothing is asked of a scheduler that is not needed."""
    assert site.run("build").code == 0
    assert site.run("build", "--cluster", "tcp://127.0.0.1:9").code == 0


@pytest.mark.parametrize("address", ["local:0", "local", "127.0.0.1:8786", "http://a:1", "tcp://a"])
def test_an_address_that_is_none_is_a_usage_error(site: Site, address: str) -> None:
    """The message says how to write one."""
    ran = site.run("build", "--cluster", address)
    assert ran.code == 2
    assert "write it like tcp://host:8786, or local:2" in ran.err


def test_a_cluster_that_is_not_there_is_said_before_anything_is_done(site: Site) -> None:
    """No scheduler, or one without workers."""
    ran = site.run("build", "--cluster", "tcp://127.0.0.1:9")
    assert ran.code == 6
    assert "no scheduler answers at tcp://127.0.0.1:9" in ran.err
    with distributed.LocalCluster(
        n_workers=0, processes=True, dashboard_address="127.0.0.1:0"
    ) as lonely:
        ran = site.run("build", "--cluster", lonely.scheduler_address)
    assert ran.code == 6
    assert "has no workers" in ran.err
    assert files(site) == {}


def test_a_port_that_never_answers_is_no_cluster(site: Site) -> None:
    """Whatever takes the connection and says nothing is given up, and said to be no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        command = [sys.executable, "-m", "flux2build", "build", "--cluster", address]
        ran = subprocess.run(
            command, cwd=site.folder, capture_output=True, text=True, timeout=60, check=False
        )
    hint = "`dask scheduler` starts one, and `dask worker ADDRESS` its workers"
    assert ran.returncode == 6
    assert ran.stderr == f"error: no scheduler answers at {address}\n  hint: {hint}\n"
    assert files(site) == {}


@pytest.mark.parametrize("resource", ["", "GPU"])
def test_a_task_whose_last_worker_is_lost_is_given_up(resource: str) -> None:
    """A worker may come back for a while; then nothing more waits for it, and the build says what to start."""
    desk = Desk(nthreads=0)

    async def given_up() -> SystemFault:
        cluster = replace(desk.cluster(), patience=0.02, look=0.01)
        for _ in range(2):
            with pytest.raises(GoneError) as caught:
                await cluster.answer(no_work, None, [], resource=resource)
        return caught.value

    (problem,) = asyncio.run(given_up()).problems
    assert desk.sent == [()]  # the second task is not handed out
    offers = " that offers `GPU`" * bool(resource)
    assert problem.message == f"no worker{offers} is left at tcp://a:1"
    assert problem.hint is not None
    assert problem.hint.startswith("start one: `dask worker ADDRESS")


def test_a_scheduler_that_is_lost_ends_the_build() -> None:
    """Dask calls its tasks cancelled, which they were not; what is done stays done."""
    desk = Desk(lost=FutureCancelledError("derive-1", "scheduler-connection-lost"))

    async def ended() -> None:
        cluster = desk.cluster()
        for _ in range(2):
            with pytest.raises(GoneError, match="tcp://a:1 does not answer any more"):
                await cluster.answer(no_work, None, [])

    asyncio.run(ended())
    assert desk.sent == [()]  # the second task is not handed out


def test_what_a_library_raises_is_not_the_end_of_the_cluster() -> None:
    """Pillow's errors are those of files, as lost connections are; the next task is handed out."""
    desk = Desk(lost=UnidentifiedImageError("cannot identify image file"))

    async def broken() -> None:
        cluster = desk.cluster()
        for _ in range(2):
            with pytest.raises(UnidentifiedImageError):
                await cluster.answer(no_work, None, [])

    asyncio.run(broken())
    assert desk.sent == [(), ()]


def test_workers_with_other_versions_are_refused_unless_told() -> None:
    """A file made by another Pillow would have other bytes, and be derived again for ever."""
    older, strict = {**versions(), "png": "pillow 1.0, zlib 1.0"}, Desk().cluster()
    with pytest.raises(SystemFault) as caught:
        strict.refuse_others({"tcp://b:2": older})
    (problem,) = caught.value.problems
    assert problem.message.startswith("tcp://b:2 of the cluster")
    assert problem.rows == (("png", f"pillow 1.0, zlib 1.0, here {versions()['png']}"),)
    strict.refuse_others({"tcp://b:2": versions()})
    Desk().cluster(mixed=True).refuse_others({"tcp://b:2": older})


@pytest.mark.parametrize("op", ["crop", "text", "cutout", "upscale"])
def test_versions_count_of_what_is_used(op: str) -> None:
    """A library that no operation of the build needs may be missing on a worker, or be another one."""
    task = Derive((Operation(op, 1, {}),), {"format": "png"})
    cluster = replace(Desk().cluster(), work=work([structs.replace(deliverable(), task=task)]))

    for library, extra in LIBRARIES.items():
        workers = {"tcp://b:2": {**versions(), library: "0.1"}}
        refused = pytest.raises(SystemFault, match="would write other bytes")
        with refused if extra == OPS[op].extra else nullcontext():
            cluster.refuse_others(workers)


def test_a_task_needs_nothing_but_what_it_is_handed(site: Site) -> None:
    """Bytes in, bytes out; errors come back as values."""
    data = (site.folder / "1.png").read_bytes()
    small = Derive((Operation("resize", OPS["resize"].version, {"width": 32}),), {"format": "png"})
    unknown = Derive((Operation("nope", 1, {}),), {"format": "png"})
    files = derived(Files((small, unknown), ((0,), (0,))), [data])
    assert [isinstance(each, Exception) for each in files] == [False, True]


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by POSIX signals")
@pytest.mark.parametrize("victim", ["worker", "build"])
def test_what_dies_loses_nothing(site: Site, cluster: Any, victim: str) -> None:
    """A worker that is killed is replaced; Ctrl-C finishes what has begun and tells the rest."""
    words = [sys.executable, "-m", "flux2build", "build", "-v", "--cluster"]
    with subprocess.Popen(
        [*words, cluster.scheduler_address],
        cwd=site.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as build:
        assert build.stderr is not None
        lines = [next(build.stderr), next(build.stderr)]
        if victim == "worker":
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        else:
            os.killpg(build.pid, signal.SIGINT)
        said = "".join([*lines, *build.stderr])
    assert build.returncode == (0 if victim == "worker" else 130), said
    assert site.run("build").code == 0
    there = files(site)
    clean(site)
    assert site.run("build").code == 0
    assert files(site) == there
