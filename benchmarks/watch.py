"""How long it takes from saving a prompt to the sketch of it, under `flux2build watch`.

python benchmarks/watch.py                       # among 10, 100 and 1,000 pictures
python benchmarks/watch.py --pictures 1000 --edits 10
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from table import FLUX2BUILD, Goal, machine, markdown, milliseconds, timed

SPEC = """\
[project]
name = "bench"
output = "img"

[defaults]
width = 256
height = 256

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
prompt = "product photo number {{ row.sku }}"

[asset.hero]
prompt = "a fox at a desk"
"""
PATIENCE = 60.0


def main() -> None:
    """Edit under watch at each size, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--edits", type=int, default=7)
    asked = parser.parse_args()
    waits = {count: watched(count, asked.edits) for count in asked.pictures}
    print("\n".join(report(waits)))


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goals."""
    most = {100: 0.1} if quick else {1000: 0.1, 10_000: 0.3}
    waits = {count: watched(count, 7) for count in most}
    yield from (*report(waits), "")
    for count, seconds in most.items():
        took = statistics.median(waits[count])
        what = f"`watch`, {count:,} pictures, from a saved prompt to its sketch"
        yield Goal(what, milliseconds(seconds), milliseconds(took), took <= seconds)


def report(waits: Mapping[int, list[float]]) -> Iterator[str]:
    """The table."""
    edits = len(next(iter(waits.values())))
    yield f"From a saved edit to its sketch, median of {edits} ({machine()})"
    yield ""
    rows = [
        (f"{count:,}", milliseconds(statistics.median(each)), milliseconds(max(each)))
        for count, each in waits.items()
    ]
    yield from markdown(("pictures", "median", "worst"), rows)


def watched(count: int, edits: int) -> list[float]:
    """Seconds from each edit of one prompt to its new file."""
    folder = Path(tempfile.mkdtemp())
    home = {"FLUX2BUILD_HOME": str(folder / "home")}
    try:
        rows = "".join(f"{number}\n" for number in range(count))
        folder.joinpath("shots.csv").write_text(f"sku\n{rows}")
        folder.joinpath("assets.toml").write_text(SPEC)
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
                return [edited(folder, number, process.stderr) for number in range(edits)]
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)


def heard(said: Iterator[str]) -> None:
    """Wait until it watches again."""
    for line in said:
        if line.startswith("watching"):
            return
    raise SystemExit("watch ended")


def edited(folder: Path, number: int, said: Iterator[str]) -> float:
    """Seconds from one edit to its sketch."""
    picture = folder / "img/hero.png"
    before = picture.stat().st_ino
    started = time.perf_counter()
    folder.joinpath("assets.toml").write_text(SPEC.replace("a fox", f"fox number {number}"))
    while picture.stat().st_ino == before:
        if time.perf_counter() - started > PATIENCE:
            raise SystemExit("no new picture came")
        time.sleep(0.001)
    took = time.perf_counter() - started
    heard(said)
    return took


if __name__ == "__main__":
    main()
