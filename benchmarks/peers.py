"""Other build tools that keep the same pictures: how each is told of them, and what it is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Files = Mapping[str, Sequence[str]]
"""Each picture, with the files that it is made of; the first one stands for it."""

DODO = """\
import json

FILES = json.load(open("files.json"))


def task_picture():
    for made, (first, *others) in FILES.items():
        yield {
            "name": made,
            "actions": [f"cp {first} {made}"],
            "file_dep": [first, *others],
            "targets": [made],
        }
"""


def write_make(folder: Path, files: Files) -> None:
    """A Makefile in which each picture depends on what it is made of."""
    rules = "".join(f"{made}: {' '.join(of)}\n\tcp $< $@\n" for made, of in files.items())
    folder.joinpath("Makefile").write_text(f"all: {' '.join(files)}\n{rules}")


def write_ninja(folder: Path, files: Files) -> None:
    """The same for ninja."""
    rules = "".join(
        f"build {made}: copy {first}{' | ' * bool(others)}{' '.join(others)}\n"
        for made, (first, *others) in files.items()
    )
    folder.joinpath("build.ninja").write_text(f"rule copy\n  command = cp $in $out\n{rules}")


def write_doit(folder: Path, files: Files) -> None:
    """The same for doit: one task for each picture."""
    folder.joinpath("files.json").write_text(json.dumps(files))
    folder.joinpath("dodo.py").write_text(DODO)


def write_dvc(folder: Path, files: Files) -> None:
    """The same for DVC: one stage for each picture."""
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    stages = "".join(
        f"  s{n}:\n    cmd: cp {of[0]} {made}\n    deps: {json.dumps(of)}\n    outs: [{made}]\n"
        for n, (made, of) in enumerate(files.items())
    )
    folder.joinpath("dvc.yaml").write_text(f"stages:\n{stages}")
    for words in (["init", "--quiet"], ["config", "core.analytics", "false"]):
        subprocess.run(["dvc", *words], cwd=folder, check=True)


@dataclass(frozen=True)
class Peer:
    """A build tool."""

    name: str
    write: Callable[[Path, Files], None]
    build: tuple[str, ...]
    plan: tuple[str, ...]
    """Says what is to be done, and does nothing."""
    most: int = 10_000
    """Pictures above which it takes too long."""

    @property
    def present(self) -> bool:
        """Whether it is installed."""
        return shutil.which(self.name) is not None


PEERS = (
    Peer("ninja", write_ninja, ("ninja", "--quiet"), ("ninja", "-n", "--quiet")),
    Peer("make", write_make, ("make", "-r", "--silent"), ("make", "-rn", "--silent")),
    Peer("doit", write_doit, ("doit", "-v0"), ("doit", "list", "--all", "--status")),
    Peer("dvc", write_dvc, ("dvc", "repro", "--quiet"), ("dvc", "status", "--quiet"), 1000),
)


def taking_part(count: int) -> tuple[Peer, ...]:
    """Those that are installed, and keep so many pictures in an acceptable time."""
    return tuple(peer for peer in PEERS if peer.present and count <= peer.most)
