"""Machines of a team, each with a home and a clone of its own, that buy at one account."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flux2build import lockfile
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.ledger import Ticketed
from flux2build.ledger.journal import Journal
from tests.laws.interception import Cut
from tests.laws.processes import Child, ForkServer, Outcome
from tests.laws.trials import KEY, Server

BUILD: Final = ("build", "--yes", "-j", "1")


@dataclass
class Team:
    """Some machines that share a store, in which builds are run and killed."""

    spec: str
    fork_server: ForkServer
    server: Server
    folder: Path
    store: str
    """The URL of what they share."""
    variables: Mapping[str, str] = field(default_factory=dict)
    origin: Path | None = None
    """The repository that the clones come from, if they need one."""
    resubmitted: int = 0
    """Orders that a person has given free, and that may have been charged."""
    asked: int = 0
    """Trials in which a person was asked."""

    def machine(self, name: str) -> Path:
        """A clone on a machine, named like `one` or, if there are several there, `one.2`."""
        machine, _, number = name.partition(".")
        tree = self.folder / machine / f"tree{number}"
        if not tree.exists():
            tree.with_name("tmp").mkdir(parents=True, exist_ok=True)
            tree.with_name("config.toml").touch()
            if self.origin:
                subprocess.run(["git", "clone", "-q", self.origin, tree], check=True)
            tree.joinpath(".git").mkdir(parents=True, exist_ok=True)
            tree.joinpath("assets.toml").write_text(self.spec, "utf-8")
        return tree

    def start(self, name: str, words: Sequence[str] = BUILD, cut: Cut | None = None) -> Child:
        """Start a command on a machine."""
        tree = self.machine(name)
        environment = {
            "FLUX2BUILD_HOME": str(tree.with_name("home")),
            "FLUX2BUILD_CONFIG": str(tree.with_name("config.toml")),
            "FLUX2BUILD_STORE": self.store,
            "FLUX2BUILD_BFL_URL": self.server.base,
            "BFL_API_KEY": KEY,
            "HOME": str(tree.parent),
            "TMPDIR": str(tree.with_name("tmp")),
            "PATH": os.environ["PATH"],
            **self.variables,
        }
        return self.fork_server.start(words, tree, environment, cut)

    def run(self, name: str, words: Sequence[str] = BUILD, cut: Cut | None = None) -> Outcome:
        """Run a command on a machine."""
        return self.start(name, words, cut).end()

    def bought(self) -> Counter[str]:
        """How often each order was charged."""
        return Counter(self.server.bill().values())

    def complaints(self, *names: str) -> Iterator[str]:
        """What is wrong once one machine was killed, and all of them build again, in this order."""
        asking = list[str]()
        for name in names:
            outcome = self.run(name)
            if outcome.hung or outcome.code not in {Exit.DONE, Exit.DECIDE}:
                yield f"{name}: exit {outcome.code}, hung {outcome.hung}: {outcome.err}"
            if "Traceback" in outcome.err:
                yield f"{name}: a traceback: {outcome.err[-600:]}"
            if outcome.code == Exit.DECIDE:
                asking.append(name)
                if "may have" not in outcome.err:
                    yield f"{name}: it does not say what is in doubt: {outcome.err}"
        if asking:
            yield from self._settled(names, asking)
        yield from self._bill()
        for name in names:
            yield from self._misplaced(name)

    def _settled(self, names: Sequence[str], asking: Sequence[str]) -> Iterator[str]:
        """Let a person settle what is in doubt on each machine that asks, and build everything."""
        self.asked += 1
        for name in asking:
            if self.run(name, ("orders", "recover", "--yes")).code == Exit.SYSTEM:
                yield f"{name}: it cannot be recovered"
            for row in self._open(name):
                outcome = self.run(name, ("orders", "resubmit", row["order"]))
                self.resubmitted += outcome.code == Exit.DONE
                if outcome.code not in {Exit.DONE, Exit.USAGE}:
                    yield f"{name}: {row} cannot be settled: {outcome.err}"
        for name in names:
            if (outcome := self.run(name)).code != Exit.DONE:
                yield f"{name}: exit {outcome.code} at the end: {outcome.err}"
            yield from (f"{name}: still open: {row}" for row in self._open(name))

    def _open(self, name: str) -> list[dict[str, Any]]:
        listed = json.loads(self.run(name, ("orders", "list", "--json")).out)
        rows: list[dict[str, Any]] = listed["orders"]
        return rows

    def _bill(self) -> Iterator[str]:
        """Orders that were charged twice, or that no ledger tells of."""
        if (again := self.bought().total() - len(self.bought())) > self.resubmitted:
            yield f"DOUBLE CHARGE: {again} more than there are orders: {self.bought()}"
        known = {task for tree in self.folder.glob("*/tree") for task in tasks(tree)}
        if len(hidden := self.server.bill().keys() - known) > self.resubmitted:
            yield f"charged, and nobody can see it: {hidden}"

    def _misplaced(self, name: str) -> Iterator[str]:
        tree = self.machine(name)
        if not tree.joinpath("assets.lock").exists():
            yield f"{name}: it has no lock"
            return
        lock = lockfile.loads(tree.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
        for row in (row for block in lock.blocks.values() for row in block.rows):
            data = tree.joinpath(row.output.path).read_bytes()
            if of_bytes(data) != row.output.sha256:
                yield f"{name}: {row.output.path} is not what the lock says"

    def forget(self) -> None:
        """Begin anew, with nothing bought and nothing shared."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.resubmitted = 0
        self.server.reset()


def tasks(tree: Path) -> set[str]:
    """The tasks that the ledger of a machine knows."""
    entries = Journal(tree.with_name("home") / "ledger.jsonl").read()
    return {entry.task for entry in entries if isinstance(entry, Ticketed)}
