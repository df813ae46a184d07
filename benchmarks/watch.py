"""How long it takes from saving an edit to the sketch of it, and to listening again, under `watch`.

python benchmarks/watch.py                       # among 100, 1,000 and 10,000 pictures
python benchmarks/watch.py --pictures 1000 --edits 10 --kinds rows
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image
from table import FLUX2BUILD, Goal, machine, markdown, milliseconds, timed

SPEC = """\
[project]
name = "bench"
output = "img"
templates = "prompts"

[style.calm]
prompt_suffix = "in light 0"

[defaults]
width = 64
height = 64

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
PROMPT

[asset.hero]
prompt = "a fox at a desk"
style = "calm"
refs = ["refs/desk.png"]
"""
KINDS = {
    "rows": 'prompt = "product photo number {{ row.sku }}, {{ row.words }}"',
    "templates": 'template = "{{ row.sku }}.j2"',
}
PATIENCE = 60.0
Waits = list[tuple[float, float, float]]
"""Seconds from each edit to its sketch, and until it listens again, and processor seconds until then."""


def row(folder: Path, number: int) -> str:
    """Edit the first row; return the picture of it."""
    path = folder / "shots.csv"
    head, _, rest = path.read_text().split("\n", 2)
    path.write_text(f"{head}\n0,word {number}\n{rest}")
    return "img/shot-0.png"


def template(folder: Path, number: int) -> str:
    """Edit a template; return the picture of it."""
    folder.joinpath("prompts/0.j2").write_text(f"product photo, edit {number}")
    return "img/shot-0.png"


def style(folder: Path, number: int) -> str:
    """Edit a style that one picture has; return it."""
    text = folder.joinpath("assets.toml").read_text()
    folder.joinpath("assets.toml").write_text(
        text.replace(f"in light {number}", f"in light {number + 1}")
    )
    return "img/hero.png"


def reference(folder: Path, number: int) -> str:
    """Draw another reference; return the picture that is made of it."""
    Image.new("RGB", (64, 64), (number, 99, 0)).save(folder / "refs/desk.png")
    return "img/hero.png"


EDITS: Mapping[str, Sequence[Callable[[Path, int], str]]] = {
    "rows": (row, style, reference),
    "templates": (template, style, reference),
}


def main() -> None:
    """Edit under watch at each size, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--edits", type=int, default=7)
    asked = parser.parse_args()
    waits = {
        (count, kind): watched(count, kind, asked.edits)
        for count in asked.pictures
        for kind in asked.kinds
    }
    print("\n".join(report(waits, asked.edits)))


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goals."""
    most = {100: 0.1} if quick else {1000: 0.1, 10_000: 0.3}
    waits = {(count, kind): watched(count, kind, 7) for count in most for kind in KINDS}
    yield from (*report(waits, 7), "")
    for count, seconds in most.items():
        own = [
            each for (size, _), found in waits.items() if size == count for each in found.values()
        ]
        took = max(statistics.median(sketch for sketch, _, _ in each) for each in own)
        what = f"`watch`, {count:,} pictures, from a saved edit to its sketch, the slowest kind"
        yield Goal(what, milliseconds(seconds), milliseconds(took), took <= seconds)


def report(waits: Mapping[tuple[int, str], Mapping[str, Waits]], edits: int) -> Iterator[str]:
    """The table."""
    yield f"From a saved edit to its sketch, medians of {edits} ({machine()})"
    yield ""
    rows = [
        (
            f"{count:,}, {'prompts in rows' if kind == 'rows' else 'a template each'}: {edit}",
            milliseconds(statistics.median(sketch for sketch, _, _ in each)),
            milliseconds(statistics.median(again for _, again, _ in each)),
            milliseconds(statistics.mean(cpu for _, _, cpu in each)),
        )
        for (count, kind), found in waits.items()
        for edit, each in found.items()
    ]
    yield from markdown(
        ("pictures, and what is edited", "sketch", "it listens", "processor time"), rows
    )


def watched(count: int, kind: str, edits: int) -> dict[str, Waits]:
    """The waits for each edit of a kind; the first edit of all warms it up."""
    folder = Path(tempfile.mkdtemp())
    home = {"FLUX2BUILD_HOME": str(folder / "home")}
    try:
        prepare(folder, count, kind)
        timed([*FLUX2BUILD, "build", "--quiet"], folder, home)
        with subprocess.Popen(
            [*FLUX2BUILD, "watch"],
            cwd=folder,
            env={**os.environ, **home},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            try:
                heard(process.stderr)
                edited(folder, EDITS[kind][0], edits, process)
                return {
                    edit.__name__: [
                        edited(folder, edit, number, process) for number in range(edits)
                    ]
                    for edit in EDITS[kind]
                }
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)


def prepare(folder: Path, count: int, kind: str) -> None:
    """Write the spec and all that it names."""
    for name in ("refs", "prompts"):
        folder.joinpath(name).mkdir()
    Image.new("RGB", (64, 64)).save(folder / "refs/desk.png")
    rows = "".join(f"{number},word\n" for number in range(count))
    folder.joinpath("shots.csv").write_text(f"sku,words\n{rows}")
    for number in range(count if kind == "templates" else 0):
        folder.joinpath(f"prompts/{number}.j2").write_text(f"product photo number {number}")
    folder.joinpath("assets.toml").write_text(SPEC.replace("PROMPT", KINDS[kind]))


def heard(said: Iterator[str]) -> None:
    """Wait until it watches again."""
    for line in said:
        if line.startswith("watching"):
            return
    raise SystemExit("watch ended")


def edited(
    folder: Path,
    edit: Callable[[Path, int], str],
    number: int,
    process: subprocess.Popen[str],
) -> tuple[float, float, float]:
    """Make one edit, and wait for what follows from it; then it gets time to write."""
    assert process.stderr is not None
    index = folder / ".flux2build/index"
    known, used = index.stat().st_ino, cpu(process.pid)
    started = time.perf_counter()
    picture = folder / edit(folder, number)
    before = picture.stat().st_ino
    waited(lambda: picture.stat().st_ino != before)
    took = time.perf_counter() - started
    heard(process.stderr)
    again, used = time.perf_counter() - started, cpu(process.pid) - used
    waited(lambda: index.stat().st_ino != known)
    return took, again, used


def cpu(process: int) -> float:
    """The processor seconds of a process so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waited(there: Callable[[], bool]) -> None:
    """Wait until something is there."""
    started = time.perf_counter()
    while not there():
        if time.perf_counter() - started > PATIENCE:
            raise SystemExit("nothing came of an edit")
        time.sleep(0.001)


if __name__ == "__main__":
    main()
