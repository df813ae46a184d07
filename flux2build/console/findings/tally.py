"""The line that sums up a check for people."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from flux2build.console.findings.contract import CheckReport
from flux2build.console.plan_view import counted, footer


def tally(report: CheckReport) -> Text:
    """How many findings there are of each severity; without any, what the plan says."""
    if not report.findings and report.plan is not None:
        return footer(report.plan)
    counts = Counter(finding.severity for finding in report.findings)
    parts = [f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in sorted(counts.items())]
    files = f" in {counted(len(report.plan.steps))}" if report.plan else ""
    return Text(f"{', '.join(parts)}{files}.", "bold")
