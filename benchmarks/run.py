"""What flux2build is to reach, and what it takes, as Markdown: `python benchmarks/run.py > figures.md`.

python benchmarks/run.py                   # all goals; more than an hour on two cores
python benchmarks/run.py --quick           # a look, of small sizes; about ten minutes
python benchmarks/run.py orders sketches   # the goals of some topics
"""

from __future__ import annotations

import argparse
import os
import time
from importlib import import_module

from table import Goal, machine, markdown

TOPICS = ("changes", "ledger", "watch", "derive", "sketches", "orders")


def main() -> None:
    """Measure what the topics want to reach; print their tables, and a table of all goals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("topics", nargs="*", metavar="topic", help=", ".join(TOPICS))
    parser.add_argument("--quick", action="store_true", help="small sizes")
    asked = parser.parse_args()
    if unknown := set(asked.topics) - set(TOPICS):
        parser.error(f"no goals of {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    started, goals = time.monotonic(), list[Goal]()
    for topic in asked.topics or TOPICS:
        print(f"## {topic}\n", flush=True)
        for each in import_module(topic).goals(quick=asked.quick):
            if isinstance(each, Goal):
                goals.append(each)
            else:
                print(each, flush=True)
    minutes, load = (time.monotonic() - started) / 60, os.getloadavg()[0]
    print(
        f"## Goals\n\n{machine()}, measured in {minutes:.0f} minutes; load {load:.0f} at the end\n"
    )
    rows = [
        (it.what, it.goal, it.measured, "reached" if it.reached else "**not reached**")
        for it in goals
    ]
    print("\n".join(markdown(("", "goal", "measured", ""), rows)))


if __name__ == "__main__":
    main()
