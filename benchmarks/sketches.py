"""How fast sketches are drawn, and on how many cores: real builds, from nothing.

    python benchmarks/sketches.py                    # 100 and 400 sketches of 512 by 512 pixels

What one more sketch needs is told without what starting takes. A core is only used where the
machine has nothing else to do: read that column on a quiet one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from table import FLUX2BUILD, Run, machine, markdown, timed

SPEC = """\
[project]
name = "bench"
output = "img"

[defaults]
width = {side}
height = {side}

[asset.shot]
rows = {{ file = "shots.csv", key = "sku" }}
prompt = "a lighthouse on a cliff at dusk, number {{{{ row.sku }}}}"
"""


def main() -> None:
    """Draw few and many, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sketches", type=int, nargs=2, default=[100, 400])
    parser.add_argument("--side", type=int, default=512)
    asked = parser.parse_args()
    few, many = (drawn(count, asked.side) for count in asked.sketches)
    more = asked.sketches[1] - asked.sketches[0]
    cpu, seconds = (many.cpu - few.cpu) / more, (many.seconds - few.seconds) / more
    print(f"Sketches of {asked.side} by {asked.side} pixels ({machine()})\n")
    head = ("", "CPU each", "each takes", f"cores of {os.cpu_count()}", "peak")
    row = (f"one of {more} more", f"{cpu * 1000:.1f} ms", f"{seconds * 1000:.1f} ms")
    print("\n".join(markdown(head, [[*row, f"{cpu / seconds:.2f}", f"{many.peak:.0f} MiB"]])))


def drawn(count: int, side: int) -> Run:
    """A build of so many sketches."""
    folder = Path(tempfile.mkdtemp())
    try:
        rows = "".join(f"{number}\n" for number in range(count))
        folder.joinpath("shots.csv").write_text(f"sku\n{rows}")
        folder.joinpath("assets.toml").write_text(SPEC.format(side=side))
        home = {"FLUX2BUILD_HOME": str(folder / "home")}
        return timed([*FLUX2BUILD, "build", "--quiet"], folder, home)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
