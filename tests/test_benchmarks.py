"""The benchmarks run: each prints a table of what it measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

BENCHMARKS: Final = Path(__file__).parents[1] / "benchmarks"
DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
SMALL: Final = {
    "orders": ("--orders", "2", "4", "--latency", "0", "--side", "64"),
    "changes": ("--pictures", "10", "--ledger", "0", "30", "--rounds", "1"),
    "sketches": ("--sketches", "2", "4", "--side", "64"),
    "ledger": ("--lines", "3000", "--rounds", "1"),
    "watch": ("--pictures", "2", "--edits", "1"),
    "team": ("--pictures", "2", "--milliseconds", "0", "--side", "64"),
    "derive": ("--masters", "2", "--rounds", "1"),
    "upscale": ("--side", "48", "--scales", "2", "--models", "art"),
    "weights": ("--device", "cpu", "--tiny", "--pictures", "1"),
}


def test_every_benchmark_is_run_somewhere() -> None:
    """A new benchmark has a small form here, and stands on the page of figures."""
    topics = {path.stem for path in BENCHMARKS.glob("*.py")} - {"peers", "run", "shots", "table"}
    page = BENCHMARKS.parent.joinpath("docs", "benchmarks.md").read_text("utf-8")

    assert topics == set(SMALL)
    assert all(f"benchmarks/{topic}.py" in page for topic in topics)


@pytest.mark.parametrize("topic", SMALL if DEEP else ["orders"])
def test_a_small_form_prints_its_table(topic: str) -> None:
    """It ends well, and what it says is Markdown."""
    if topic == "weights":
        pytest.importorskip("diffusers", reason="the extra `local` is not installed")
    if topic == "upscale":
        pytest.importorskip("ncnn", reason="the extra `upscale` is not installed")
    words = [sys.executable, str(BENCHMARKS / f"{topic}.py"), *SMALL[topic]]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)

    assert ran.returncode == 0, ran.stderr
    assert "|---|---:|" in ran.stdout
