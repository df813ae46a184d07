"""How fast orders are bought: real builds against the simulator, in a process of its own.

    python benchmarks/orders.py                      # 100, 1,000 and 3,000 orders
    python benchmarks/orders.py --orders 500 --providers bfl cometapi replicate

With a latency of L seconds, C in flight and N orders nobody can be faster than L x N / C.
What buying takes beyond the memory of the plan must not grow with the number of orders.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shots import selling, tree
from table import FLUX2BUILD, Goal, Run, machine, markdown, timed

PROVIDERS = ("bfl", "cometapi", "replicate")


@dataclass(frozen=True)
class Terms:
    """How the simulated server works, and the side of its pictures in pixels."""

    latency: float
    in_flight: int
    side: int

    def limit(self, count: int) -> float:
        """Seconds in which nobody can buy more than so many orders."""
        return self.latency * count / self.in_flight

    def __str__(self) -> str:
        size = f"{self.side} by {self.side} pixels"
        return f"Orders of {size}, {self.in_flight} in flight, {self.latency:g} s each"


@dataclass(frozen=True)
class Purchase:
    """A build of so many orders, from nothing, and only its plan."""

    provider: str
    count: int
    run: Run
    plan: Run

    @property
    def cpu(self) -> float:
        """Milliseconds of processor time for each order, with all that a build needs."""
        return self.run.cpu / self.count * 1000


def main() -> None:
    """Buy ever more pictures, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs="*", default=[100, 1000, 3000])
    parser.add_argument("--providers", nargs="*", choices=PROVIDERS, default=["bfl"])
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--in-flight", type=int, default=24)
    parser.add_argument("--side", type=int, default=512)
    asked = parser.parse_args()
    terms = Terms(asked.latency, asked.in_flight, asked.side)
    for provider in asked.providers:
        purchases = [bought(provider, count, terms) for count in asked.orders]
        print("\n".join(report(purchases, terms)), end="\n\n", flush=True)


def goals(*, quick: bool) -> Iterator[str | Goal]:
    """The table, and what became of the goals."""
    terms, count = Terms(2, 24, 512), 96 if quick else 500
    purchases = [bought(provider, count, terms) for provider in PROVIDERS]
    yield from (*report(purchases, terms), "")
    times = {each.provider: each.run.seconds / terms.limit(count) for each in purchases}
    cpu = {each.provider: each.cpu for each in purchases}
    what = f"{count} paid orders, 24 in flight, 2 s each"
    told = ", ".join(f"{name} {figure:.2f}" for name, figure in times.items())
    yield Goal(what, "1.05 x L·N/C", told, max(times.values()) <= 1.05)
    told = ", ".join(f"{name} {figure:.1f} ms" for name, figure in cpu.items())
    yield Goal(f"{what}, processor time of each", "15 ms", told, max(cpu.values()) <= 15)


def report(purchases: Sequence[Purchase], terms: Terms) -> Iterator[str]:
    """The table, and how memory grows."""
    yield f"{terms} ({machine()})"
    yield ""
    head = ("provider", "orders", "limit", "took", "of the limit", "CPU per order", "peak")
    yield from markdown((*head, "of the plan"), [_row(each, terms) for each in purchases])
    beyond = {each.count: each.run.peak - each.plan.peak for each in purchases}
    if len(beyond) > 1:
        few, many = min(beyond), max(beyond)
        slope = (beyond[many] - beyond[few]) / (many - few) * 1000
        yield ""
        yield f"Beyond the plan, memory grows by {slope:.1f} MiB per 1,000 orders."


def _row(purchase: Purchase, terms: Terms) -> list[str]:
    limit = terms.limit(purchase.count)
    seconds = purchase.run.seconds
    return [
        purchase.provider,
        f"{purchase.count:,}",
        f"{limit:.1f} s",
        f"{seconds:.1f} s",
        f"{seconds / limit:.2f}" if limit else "-",
        f"{purchase.cpu:.1f} ms",
        f"{purchase.run.peak:.0f} MiB",
        f"{purchase.plan.peak:.0f} MiB",
    ]


def bought(provider: str, count: int, terms: Terms) -> Purchase:
    """A build of so many orders, from nothing, in a home of its own, and only its plan."""
    arguments = ("--latency", str(terms.latency), "--limit", str(terms.in_flight))
    with tree(count, terms.side, provider) as folder, selling(*arguments) as user:
        environment = {**user, "FLUX2BUILD_HOME": str(folder / "home")}
        words = [*FLUX2BUILD, "build", "--yes", "--quiet", "--jobs", str(terms.in_flight)]
        _warm(words, terms, provider, environment)
        plan = timed([*FLUX2BUILD, "plan", "--quiet"], folder, environment)
        return Purchase(provider, count, timed(words, folder, environment), plan)


def _warm(words: Sequence[str], terms: Terms, provider: str, user: Mapping[str, str]) -> None:
    """Buy one picture: the simulator imports what draws, as a server has done long ago."""
    with tree(1, terms.side, provider) as folder:
        timed(words, folder, {**user, "FLUX2BUILD_HOME": str(folder / "home")})


if __name__ == "__main__":
    main()
