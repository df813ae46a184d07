"""All benchmarks, one after the other, as Markdown: `python benchmarks/run.py > figures.md`.

python benchmarks/run.py orders changes             # some of them
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TOPICS = sorted(
    path.stem for path in HERE.glob("*.py") if path.stem not in {"peers", "run", "table"}
)


def main() -> None:
    """Run the topics that are named, else all."""
    asked = sys.argv[1:] or TOPICS
    if unknown := set(asked) - set(TOPICS):
        raise SystemExit(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}"
        )
    for topic in asked:
        print(f"## {topic}\n", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{topic}.py")], check=True)
        print(flush=True)


if __name__ == "__main__":
    main()
