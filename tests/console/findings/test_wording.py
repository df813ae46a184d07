"""The last line for people says how many findings there are, or that everything is current."""

from __future__ import annotations

import pytest

from flux2build.planning.plan import plan
from tests.console.findings.samples import printed
from tests.snapshots import snapshot


@pytest.mark.parametrize("name", ["full", "concise"])
def test_nothing_found(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Without findings, the plan says that everything is up to date."""
    out, err = printed(capsys, name, plan=plan([], snapshot(), lambda _: None))

    assert out + err == "Up to date (draft): 0 files. Nothing to do.\n"
