"""How long it takes to find what is to be done, and to do it, beside other build tools.

    python benchmarks/changes.py                     # 100 and 1,000 pictures
    python benchmarks/changes.py --pictures 10000 --rounds 3

Everyone keeps the same pictures in a tree of its own: each is made from a prompt and one of 50
references, a tenth of them from another picture. flux2build does so with prompts in the rows of one
file and with a template for each, with an empty ledger and with one that has grown. All take turns
in each round; medians of processor time count, and ratios more than times.
ninja, make, doit and DVC take part where they are installed: `pip install ninja doit dvc`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path

from peers import PEERS, Peer, taking_part
from PIL import Image
from shots import EQUAL, tree
from table import FLUX2BUILD, Goal, Run, machine, markdown, milliseconds, timed

from flux2build.digest import of_bytes
from flux2build.ledger import Delivered, Intended, Ticketed
from flux2build.ledger.lines import encoded
from flux2build.model import Receipt

REFERENCES = 50
SPEC = """\
[project]
name = "bench"
output = "img"
{templates}

[defaults]
width = 64
height = 64

[asset.shot]
rows = {{ file = "shots.csv", key = "sku" }}
{prompt}
refs = ["refs/{{{{ row.ref }}}}.png"]

[asset.scene]
rows = {{ file = "scenes.csv", key = "sku" }}
{prompt}
refs = [{{ asset = "shot" }}]
"""
KINDS = {
    "rows": {
        "templates": "",
        "prompt": 'prompt = "product photo number {{ row.sku }}, {{ row.words }}"',
    },
    "templates": {"templates": 'templates = "prompts"', "prompt": 'template = "{{ row.sku }}.j2"'},
}
PYTHON, HASHING = "python -c pass", "reading and hashing every file"
HASH = """\
import hashlib, pathlib
for folder in ("img", "refs"):
    for path in pathlib.Path(folder).iterdir():
        hashlib.sha256(path.read_bytes())
"""
NOTHING = ("nothing to do, build", "nothing to do, plan", "nothing to do, check")
EDITED = tuple(f"one prompt changed, {command}" for command in ("plan", "check", "list", "build"))
MORE = tuple(f"one row more, {command}" for command in ("plan", "check", "build"))
REFERENCE, CLONE = "one reference changed, plan", "fresh clone, check"
LARGEST = 100_000
"""As many rows as one data file may have."""
_DRIFT = 1
"""How `check` and `dvc status` end where something is to be done."""


@dataclass(frozen=True)
class Ours:
    """A tree of flux2build: how its prompts are written, and the lines of its user's ledger."""

    kind: str
    ledger: int

    @property
    def name(self) -> str:
        """Its column."""
        return f"{self.kind}, {self.ledger:,} lines" if self.ledger else self.kind


@dataclass
class Contest:
    """The trees of all contestants, and what they needed."""

    folder: Path
    count: int
    ours: Sequence[Ours]
    peers: Sequence[Peer]
    reference: str = ""
    """The one that is changed: the first picture is made of it."""
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    """By what was asked, and who was asked."""

    def tree(self, who: Ours | Peer) -> Path:
        """The tree of one contestant."""
        return self.folder / who.name

    def home(self, who: Ours) -> dict[str, str]:
        """The environment in which flux2build finds its ledger."""
        return {"FLUX2BUILD_HOME": str(self.folder / f"home of {who.name}")}

    def measure(self, what: str, who: Ours | Peer, words: Sequence[str]) -> None:
        """Time one command once."""
        environment = self.home(who) if isinstance(who, Ours) else None
        codes = {0} if what.endswith("build") else {0, _DRIFT}
        run = timed(words, self.tree(who), environment, codes)
        self.runs.setdefault((what, who.name), []).append(run)

    def ask(self, what: str) -> None:
        """Ask everyone the same."""
        command = what.rpartition(" ")[2]
        for who in self.ours:
            self.measure(what, who, [*FLUX2BUILD, command])
        for peer in self.peers:
            if command in {"plan", "build"}:
                self.measure(what, peer, peer.plan if command == "plan" else peer.build)

    def cpu(self, what: str, who: str) -> float | None:
        """The median of processor seconds; None if that was not asked."""
        runs = self.runs.get((what, who))
        return statistics.median(run.cpu for run in runs) if runs else None

    def worst(self, what: str) -> float:
        """The most that flux2build took, in any of its trees."""
        return max(self.cpu(what, each.name) or 0 for each in self.ours)


def main() -> None:
    """Measure everyone at each size, and print a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--ledger", type=int, nargs="*", default=[0, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    ours = [Ours(*each) for each in product(asked.kinds, asked.ledger)]
    for count in asked.pictures:
        for line in table(contested(count, ours, asked.rounds)):
            print(line)
        print(flush=True)


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The tables, and what became of the goals."""
    sizes, rounds, most = ((100, 2000), 3, 2000) if quick else ((100, 10_000), 5, LARGEST)
    ours = [Ours(*each) for each in product(KINDS, (0, 100_000))]
    contests = {count: contested(count, ours, rounds) for count in sizes}
    for contest in contests.values():
        yield from (*table(contest), "")
    yield from small_goals(contests[sizes[0]])
    yield from large_goals(contests[sizes[-1]])
    yield ledger_goal(contests[sizes[0]])
    yield many_goal(most)


def small_goals(contest: Contest) -> Iterator[Goal]:
    """How fast it starts, and answers in a small project."""
    python = contest.cpu(PYTHON, contest.ours[0].name) or 0
    version = contest.worst("--version") / python
    yield Goal("`--version`", "2 x an empty Python", f"{version:.1f} x", version <= 2)
    took = {what: contest.worst(what) for what in (*EDITED, REFERENCE)}
    doit = contest.cpu(EDITED[0], "doit")
    figures = ", ".join(f"{what}: {milliseconds(seconds)}" for what, seconds in took.items())
    yield Goal(
        f"other commands, {contest.count} pictures, one edit",
        "150 ms of processor time, less than doit",
        figures + (f"; doit {milliseconds(doit)}" if doit else ""),
        max(took.values()) <= min(0.15, doit or 0.15),
    )


def large_goals(contest: Contest) -> Iterator[Goal]:
    """How fast it answers in a large project, beside ninja."""
    for what, questions, most in (
        ("nothing to do, `build`, `plan` and `check`", NOTHING, 1.25),
        ("`plan` after one reference changed", (REFERENCE,), 3),
        ("`build` after one prompt changed", EDITED[-1:], 3),
    ):
        took = max(map(contest.worst, questions))
        ninja = contest.cpu(questions[0], "ninja")
        times = took / ninja if ninja else None
        yield Goal(
            f"{what}, {contest.count:,} pictures",
            f"{most} x ninja",
            f"{times:.2f} x ({milliseconds(took)})" if times else milliseconds(took),
            times is not None and times <= most,
        )
    took, floor = contest.worst(CLONE), contest.cpu(HASHING, contest.ours[0].name) or 0
    what = f"cold `check`, {contest.count:,} pictures, every byte hashed"
    told = f"{milliseconds(took)}; a loop that only hashes takes {milliseconds(floor)}"
    yield Goal(what, "1.5 s", told, took <= 1.5)


def ledger_goal(contest: Contest) -> Goal:
    """What a ledger adds that has grown, where a command looks at it."""
    beside = {each.kind: each for each in contest.ours if not each.ledger}
    more = max(
        (contest.cpu(EDITED[0], each.name) or 0)
        - (contest.cpu(EDITED[0], beside[each.kind].name) or 0)
        for each in contest.ours
        if each.ledger
    )
    lines = max(each.ledger for each in contest.ours)
    what = f"a ledger of {lines:,} lines, `plan` after one edit"
    return Goal(what, "20 ms more", milliseconds(max(0, more)), more <= 0.02)


def many_goal(count: int) -> Goal:
    """One edit among very many pictures, which are as small as can be, and drawn once for all."""
    with tree(count, 16, prompt=EQUAL) as folder:
        home, rows = {"FLUX2BUILD_HOME": str(folder / "home")}, folder / "shots.csv"
        timed([*FLUX2BUILD, "build", "--quiet"], folder, home)
        runs = dict[str, list[Run]]()
        for turn, command in enumerate(("plan", "plan", "plan", "build", "build", "build")):
            head, _, rest = rows.read_text().split("\n", 2)
            rows.write_text(f"{head}\n0,turn {turn}\n{rest}")
            words = [*FLUX2BUILD, command, "--quiet"]
            runs.setdefault(command, []).append(timed(words, folder, home))
    took = {command: statistics.median(run.cpu for run in each) for command, each in runs.items()}
    peak = max(run.peak for each in runs.values() for run in each)
    return Goal(
        f"one prompt changed, {count:,} pictures",
        "3 s, 0.7 GiB",
        ", ".join(f"`{command}` {milliseconds(seconds)}" for command, seconds in took.items())
        + f"; {peak / 1024:.2f} GiB",
        max(took.values()) <= 3 and peak <= 0.7 * 1024,
    )


def contested(
    count: int,
    ours: Sequence[Ours],
    rounds: int,
) -> Contest:
    """What everyone needed; nothing is left of the trees."""
    folder = Path(tempfile.mkdtemp())
    try:
        contest = Contest(folder, count, ours, taking_part(count))
        prepare(contest)
        for turn in range(rounds):
            take_turns(contest, turn)
        return contest
    finally:
        shutil.rmtree(folder)


def prepare(contest: Contest) -> None:
    """Draw the references, build the pictures once, and hand copies of the tree to the others."""
    first, *others = contest.ours
    files = draw(contest)
    for who in contest.ours:
        grow(Path(contest.home(who)["FLUX2BUILD_HOME"]), who.ledger)
    build(contest, first)
    for other in others:
        shutil.copytree(contest.tree(first), contest.tree(other))
        build(contest, other)
    for peer in contest.peers:
        tree, unwanted = contest.tree(peer), shutil.ignore_patterns(".git", ".flux2build")
        shutil.copytree(contest.tree(first), tree, ignore=unwanted)
        peer.write(tree, files)
        timed(peer.build, tree)


def draw(contest: Contest) -> dict[str, list[str]]:
    """The tree without its pictures; each of these, with the files it is made of."""
    tree, dice = contest.tree(contest.ours[0]), random.Random(7)
    for name in ("refs", "prompts"):
        tree.joinpath(name).mkdir(parents=True)
    for number in range(REFERENCES):
        noise = Image.frombytes("RGB", (128, 128), dice.randbytes(128 * 128 * 3))
        noise.save(tree / f"refs/{number}.png")
    shots = contest.count * 9 // 10
    rows = [(n, dice.randrange(REFERENCES), dice.random()) for n in range(shots)]
    contest.reference = f"refs/{rows[0][1]}.png"
    for name, some in (("shots", rows), ("scenes", rows[: contest.count - shots])):
        lines = "".join(f"{n},{reference},{words}\n" for n, reference, words in some)
        tree.joinpath(f"{name}.csv").write_text(f"sku,ref,words\n{lines}")
    for number, _, words in rows:
        tree.joinpath(f"prompts/{number}.j2").write_text(f"product photo number {number}, {words}")
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    return dict(edges(rows, contest.count - shots))


def edges(rows: Sequence[tuple[int, int, float]], scenes: int) -> Iterator[tuple[str, list[str]]]:
    """Each picture, with the files it is made of."""
    for number, reference, _ in rows:
        yield f"img/shot-{number}.png", [f"refs/{reference}.png", f"prompts/{number}.j2"]
    for number in range(scenes):
        yield f"img/scene-{number}.png", [f"img/shot-{number}.png", f"prompts/{number}.j2"]


def build(contest: Contest, who: Ours) -> None:
    """Write a spec, and build what it wants; copies of a tree have it already."""
    spec = SPEC.format(**KINDS[who.kind])
    contest.tree(who).joinpath("assets.toml").write_text(spec)
    timed([*FLUX2BUILD, "build", "--quiet"], contest.tree(who), contest.home(who))


def grow(home: Path, lines: int) -> None:
    """A ledger of so many lines: orders of other projects, all of them delivered."""
    home.mkdir(parents=True)
    with home.joinpath("ledger.jsonl").open("wb") as ledger:
        for number in range(lines // 3):
            ledger.writelines(map(encoded, life(number)))


def life(number: int) -> Iterator[Intended | Ticketed | Delivered]:
    """Everything that happened to one order."""
    order, attempt, at = of_bytes(b"%d" % number), f"{number:032x}", "2026-11-02T10:00:00+00:00"
    about = {"order": order, "attempt": attempt, "at": at}
    yield Intended(
        **about,
        provider="bfl",
        model="flux-2-pro",
        asset=f"shot[{number}]",
        reserve=Decimal("0.03"),
        payload=order,
        project="another",
        account="ab12",
        expected={"width": 512, "height": 512},
    )
    yield Ticketed(**about, task=attempt, poll=f"https://api.bfl.ai/v1/get_result?id={attempt}")
    receipt = Receipt("bfl", attempt, Decimal("0.03"), "settled")
    yield Delivered(**about, output=of_bytes(attempt.encode()), receipt=receipt, project="another")


def take_turns(contest: Contest, turn: int) -> None:
    """Everyone once: nothing to do, one reference changed, one prompt changed, one row more, a clone."""
    for who in contest.ours:
        contest.measure(PYTHON, who, [sys.executable, "-c", "pass"])
        contest.measure("--version", who, [*FLUX2BUILD, "--version"])
    for what in NOTHING:
        contest.ask(what)
    with other_reference(contest, turn):
        contest.ask(REFERENCE)
    for number, what in enumerate(EDITED):
        edit(contest, f"edit {turn}.{number}")
        contest.ask(what)
    for number, what in enumerate(MORE):
        for who in contest.ours:
            add_row(contest.tree(who), f"new-{turn}-{number}")
            contest.measure(what, who, [*FLUX2BUILD, what.rpartition(" ")[2]])
    for who in contest.ours:
        shutil.rmtree(contest.tree(who) / ".flux2build")
        contest.measure(HASHING, who, [sys.executable, "-c", HASH])
        contest.measure(CLONE, who, [*FLUX2BUILD, "check"])
        timed([*FLUX2BUILD, "build"], contest.tree(who), contest.home(who))


@contextmanager
def other_reference(contest: Contest, turn: int) -> Iterator[None]:
    """Change one reference of everyone for a while."""
    paths = [contest.tree(who) / contest.reference for who in (*contest.ours, *contest.peers)]
    before = [(path.read_bytes(), path.stat()) for path in paths]
    for path in paths:
        Image.new("RGB", (128, 128), (turn, 0, 0)).save(path)
    yield
    for path, (data, status) in zip(paths, before, strict=True):
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def edit(contest: Contest, words: str) -> None:
    """Change the prompt of everyone's first picture."""
    for who in (*contest.ours, *contest.peers):
        tree = contest.tree(who)
        if isinstance(who, Ours) and who.kind == "rows":
            head, first, rest = tree.joinpath("shots.csv").read_text().split("\n", 2)
            number, reference, _ = first.split(",")
            text = f"{head}\n{number},{reference},{words}\n{rest}"
            tree.joinpath("shots.csv").write_text(text)
        else:
            tree.joinpath("prompts/0.j2").write_text(f"product photo number 0, {words}")


def add_row(tree: Path, name: str) -> None:
    """One picture more of flux2build, in the middle of the others."""
    head, *rows = tree.joinpath("shots.csv").read_text().splitlines(keepends=True)
    rows.insert(len(rows) // 2, f"{name},0,something else\n")
    tree.joinpath("shots.csv").write_text("".join([head, *rows]))
    tree.joinpath(f"prompts/{name}.j2").write_text(f"product photo {name}")


def table(contest: Contest) -> Iterator[str]:
    """One row for each question, one column for each contestant."""
    rounds = len(next(iter(contest.runs.values())))
    yield f"{contest.count:,} pictures, processor time, median of {rounds} ({machine()})"
    if absent := [peer.name for peer in PEERS if peer not in contest.peers]:
        yield f"Not installed, or too slow at this size: {', '.join(absent)}."
    yield ""
    who = [each.name for each in (*contest.ours, *contest.peers)]
    rows = []
    for what in dict.fromkeys(what for what, _ in contest.runs):
        figures = [contest.cpu(what, each) for each in who]
        cells = ["" if figure is None else milliseconds(figure) for figure in figures]
        ninja = contest.cpu(what, "ninja")
        rows.append([what, *cells, f"{contest.worst(what) / ninja:.1f}" if ninja else ""])
    yield from markdown(("", *who, "worst, times ninja"), rows)


if __name__ == "__main__":
    main()
