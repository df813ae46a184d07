"""How fast files are derived: flux2build beside Pillow, in a loop and in a pool, and libvips.

    python benchmarks/derive.py                 # 100 masters, 12 files of each
    python benchmarks/derive.py --masters 10 --rounds 1

Every contestant runs in a process of its own, in turns, on the same masters, and writes
the same files: three widths times four formats. libvips takes part when pyvips is there:
`pip install 'pyvips[binary]'`; a Dask cluster of one and two processes with the extra `cluster`.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from PIL import Image, ImageChops
from table import FLUX2BUILD, Goal, Run, machine, markdown, timed

WIDTHS = (320, 640, 960)
FORMATS = ("avif", "webp", "jpeg", "png")
SIZE = (1024, 1024)
POOLED, OURS = "Pillow, a process on each core", "flux2build"

SPEC = """\
[project]
name = "bench"
output = "OUTPUT"

[asset.photo]
source = "masters/{{ number }}.png"
matrix = { number = [NUMBERS] }

[[asset.photo.deliver]]
path = "{{ number }}-{{ width }}.{{ format }}"
widths = [320, 640, 960]
formats = ["avif", "webp", "jpeg", "png"]
"""

PILLOW = """\
import sys
from pathlib import Path
from PIL import Image
OPTIONS = {
    "avif": {"quality": 60, "speed": 7, "subsampling": "4:2:0", "max_threads": 1},
    "webp": {"quality": 82, "method": 6},
    "jpeg": {"quality": 85, "progressive": True, "optimize": True},
    "png": {"compress_level": 6},
}
target = Path(sys.argv[2])
def derive(path):
    with Image.open(path) as master:
        for width in (320, 640, 960):
            size = (width, round(master.height * width / master.width))
            scaled = master.resize(size, Image.Resampling.LANCZOS)
            for form, options in OPTIONS.items():
                scaled.save(target / f"{path.stem}-{width}.{form}", form, **options)
target.mkdir()
masters = sorted(Path(sys.argv[1]).glob("*.png"))
"""
LOOP = f"{PILLOW}for path in masters: derive(path)"
POOL = f"""\
import multiprocessing, os
{PILLOW}
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
with multiprocessing.get_context("fork").Pool(cores) as pool:
    pool.map(derive, masters, 1)
"""

VIPS = """\
import sys
from pathlib import Path
import pyvips
OPTIONS = {
    "avif": {"Q": 60, "effort": 2, "compression": "av1"},
    "webp": {"Q": 82, "effort": 6},
    "jpeg": {"Q": 85, "interlace": True, "optimize_coding": True},
    "png": {"compression": 6, "filter": "all"},
}
target = Path(sys.argv[2])
target.mkdir()
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    for width in (320, 640, 960):
        scaled = pyvips.Image.thumbnail(str(path), width).copy_memory()
        for form, options in OPTIONS.items():
            scaled.write_to_file(str(target / f"{path.stem}-{width}.{form}"), **options)
"""


def main() -> None:
    """Let everyone derive the same files in turns, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--masters", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print("\n".join(report(*measured(asked.masters, asked.rounds), asked.masters)))


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goal."""
    masters, rounds = (6, 1) if quick else (40, 3)
    runs, sizes = measured(masters, rounds, {POOLED, OURS})
    yield from (*report(runs, sizes, masters), "")
    pool, ours = runs[POOLED], runs[OURS]
    speed = statistics.median(a.seconds / b.seconds for a, b in zip(pool, ours, strict=True))
    cpu = statistics.median(a.cpu / b.cpu for a, b in zip(pool, ours, strict=True))
    told = f"{speed:.2f} x as fast, {cpu:.2f} x by processor time"
    what = f"{masters} masters, 12 files of each"
    yield Goal(what, "0.95 x a pool of Pillow processes", told, min(speed, cpu) >= 0.95)


def measured(
    masters: int, rounds: int, only: Collection[str] = ()
) -> tuple[dict[str, list[Run]], dict[str, float]]:
    """What everyone needed, by turns, or only some, and how many megabytes each wrote."""
    runs: dict[str, list[Run]] = {}
    sizes: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder)
        draw_masters(ground / "masters", masters)
        for turn in range(rounds):
            everyone = contestants(ground, f"out-{turn}")
            for name, words in (each for each in everyone if not only or each[0] in only):
                run = timed(words, ground, {"FLUX2BUILD_HOME": str(ground / "home")})
                runs.setdefault(name, []).append(run)
                out = ground / f"out-{turn}"
                sizes[name] = sum(path.stat().st_size for path in out.iterdir()) / 1e6
                shutil.rmtree(out)
    return runs, sizes


def draw_masters(folder: Path, count: int) -> None:
    """Pictures like photographs: smooth forms, texture, a little grain."""
    folder.mkdir()
    for number in range(count):
        draw(number).save(folder / f"{number:04}.png", compress_level=1)


def draw(number: int) -> Image.Image:
    """A cloud of colours, sums of ever finer noise."""
    dice = random.Random(number)
    picture = Image.new("RGB", SIZE, (96, 96, 96))
    for octave in range(1, 10):
        cells = 2**octave
        noise = Image.frombytes("RGB", (cells, cells), dice.randbytes(cells * cells * 3))
        smooth = noise.resize(SIZE, Image.Resampling.BICUBIC)
        amount = 0.62**octave
        layer = smooth.point(lambda level, amount=amount: round((level - 128) * amount) + 128)
        picture = ImageChops.add(picture, layer, offset=-128)
    return picture


def contestants(ground: Path, out: str) -> Iterator[tuple[str, list[str]]]:
    """Everyone's command, which writes into `out`."""
    yield "Pillow, one loop", [sys.executable, "-c", LOOP, "masters", out]
    if "fork" in multiprocessing.get_all_start_methods():
        yield POOLED, [sys.executable, "-c", POOL, "masters", out]
    if importlib.util.find_spec("pyvips"):
        yield "libvips", [sys.executable, "-c", VIPS, "masters", out]
    names = sorted(path.stem for path in ground.joinpath("masters").iterdir())
    spec = SPEC.replace("NUMBERS", ", ".join(f'"{name}"' for name in names))
    build = [*FLUX2BUILD, "build", "-q", "-f"]
    clusters = ("local:1", "local:2") if importlib.util.find_spec("distributed") else ()
    for number, cluster in enumerate(("", *clusters)):
        own = f"{out}-{number}.toml"
        ground.joinpath(own).write_text(spec.replace("OUTPUT", out))
        if cluster:
            yield f"flux2build, `--cluster {cluster}`", [*build, own, "--cluster", cluster]
        else:
            yield OURS, [*build, own]


def report(runs: dict[str, list[Run]], sizes: dict[str, float], masters: int) -> Iterator[str]:
    """The table: medians of time, the worst of memory, and how much was written."""
    rounds, files = len(next(iter(runs.values()))), masters * len(WIDTHS) * len(FORMATS)
    yield f"{files:,} files, median of {rounds} ({machine()})"
    yield ""
    first = statistics.median(run.seconds for run in next(iter(runs.values())))
    rows = []
    for name, each in runs.items():
        seconds = statistics.median(run.seconds for run in each)
        cpu = statistics.median(run.cpu for run in each)
        peak = max(run.peak for run in each)
        speeds = (f"{files / seconds:.1f}", f"{first / seconds:.2f} x")
        rows.append([name, *speeds, f"{cpu:.1f}", f"{peak:.0f}", f"{sizes[name]:.1f}"])
    head = ("", "files a second", "speed", "processor seconds", "peak MiB", "MB written")
    yield from markdown(head, rows)


if __name__ == "__main__":
    main()
