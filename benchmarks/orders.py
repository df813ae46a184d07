"""How fast orders are bought: real builds against the simulator, in a process of its own.

    python benchmarks/orders.py                      # 100, 1,000 and 3,000 orders
    python benchmarks/orders.py --orders 1000 --latency 4

With a latency of L seconds, C in flight and N orders nobody can be faster than L x N / C.
What buying takes beyond the memory of the plan must not grow with the number of orders.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from table import FLUX2BUILD, Run, machine, markdown, timed

from flux2build.simulator import spawned

SPEC = """\
[project]
name = "bench"
output = "img"

[defaults]
provider = "bfl"
width = {side}
height = {side}

[asset.shot]
rows = {{ file = "shots.csv", key = "sku" }}
prompt = "product photo number {{{{ row.sku }}}}"
"""


def main() -> None:
    """Buy ever more pictures, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs="*", default=[100, 1000, 3000])
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--in-flight", type=int, default=24)
    parser.add_argument("--side", type=int, default=512)
    asked = parser.parse_args()
    print("\n".join(report(asked.orders, asked.latency, asked.in_flight, asked.side)))


def report(sizes: list[int], latency: float, in_flight: int, side: int) -> Iterator[str]:
    """The table, and how memory grows."""
    runs = {count: bought(count, latency, in_flight, side) for count in sizes}
    yield f"Orders of {side} by {side} pixels, {in_flight} in flight, {latency:g} s each ({machine()})"
    yield ""
    head = (
        "orders",
        "limit",
        "took",
        "of 1.1 x limit + 1 s",
        "CPU per order",
        "peak",
        "of the plan",
    )  # as people write it
    yield from markdown(
        head, [_row(count, *run, latency, in_flight) for count, run in runs.items()]
    )
    if len(runs) > 1:
        few, many = min(runs), max(runs)
        beyond = {count: run.peak - plan.peak for count, (run, plan) in runs.items()}
        slope = (beyond[many] - beyond[few]) / (many - few) * 1000
        yield ""
        yield f"Beyond the plan, memory grows by {slope:.1f} MiB per 1,000 orders."


def _row(count: int, run: Run, plan: Run, latency: float, in_flight: int) -> list[str]:
    limit = latency * count / in_flight
    return [
        f"{count:,}",
        f"{limit:.1f} s",
        f"{run.seconds:.1f} s",
        f"{run.seconds / (1.1 * limit + 1):.2f}",
        f"{run.cpu / count * 1000:.1f} ms",
        f"{run.peak:.0f} MiB",
        f"{plan.peak:.0f} MiB",
    ]


def bought(count: int, latency: float, in_flight: int, side: int) -> tuple[Run, Run]:
    """A build of so many orders, from nothing, in a home of its own, and only its plan."""
    folder = Path(tempfile.mkdtemp())
    try:
        rows = "".join(f"{number}\n" for number in range(count))
        folder.joinpath("shots.csv").write_text(f"sku\n{rows}")
        folder.joinpath("assets.toml").write_text(SPEC.format(side=side))
        with spawned("--latency", str(latency), "--limit", str(in_flight), "--fast") as url:
            environment = {
                "FLUX2BUILD_BFL_URL": url,
                "BFL_API_KEY": "practice",
                "FLUX2BUILD_HOME": str(folder / "home"),
            }
            words = [*FLUX2BUILD, "build", "--yes", "--quiet", "--jobs", str(in_flight)]
            plan = timed([*FLUX2BUILD, "plan", "--quiet"], folder, environment)
            return timed(words, folder, environment), plan
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
