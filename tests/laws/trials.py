"""Crash trials: kill a real build at an effect, run the next one, and compare ledger and charges.

A trial restores a prepared project, runs the situation's command with a cut (or
several, each in the run that recovers from the one before), lets a last build
finish, and returns what is wrong. No complaint is the law.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image

from flux2build import lockfile
from flux2build.digest import of_bytes
from flux2build.errors import Exit, Flux2BuildError
from flux2build.ledger import Ledger, Ticketed, fold
from flux2build.ledger.journal import Journal
from flux2build.model import AssetName
from flux2build.storage import durable
from flux2build.storage.store import Store
from tests.laws.disk import Disk, files
from tests.laws.effect_order import misordered
from tests.laws.interception import Cut, Fault
from tests.laws.processes import ForkServer, Outcome

ROOT: Final = Path(__file__).parents[2]
KEY: Final = "canary-0123456789abcdef"


class Server:
    """The simulator, asked for what it charged."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._client = httpx.Client(base_url=base, trust_env=False, timeout=30)

    def reset(self, **changes: Any) -> None:
        """Forget everything, and go on with another scenario."""
        self._client.post("/_sim/reset").raise_for_status()
        self.set(**{"latency": 0, "fast": True, "rules": [], **changes})

    def set(self, **changes: Any) -> None:
        """Change the scenario."""
        answer = self._client.post("/_sim/scenario", json=changes)
        assert answer.status_code == 200, answer.text

    def bill(self) -> dict[str, str]:
        """Every order that was ever accepted, by its task, including those refunded later."""
        charges = self._client.get("/_sim/charges").json()
        return {each["id"]: each["order"] for each in (*charges["charges"], *charges["refunds"])}

    def total(self) -> Decimal:
        """What stands charged, in USD."""
        return Decimal(self._client.get("/_sim/charges").json()["total_usd"])

    def visits(self) -> list[dict[str, Any]]:
        """Every request so far."""
        requests: list[dict[str, Any]] = self._client.get("/_sim/requests").json()["requests"]
        return requests

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@dataclass(frozen=True, slots=True)
class Situation:
    """A project, what was done in it before, and the command that is going to be killed."""

    name: str
    spec: str
    words: tuple[str, ...] = ("build", "--yes", "-j", "1")
    """The command; `{order}` and `{task}` are those of the one order that is in doubt."""
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that prepare it (`after TEXT WORDS…`: killed then; `doubt WORDS…`: it leaves an order in doubt), or edits
    (`edit FILE OLD NEW`, `delete FILE`, `draw FILE`, `garble`: no line of the ledger can be read)."""
    rules: tuple[dict[str, Any], ...] = ()
    exit: Exit = Exit.DONE
    """What the command comes to when nobody kills it."""
    forced: bool = False
    """Whether orders that were delivered before are bought again on purpose."""
    orders: int = 0
    """How many orders the command places when nobody kills it."""


RECOVERY: Final = ("build", "--yes", "-j", "1")


@dataclass
class Sandbox:
    """A prepared situation, in which builds can be run and killed again and again."""

    situation: Situation
    fork_server: ForkServer
    server: Server
    folder: Path
    mutant: str | None = None
    trials: int = 0
    doubts: int = 0
    charged_doubts: int = 0
    """Orders in doubt that the server had really charged."""
    points: set[str] = field(default_factory=set)
    words: tuple[str, ...] = ()

    @property
    def tree(self) -> Path:
        """Where the spec lies."""
        return self.folder / "live" / "tree"

    @property
    def home(self) -> Path:
        """Where ledger and store lie."""
        return self.folder / "live" / "home"

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees."""
        return {
            "FLUX2BUILD_HOME": str(self.home),
            "FLUX2BUILD_CONFIG": str(self.folder / "config.toml"),
            "FLUX2BUILD_BFL_URL": self.server.base,
            "FLUX2BUILD_COMETAPI_URL": self.server.base,
            "FLUX2BUILD_REPLICATE_URL": self.server.base,
            "BFL_API_KEY": KEY,
            "COMETAPI_KEY": KEY,
            "REPLICATE_API_TOKEN": KEY,
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "live" / "tmp"),
            "PATH": os.environ["PATH"],
        }

    def prepare(self) -> None:
        """Create the state in which the situation begins."""
        self.server.reset(rules=list(self.situation.rules))
        self.tree.joinpath(".git").mkdir(parents=True)
        self.home.mkdir()
        self.folder.joinpath("config.toml").touch()
        self.home.with_name("tmp").mkdir()
        self.tree.joinpath("assets.toml").write_text(self.situation.spec, "utf-8")
        for step in self.situation.before:
            self._step(step)
        shutil.copytree(self.folder / "live", self.folder / "template")
        self.paid = self.server.bill()
        self.words = self._words()

    def _words(self) -> tuple[str, ...]:
        """The situation's command, about the order that is in doubt."""
        words = self.situation.words
        if "{order}" not in words:
            return words
        (doubt,) = self.ledger().doubts.values()
        (task,) = self.paid.keys() - _tasks(self.home)
        return tuple(word.format(order=doubt.attempt, task=task) for word in words)

    def _step(self, step: Sequence[str]) -> None:
        match step:
            case ("edit", name, old, new):
                path = self.tree / name
                text = path.read_text("utf-8")
                assert old in text
                path.write_text(text.replace(old, new), "utf-8")
            case ("delete", name):
                self.tree.joinpath(name).unlink()
            case ("garble",):
                path = self.home / "ledger.jsonl"
                path.write_bytes(path.read_bytes().upper())
            case ("draw", name):
                Image.new("RGB", (64, 64), "navy").save(self.tree / name)
            case ("doubt", *words):
                outcome = self.run(words)
                assert outcome.code == Exit.DECIDE, outcome.err
            case ("after", mark, *words):
                outcome = self.run(words, Cut(2, after=mark))
                assert outcome.killed, outcome.err
            case _:
                outcome = self.run(step)
                assert not outcome.code, outcome.err

    def run(
        self, words: Sequence[str], cut: Cut | None = None, fault: Fault | None = None
    ) -> Outcome:
        """Run a command in the tree."""
        start = self.fork_server.start
        return start(words, self.tree, self.environment, cut, self.mutant, fault=fault).end()

    def restore(self) -> None:
        """Restore the state in which the situation begins."""
        shutil.rmtree(self.folder / "live")
        shutil.copytree(self.folder / "template", self.folder / "live")

    def whole(self) -> Outcome:
        """Run the situation's command without killing it."""
        self.restore()
        return self.run(self.words)

    def trial(self, cuts: Sequence[Cut], *, power: bool = False) -> list[str]:
        """Kill, recover, and say what is wrong."""
        self.restore()
        self.trials += 1
        before, complaints = self.server.bill(), list[str]()
        disk = Disk(self.folder / "live")
        for number, cut in enumerate(cuts):
            words = RECOVERY if number else self.words
            outcome = self.run(words, cut)
            complaints += self._order(outcome, disk)
            if not outcome.killed:
                break
            if number == 0:
                self.points.add(f"{cut}{'!' * power} {_last(outcome)}")
            if power and number == len(cuts) - 1:
                disk.cut_power()
            complaints += self._books()
        complaints += self.recovered(before)
        return [f"{self.situation.name} {'+'.join(map(str, cuts))}: {each}" for each in complaints]

    def failing(self, fault: Fault, cut: Cut | None = None, *, power: bool = False) -> list[str]:
        """Run on a disk that fails, kill it at the cut, recover on a whole disk; what is wrong?"""
        self.restore()
        self.trials += 1
        before, disk = self.server.bill(), Disk(self.folder / "live")
        outcome = self.run(self.words, cut, fault)
        complaints = self._order(outcome, disk)
        if not outcome.killed:
            complaints += self._told(outcome, fault)
        if power:
            disk.cut_power()
        complaints += [*self._promised(outcome), *self._books()]
        full = fault.errno == errno.ENOSPC and fault.under == str(self.home)
        if full and not outcome.killed and self.words[0] == "build":
            complaints += self._uncollected()
        complaints += self.recovered(before)
        return [f"{self.situation.name}, {fault}: {each}" for each in complaints]

    def _told(self, outcome: Outcome, fault: Fault) -> Iterator[str]:
        """What the messages about a fault do not say."""
        calls = [each for each in outcome.trace if each.kind == "concerned"]
        failed = [each.path.partition(" ")[2] for each in calls if each.offset >= fault.at]
        failed = failed if fault.lasting else failed[:1]
        if outcome.code not in {self.situation.exit, *_FAILED}:
            yield f"exit {outcome.code}: {outcome.err}"
        named = any(name in outcome.err for path in failed for name in _names(Path(path)))
        if outcome.code not in {self.situation.exit, Exit.DONE} and not named:
            yield f"it names none of {failed}: {outcome.err}"

    def _uncollected(self) -> Iterator[str]:
        """What was ordered and not collected at once, though there was room in the spool."""
        listed = json.loads(self.run(("orders", "list", "--json")).out)["orders"]
        for order in listed:
            if order["state"] in {"pending", "in doubt"}:
                yield f"it is not collected: {order}"

    def _promised(self, outcome: Outcome) -> Iterator[str]:
        """What a build said to have kept, and has not."""
        for name, digest in _KEPT.findall(outcome.err):
            file = Path(name)
            if not file.is_file() or of_bytes(file.read_bytes()) != digest:
                yield f"it is not kept: {name}"

    def beside(self, cut: Cut) -> list[str]:
        """Kill while another tree of the same home builds the same, recover both, and say what is wrong."""
        self.restore()
        self.trials += 1
        before, other = self.server.bill(), self.folder / "live" / "other"
        shutil.copytree(self.tree, other)
        neighbour = self.fork_server.start(RECOVERY, other, self.environment)
        outcome = self.run(self.words, cut)
        hung = ["the other build hangs"] * neighbour.end().hung
        self.points.add(f"{cut} {_last(outcome)}")
        complaints = [*hung, *self._books(), *self.recovered(before)]
        bill = self.server.bill()
        again = self.fork_server.start(RECOVERY, other, self.environment).end()
        if again.code != self.situation.exit or self.server.bill() != bill:
            complaints.append(f"the other tree: exit {again.code}: {again.err}")
        return [f"{self.situation.name} beside {cut}: {each}" for each in complaints]

    def _order(self, outcome: Outcome, disk: Disk) -> list[str]:
        """What a run did in the wrong order, or without being intercepted; the disk follows."""
        unseen = [
            each.path
            for each in outcome.trace
            if each.kind == "unseen" and not each.path.startswith(sys.prefix)
        ]
        hung = ["it hangs"] * outcome.hung
        traceback = [f"a traceback: {outcome.err[-600:]}"] * ("Traceback" in outcome.err)
        return [
            *hung,
            *traceback,
            *(f"an effect was not intercepted: {each}" for each in unseen),
            *misordered(outcome.trace, disk, self.tree / "assets.lock", self.home),
        ]

    def _books(self) -> list[str]:
        """What is wrong with lock, journal and store, whatever the moment."""
        complaints = []
        try:
            self.lock()
        except Flux2BuildError as error:
            complaints.append(f"the lock cannot be read: {error}")
        try:
            ledger = self.ledger()
        except Flux2BuildError as error:
            return [*complaints, f"the journal cannot be read: {error}"]
        store = Store(self.home / "store")
        for digest in {*store.digests(), *(each.output for each in ledger.delivered.values())}:
            try:
                store.get(digest)
            except Flux2BuildError as error:
                complaints.append(f"the store: {error}")
        return complaints + [f"the store has damage: {path}" for path in store.damaged()]

    def lock(self) -> lockfile.Lockfile:
        """What is locked."""
        path = self.tree / "assets.lock"
        return lockfile.loads(path.read_text("utf-8"), path.name) if path.exists() else _EMPTY

    def ledger(self) -> Ledger:
        """What the journal adds up to."""
        return fold(Journal(self.home / "ledger.jsonl").read())

    def recovered(self, before: dict[str, str]) -> list[str]:
        """Let the next build finish; a person settles what is in doubt; what is wrong?"""
        if self.words[0] in {"orders", "pick"}:
            self.run(self.words)
        disk = Disk(self.folder / "live")
        # Only the command itself asks for its further candidates.
        recovery = self.words if self.words[0] == "reroll" else RECOVERY
        outcome = self.run(recovery)
        complaints = [*self._order(outcome, disk), *self._books()]
        new = {task: o for task, o in self.server.bill().items() if task not in before}
        complaints += self._bill(new, resubmitted=0)
        ledger = self.ledger()
        if not ledger.doubts:
            return complaints + self._finished(outcome)
        self.doubts += len(ledger.doubts)
        self.charged_doubts += len(new.keys() - _tasks(self.home))
        if outcome.code != Exit.DECIDE or "may have been bought" not in outcome.err:
            complaints.append(f"in doubt, and does not say so: exit {outcome.code}: {outcome.err}")
        listed = self.run(("orders", "list", "--json")).out
        for attempt in ledger.doubts.values():
            if attempt.attempt not in listed:
                complaints.append(f"`orders list` does not show {attempt.attempt}")
            settled = self.run(("orders", "resubmit", attempt.attempt))
            complaints += [f"cannot be settled: {settled.err}"] * bool(settled.code)
        outcome = self.run(recovery)
        new = {task: o for task, o in self.server.bill().items() if task not in before}
        complaints += self._bill(new, resubmitted=len(ledger.doubts))
        return complaints + self._books() + self._finished(outcome)

    def _bill(self, new: dict[str, str], resubmitted: int) -> list[str]:
        """Orders that were charged twice, or that nobody can see."""
        counts, complaints = Counter(new.values()), []
        if sum(count - 1 for count in counts.values()) > resubmitted:
            complaints.append(f"DOUBLE CHARGE: {counts}")
        if not self.situation.forced and (again := counts.keys() & set(self.paid.values())):
            complaints.append(f"DOUBLE CHARGE: bought before the crash: {again}")
        tasks, doubts = _tasks(self.home), len(self.ledger().doubts) + resubmitted
        if len(hidden := new.keys() - tasks) > doubts:
            complaints.append(f"charged, and nobody can see it: {hidden}")
        return complaints

    def _finished(self, outcome: Outcome) -> list[str]:
        """What is missing, once nothing is in doubt."""
        complaints = []
        if outcome.code != self.situation.exit:
            complaints.append(
                f"exit {outcome.code} instead of {int(self.situation.exit)}: {outcome.err}"
            )
        ledger = self.ledger()
        for asset, row in _rows(self.lock()):
            path = self.tree / row.output.path
            sha = of_bytes(path.read_bytes()) if path.exists() else None
            if sha != row.output.sha256:
                complaints.append(f"`{asset}` is not what the lock says")
            bought = ledger.delivered.get(row.key)
            if bought is None or bought.output != row.output.sha256:
                complaints.append(f"`{asset}` is not what was bought last for its order")
        if ledger.pending:
            complaints.append(f"not collected: {list(ledger.pending)}")
        if self.situation.exit is Exit.DONE:
            complaints += [f"`check` says: {c.out}" for c in [self.run(("check",))] if c.code]
        complaints += [
            f"left behind: {path}"
            for path in files(self.folder / "live")
            if path.name.startswith(durable.TEMPORARY) and _wrote_in(path.parent, outcome)
        ]
        return complaints


_KEPT: Final = re.compile(r"= file: (.+)\n *= digest: (sha256:[0-9a-f]+)")
"""The rows in which a file and its digest are named."""
_FAILED: Final = frozenset({Exit.USAGE, Exit.INCOMPLETE, Exit.DECIDE, Exit.SYSTEM})
"""What a command may come to on a disk that fails."""


def _names(path: Path) -> tuple[str, ...]:
    """How messages may name a path; an unfinished file is named by what it was to become."""
    return (str(path.parent),) if path.name.startswith(durable.TEMPORARY) else (path.name,)


_EMPTY: Final = lockfile.Lockfile()


def _rows(lock: lockfile.Lockfile) -> Iterator[tuple[AssetName, lockfile.Generated]]:
    for block in lock.blocks.values():
        if block.generated is not None:
            yield block.asset, block.generated


def _tasks(home: Path) -> set[str]:
    """The tasks that the journal knows."""
    entries = Journal(home / "ledger.jsonl").read()
    return {entry.task for entry in entries if isinstance(entry, Ticketed)}


def _wrote_in(folder: Path, outcome: Outcome) -> bool:
    """Whether a run put any file into a folder: then nothing unfinished is to be left there."""
    names = [each.path.split("\n")[1] for each in outcome.trace if each.kind == "rename"]
    in_store = f"{folder}/sha256/"  # nothing is written where it is to lie
    return any(Path(name).parent == folder or name.startswith(in_store) for name in names)


def _last(outcome: Outcome) -> str:
    """What happened last before a process was killed."""
    if not outcome.trace:
        return "start"
    last = outcome.trace[-1]
    return f"{last.kind} {Path(last.path.rpartition(os.linesep)[2]).suffix or last.data[:12]!r}"


def cuts(whole: Outcome) -> list[Cut]:
    """Every point at which a run can be killed: before each effect, in each, and after the last."""
    places = [Cut(1)]
    for number, effect in enumerate(whole.trace, 1):
        if effect.kind in {"write", "send"} and len(effect.data) > 1:
            places.append(Cut(number, torn=True))
        places.append(Cut(number + 1))
    return places
