"""How long it takes to find that there is nothing to do, beside scripts and build tools.

    python benchmarks/noop.py                        # 100, 1,000 and 10,000 pictures
    python benchmarks/noop.py --pictures 1000 --dvc /path/to/dvc

Everyone keeps the same pictures: each made from a prompt and one of 50 references, a tenth
of them from another picture. All take turns in each round; medians count. Make and ninja
take part where they are installed, DVC where it is named.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from table import FLUX2BUILD, Run, machine, markdown, milliseconds, timed

REFERENCES = 50

SPEC = """\
[project]
name = "bench"
output = "img"

[defaults]
width = 64
height = 64

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
prompt = "product photo number {{ row.sku }}, {{ row.words }}"
refs = ["refs/{{ row.ref }}.png"]

[asset.scene]
rows = { file = "scenes.csv", key = "sku" }
prompt = "the product of {{ ref('shot') }} on a desk, {{ row.words }}"
refs = [{ asset = "shot" }]
"""

SCRIPT = '''\
"""Render what is missing: what most projects start with."""
import csv
import os
import sys
import urllib.request


def render(prompt, references, target):
    body = {"prompt": prompt, "references": references}
    request = urllib.request.Request("https://example.invalid", data=repr(body).encode())
    with urllib.request.urlopen(request) as answer, open(target, "wb") as file:
        file.write(answer.read())


def rows(name):
    with open(name, newline="") as file:
        yield from csv.DictReader(file)


def main():
    os.makedirs("img", exist_ok=True)
    missing = 0
    for row in rows("shots.csv"):
        target = f"img/shot-{row['sku']}.png"
        if not os.path.exists(target):
            missing += 1
            prompt = f"product photo number {row['sku']}, {row['words']}"
            render(prompt, [f"refs/{row['ref']}.png"], target)
    for row in rows("scenes.csv"):
        target = f"img/scene-{row['sku']}.png"
        if not os.path.exists(target):
            missing += 1
            prompt = f"the product of image 1 on a desk, {row['words']}"
            render(prompt, [f"img/shot-{row['sku']}.png"], target)
    print(f"{missing} rendered")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''


@dataclass
class Field:
    """One tree of pictures, and everyone who keeps it."""

    folder: Path
    count: int
    dvc: str | None
    runs: dict[str, list[Run]] = field(default_factory=dict)

    @property
    def home(self) -> dict[str, str]:
        """A home of its own for flux2build."""
        return {"FLUX2BUILD_HOME": str(self.folder / "home")}

    def measure(self, name: str, words: Sequence[str], folder: str = "ours") -> None:
        """Time one command once."""
        run = timed(words, self.folder / folder, self.home)
        self.runs.setdefault(name, []).append(run)


def main() -> None:
    """Measure everyone at each size, and print a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dvc", help="the command of a DVC to measure as well")
    asked = parser.parse_args()
    for count in asked.pictures:
        print("\n".join(report(count, asked.rounds, asked.dvc)), end="\n\n")


def report(count: int, rounds: int, dvc: str | None) -> Iterator[str]:
    """The table for one size."""
    folder = Path(tempfile.mkdtemp())
    try:
        contest = Field(folder, count, dvc)
        prepare(contest)
        for turn in range(rounds):
            take_turns(contest, turn)
        yield from table(contest)
    finally:
        shutil.rmtree(folder)


def prepare(contest: Field) -> None:
    """Build the pictures once, and hand copies of the tree to the others."""
    ours = contest.folder / "ours"
    ours.joinpath("refs").mkdir(parents=True)
    dice = random.Random(7)
    for number in range(REFERENCES):
        noise = Image.frombytes("RGB", (128, 128), dice.randbytes(128 * 128 * 3))
        noise.save(ours / f"refs/{number}.png")
    shots = contest.count * 9 // 10
    lines = [f"{n},{dice.randrange(REFERENCES)},{dice.random()}" for n in range(shots)]
    ours.joinpath("shots.csv").write_text("sku,ref,words\n" + "\n".join(lines) + "\n")
    scenes = [f"{n},{dice.random()}" for n in range(contest.count - shots)]
    ours.joinpath("scenes.csv").write_text("sku,words\n" + "\n".join(scenes) + "\n")
    ours.joinpath("assets.toml").write_text(SPEC)
    ours.joinpath("script.py").write_text(SCRIPT)
    subprocess.run(["git", "init", "--quiet", str(ours)], check=True)
    timed([*FLUX2BUILD, "build", "--quiet"], ours, contest.home)
    files = dict(edges(shots, contest.count - shots, lines))
    for name, write in (("make", write_make), ("ninja", write_ninja)):
        if shutil.which(name):
            shutil.copytree(ours, contest.folder / name)
            write(contest.folder / name, files)
            timed([name, "--touch"] if name == "make" else [name], contest.folder / name)
    if contest.dvc:
        write_dvc(contest.folder / "dvc", ours, files, contest.dvc)


def edges(shots: int, scenes: int, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each picture, with the file it is made of."""
    for number in range(shots):
        yield f"img/shot-{number}.png", f"refs/{lines[number].split(',')[1]}.png"
    for number in range(scenes):
        yield f"img/scene-{number}.png", f"img/shot-{number}.png"


def write_make(folder: Path, files: Mapping[str, str]) -> None:
    """A Makefile in which each picture depends on what it is made of."""
    rules = "".join(f"{made}: {source}\n\tcp $< $@\n" for made, source in files.items())
    folder.joinpath("Makefile").write_text(f"all: {' '.join(files)}\n{rules}")


def write_ninja(folder: Path, files: Mapping[str, str]) -> None:
    """The same for ninja, which has to make everything once to know it."""
    rules = "".join(f"build {made}: copy {source}\n" for made, source in files.items())
    folder.joinpath("build.ninja").write_text(f"rule copy\n  command = cp $in $out\n{rules}")


def write_dvc(folder: Path, ours: Path, files: Mapping[str, str], dvc: str) -> None:
    """The same for DVC: one stage for each picture."""
    folder.mkdir()
    shutil.copytree(ours / "refs", folder / "refs")
    folder.joinpath("img").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    stages = "".join(
        f"  s{n}:\n    cmd: cp {source} {made}\n    deps: [{source}]\n    outs: [{made}]\n"
        for n, (made, source) in enumerate(files.items())
    )
    folder.joinpath("dvc.yaml").write_text(f"stages:\n{stages}")
    for words in (["init", "--quiet"], ["config", "core.analytics", "false"], ["repro", "--quiet"]):
        timed([dvc, *words], folder)


def take_turns(contest: Field, turn: int) -> None:
    """Everyone once."""
    ours = contest.folder / "ours"
    timed([*FLUX2BUILD, "build", "--quiet"], ours, contest.home)
    contest.measure("python -c pass", [sys.executable, "-c", "pass"])
    contest.measure("flux2build --version", [*FLUX2BUILD, "--version"])
    for command in ("build", "plan", "check"):
        contest.measure(f"flux2build {command}", [*FLUX2BUILD, command])
    contest.measure("script, skip if exists", [sys.executable, "script.py"])
    if contest.folder.joinpath("make").exists():
        contest.measure("make", ["make", "--silent"], "make")
    if contest.folder.joinpath("ninja").exists():
        contest.measure("ninja", ["ninja", "--quiet"], "ninja")
    if contest.dvc:
        contest.measure("dvc repro", [contest.dvc, "repro"], "dvc")
        contest.measure("dvc status", [contest.dvc, "status"], "dvc")
    with changed(ours / "shots.csv", turn):
        contest.measure("flux2build plan, one prompt changed", [*FLUX2BUILD, "plan"])
    with changed(ours / "refs/0.png", turn):
        contest.measure("flux2build plan, one reference changed", [*FLUX2BUILD, "plan"])
    shutil.rmtree(ours / ".flux2build")
    contest.measure("flux2build check, fresh clone", [*FLUX2BUILD, "check"])


class changed:  # noqa: N801  # reads as a phrase
    """A file that is another one for a while."""

    def __init__(self, path: Path, turn: int) -> None:
        self._path, self._turn = path, turn
        self._was, self._stat = path.read_bytes(), path.stat()

    def __enter__(self) -> None:
        if self._path.suffix == ".png":
            Image.new("RGB", (128, 128), (self._turn, 0, 0)).save(self._path)
        else:
            head, first, rest = self._was.split(b"\n", 2)
            self._path.write_bytes(b"\n".join((head, first + b"%d" % self._turn, rest)))

    def __exit__(self, *_: object) -> None:
        self._path.write_bytes(self._was)
        os.utime(self._path, ns=(self._stat.st_atime_ns, self._stat.st_mtime_ns))


def table(contest: Field) -> Iterator[str]:
    """One row for each command, in times of an empty Python and of Make."""
    seconds = {
        name: statistics.median(r.seconds for r in each) for name, each in contest.runs.items()
    }
    cpu = {name: statistics.median(run.cpu for run in each) for name, each in contest.runs.items()}
    first, make = seconds["python -c pass"], seconds.get("make")
    yield f"{contest.count:,} pictures ({machine()})"
    yield ""
    rows = [
        [
            name,
            milliseconds(took),
            f"{took / first:.1f}",
            f"{took / make:.1f}" if make else "",
            milliseconds(cpu[name]),
            f"{max(run.peak for run in contest.runs[name]):.0f} MiB",
        ]
        for name, took in seconds.items()
    ]
    head = ("", "median", "times an empty Python", "times make", "CPU", "peak")
    yield from markdown(head, rows)


if __name__ == "__main__":
    main()
