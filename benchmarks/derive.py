"""How fast files are derived: flux2build beside a plain Pillow loop and libvips.

    python benchmarks/derive.py                 # 100 masters, 12 files of each
    python benchmarks/derive.py --masters 10 --rounds 1

Every contestant runs in a process of its own, in turns, on the same masters, and writes
the same files: three widths times four formats. libvips takes part when pyvips is there:
`pip install 'pyvips[binary]'`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

WIDTHS = (320, 640, 960)
FORMATS = ("avif", "webp", "jpeg", "png")
SIZE = (1024, 1024)

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
target.mkdir()
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    with Image.open(path) as master:
        for width in (320, 640, 960):
            size = (width, round(master.height * width / master.width))
            scaled = master.resize(size, Image.Resampling.LANCZOS)
            for form, options in OPTIONS.items():
                scaled.save(target / f"{path.stem}-{width}.{form}", form, **options)
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


@dataclass(frozen=True)
class Run:
    """What one contestant needed once."""

    seconds: float
    cpu: float
    peak: int
    """Largest resident set in KiB."""
    written: int
    """Bytes of the files, which must be about the same for a fair comparison."""


def main() -> None:
    """Let everyone derive the same files in turns, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--masters", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder)
        draw_masters(ground / "masters", asked.masters)
        runs: dict[str, list[Run]] = {}
        for turn in range(asked.rounds):
            for name, run in contestants(ground, turn):
                runs.setdefault(name, []).append(run)
                print(f"{name}: {run.seconds:.1f} s", file=sys.stderr)
    print("\n".join(table(runs, asked.masters * len(WIDTHS) * len(FORMATS))))


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


def contestants(ground: Path, turn: int) -> Iterator[tuple[str, Run]]:
    """Everyone once, each into a folder of its own."""
    masters = str(ground / "masters")
    for name, words in (
        ("Pillow, one loop", [sys.executable, "-c", PILLOW, masters]),
        ("libvips", [sys.executable, "-c", VIPS, masters]),
        ("flux2build", []),
    ):
        if name == "libvips" and not importlib.util.find_spec("pyvips"):
            continue
        out = ground / f"out-{turn}"
        yield name, timed([*words, str(out)] if words else project(ground, out), ground, out)
        shutil.rmtree(out)


def project(ground: Path, out: Path) -> list[str]:
    """A fresh spec over the same masters, and the command that builds it."""
    names = sorted(path.stem for path in ground.joinpath("masters").iterdir())
    spec = SPEC.replace("NUMBERS", ", ".join(f'"{name}"' for name in names))
    path = ground / f"{out.name}.toml"
    path.write_text(spec.replace("OUTPUT", out.name))
    return [sys.executable, "-m", "flux2build", "build", "-f", str(path), "-q"]


def timed(words: Sequence[str], ground: Path, out: Path) -> Run:
    """Run a command to its end; its time, its processor time and its peak memory."""
    before = time.perf_counter()
    environment = {**os.environ, "FLUX2BUILD_HOME": str(ground / "home")}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[:4]} failed with {process.returncode}")
    seconds = time.perf_counter() - before
    written = sum(path.stat().st_size for path in out.iterdir())
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, written)


def table(runs: dict[str, list[Run]], files: int) -> Iterator[str]:
    """One row for each contestant; speed by medians, memory by the worst."""
    first = statistics.median(run.seconds for run in next(iter(runs.values())))
    yield f"{files} files, {os.cpu_count()} cores"
    yield ""
    yield "| | files/s | speed | processor seconds | peak MiB | MB written |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, each in runs.items():
        seconds = statistics.median(run.seconds for run in each)
        cpu = statistics.median(run.cpu for run in each)
        peak = max(run.peak for run in each) / 1024
        speed = f"{first / seconds:.2f}x"
        size = each[0].written / 1e6
        rate = f"{files / seconds:.1f}"
        yield f"| {name} | {rate} | {speed} | {cpu:.1f} | {peak:.0f} | {size:.1f} |"


if __name__ == "__main__":
    main()
