"""How long it takes to find what is to be done, and to do it, beside other build tools.

    python benchmarks/changes.py                     # 100 and 1,000 pictures
    python benchmarks/changes.py --pictures 10000 --kinds templates --rounds 3

Everyone keeps the same pictures in a tree of its own: each is made from a prompt and one of 50
references, a tenth of them from another picture. Prompts stand in the rows of one file, or each
in a template of its own. All take turns in each round; medians count, and ratios more than times.
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
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from peers import PEERS
from PIL import Image
from table import FLUX2BUILD, Run, machine, markdown, milliseconds, timed

from flux2build.digest import of_bytes
from flux2build.ledger import Delivered, Intended, Ticketed
from flux2build.ledger.lines import encoded
from flux2build.model import Receipt

REFERENCES = 50
KINDS = {
    "rows": 'prompt = "product photo number {{ row.sku }}, {{ row.words }}"',
    "templates": 'template = "{{ row.sku }}.j2"',
}
SPEC = """\
[project]
name = "bench"
output = "img"
TEMPLATES

[defaults]
width = 64
height = 64

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
PROMPT
refs = ["refs/{{ row.ref }}.png"]

[asset.scene]
rows = { file = "scenes.csv", key = "sku" }
PROMPT
refs = [{ asset = "shot" }]
"""
PYTHON, BUILD, PLAN, CHECK = "python -c pass", "build", "plan", "check"


@dataclass
class Contest:
    """The trees of all contestants, and what they needed."""

    folder: Path
    count: int
    kind: str
    ledger: int
    reference: str = ""
    """The one that is changed: the first picture is made of it."""
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    """By what was asked, and who was asked."""

    @property
    def ours(self) -> Path:
        """The tree of flux2build."""
        return self.folder / "flux2build"

    @property
    def trees(self) -> list[Path]:
        """Everyone's."""
        return [path for path in self.folder.iterdir() if path.name != "home"]

    def measure(self, what: str, who: str, words: Sequence[str]) -> None:
        """Time one command once."""
        home = {"FLUX2BUILD_HOME": str(self.folder / "home")}
        tree = self.folder / who if self.folder.joinpath(who).is_dir() else self.ours
        self.runs.setdefault((what, who), []).append(timed(words, tree, home))


def main() -> None:
    """Measure everyone at each size, and print a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--ledger", type=int, nargs="*", default=[0, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if absent := [peer.name for peer in PEERS if not peer.present]:
        print(f"Not installed here, and left out: {', '.join(absent)}.", end="\n\n")
    for count in asked.pictures:
        for kind in asked.kinds:
            for lines in asked.ledger:
                print("\n".join(report(count, kind, lines, asked.rounds)), end="\n\n", flush=True)


def report(count: int, kind: str, ledger: int, rounds: int) -> Iterator[str]:
    """The table for one tree."""
    folder = Path(tempfile.mkdtemp())
    try:
        contest = Contest(folder, count, kind, ledger)
        prepare(contest)
        for turn in range(rounds):
            take_turns(contest, turn)
        yield from table(contest)
    finally:
        shutil.rmtree(folder)


def prepare(contest: Contest) -> None:
    """Draw the references, build the pictures once, and hand copies of the tree to the others."""
    ours, dice = contest.ours, random.Random(7)
    for name in ("refs", "prompts"):
        ours.joinpath(name).mkdir(parents=True)
    for number in range(REFERENCES):
        noise = Image.frombytes("RGB", (128, 128), dice.randbytes(128 * 128 * 3))
        noise.save(ours / f"refs/{number}.png")
    shots = contest.count * 9 // 10
    references = [dice.randrange(REFERENCES) for _ in range(shots)]
    contest.reference = f"refs/{references[0]}.png"
    lines = [f"{n},{ref},{dice.random()}" for n, ref in enumerate(references)]
    ours.joinpath("shots.csv").write_text("sku,ref,words\n" + "\n".join(lines) + "\n")
    scenes = [f"{n},{dice.random()}" for n in range(contest.count - shots)]
    ours.joinpath("scenes.csv").write_text("sku,words\n" + "\n".join(scenes) + "\n")
    for number in range(shots):
        ours.joinpath(f"prompts/{number}.j2").write_text(f"product photo number {number}")
    templates = 'templates = "prompts"' if contest.kind == "templates" else ""
    spec = SPEC.replace("PROMPT", KINDS[contest.kind]).replace("TEMPLATES", templates)
    ours.joinpath("assets.toml").write_text(spec)
    subprocess.run(["git", "init", "--quiet", str(ours)], check=True)
    grow(contest.folder / "home", contest.ledger)
    timed([*FLUX2BUILD, "build", "--quiet"], ours, {"FLUX2BUILD_HOME": f"{contest.folder}/home"})
    files = dict(edges(shots, contest.count - shots, references))
    for peer in PEERS:
        if peer.present:
            tree = contest.folder / peer.name
            shutil.copytree(ours, tree, ignore=shutil.ignore_patterns(".git", ".flux2build"))
            peer.write(tree, files)
            timed(peer.build, tree)
    if contest.kind == "rows":
        shutil.rmtree(ours / "prompts")


def edges(shots: int, scenes: int, references: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Each picture, with the files it is made of."""
    for number in range(shots):
        yield (
            f"img/shot-{number}.png",
            [f"refs/{references[number]}.png", f"prompts/{number}.j2"],
        )
    for number in range(scenes):
        yield f"img/scene-{number}.png", [f"img/shot-{number}.png", f"prompts/{number}.j2"]


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
    """Everyone once: nothing to do, one reference changed, one prompt changed, a fresh clone."""
    contest.measure(PYTHON, "python", [sys.executable, "-c", "pass"])
    contest.measure("--version", "flux2build", [*FLUX2BUILD, "--version"])
    everyone(contest, "nothing to do, build", BUILD)
    everyone(contest, "nothing to do, plan", PLAN)
    contest.measure("nothing to do, check", "flux2build", [*FLUX2BUILD, CHECK])
    references = [changed(tree / contest.reference, turn) for tree in contest.trees]
    everyone(contest, "one reference changed, plan", PLAN)
    for was, path, times in references:
        path.write_bytes(was)
        os.utime(path, ns=times)
    for tree in contest.trees:
        if tree != contest.ours or contest.kind == "templates":
            tree.joinpath("prompts/0.j2").write_text(f"product photo, turn {turn}")
    if contest.kind == "rows":
        head, first, rest = contest.ours.joinpath("shots.csv").read_text().split("\n", 2)
        contest.ours.joinpath("shots.csv").write_text(f"{head}\n{first}{turn}\n{rest}")
    everyone(contest, "one prompt changed, build", BUILD)
    shutil.rmtree(contest.ours / ".flux2build")
    contest.measure("fresh clone, check", "flux2build", [*FLUX2BUILD, CHECK])
    timed([*FLUX2BUILD, BUILD], contest.ours, {"FLUX2BUILD_HOME": f"{contest.folder}/home"})


def everyone(contest: Contest, what: str, command: str) -> None:
    """Ask everyone the same."""
    contest.measure(what, "flux2build", [*FLUX2BUILD, command])
    for peer in PEERS:
        if peer.present:
            contest.measure(what, peer.name, peer.plan if command == PLAN else peer.build)


def changed(path: Path, turn: int) -> tuple[bytes, Path, tuple[int, int]]:
    """Change a picture; return what it was, and its times."""
    was, status = path.read_bytes(), path.stat()
    Image.new("RGB", (128, 128), (turn, 0, 0)).save(path)
    return was, path, (status.st_atime_ns, status.st_mtime_ns)


def table(contest: Contest) -> Iterator[str]:
    """One row for each question, one column for each contestant: processor time, and time in all."""
    kind = "prompts in rows" if contest.kind == "rows" else "a template for each prompt"
    yield (
        f"{contest.count:,} pictures, {kind}, a ledger of {contest.ledger:,} lines, "
        f"median of {len(next(iter(contest.runs.values())))} ({machine()})"
    )
    yield ""
    cpu = {key: statistics.median(r.cpu for r in each) for key, each in contest.runs.items()}
    all_in_all = {
        key: statistics.median(r.seconds for r in each) for key, each in contest.runs.items()
    }
    others = [peer.name for peer in PEERS if peer.present]
    rows = []
    for what in dict.fromkeys(what for what, _ in cpu):
        who = "python" if what == PYTHON else "flux2build"
        ours, ninja = cpu[what, who], cpu.get((what, "ninja"))
        cells = [
            f"{milliseconds(cpu[what, each])} ({milliseconds(all_in_all[what, each])})"
            if (what, each) in cpu
            else ""
            for each in (who, *others)
        ]
        ratios = (f"{ours / cpu[PYTHON, 'python']:.1f}", f"{ours / ninja:.1f}" if ninja else "")
        rows.append([what, *cells, *ratios])
    yield from markdown(("", "flux2build", *others, "times an empty Python", "times ninja"), rows)


if __name__ == "__main__":
    main()
