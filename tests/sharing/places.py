"""Places of a team's store for tests, each served for real on this machine."""

from __future__ import annotations

import atexit
import logging
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer
from msgspec import Struct

from flux2build.sharing.contract import TOKEN_VARIABLE, Access, Backend, kind_of
from flux2build.sharing.listening import base_url, listening
from flux2build.sharing.server import Site, running

TOKEN: Final = "a-token-of-the-team"


class Place(Struct, frozen=True):
    """A place that is served for a while."""

    url: str
    environment: Mapping[str, str] = {}
    """What a client needs in its environment to be let in."""
    folder: Path = Path()
    """Where a client has to be."""

    def open(self) -> Backend:
        """Another client of it."""
        access = Access(lambda name: self.environment.get(name, ""), self.folder)
        with pytest.MonkeyPatch.context() as patched:
            for name, value in self.environment.items():
                patched.setenv(name, value)
            return kind_of(self.url).open(self.url, access)


@contextmanager
def folder(path: Path) -> Iterator[Place]:
    """A folder, as on a shared disk."""
    (path / "store").mkdir()
    yield Place((path / "store").as_uri())


@contextmanager
def served(path: Path) -> Iterator[Place]:
    """A folder that `store serve` serves, to whoever has the token."""
    with (
        folder(path) as kept,
        listening("127.0.0.1", 0) as listener,
        running(Site(kept.open(), TOKEN), listener),
    ):
        yield Place(base_url("127.0.0.1", listener), {TOKEN_VARIABLE: TOKEN})


@cache
def moto() -> str:
    """The endpoint of a server that speaks S3's API, as long as this process lives."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def practice(endpoint: str) -> dict[str, str]:
    """The environment that leads S3's clients to a server of this machine."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "practice",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


@contextmanager
def bucket(_path: Path) -> Iterator[Place]:
    """A new bucket of an object store."""
    name = f"bucket-{uuid4().hex}"
    httpx.put(f"{moto()}/{name}", trust_env=False).raise_for_status()
    yield Place(f"s3://{name}/team", practice(moto()))


@contextmanager
def remote(path: Path) -> Iterator[Place]:
    """A bare repository, and a clone of it."""
    for words in (("init", "--quiet", "--bare", "bare"), ("clone", "--quiet", "bare", "clone")):
        subprocess.run(["git", *words], cwd=path, check=True, stderr=subprocess.DEVNULL)
    yield Place("git+origin", folder=path / "clone")


PLACES: Final[dict[str, Callable[[Path], AbstractContextManager[Place]]]] = {
    "file": folder,
    "git": remote,
    "http": served,
    "objects": bucket,
}
