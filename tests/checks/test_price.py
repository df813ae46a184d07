"""The check `price`: a few pixels that cost a megapixel are reported before they are paid for."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from flux2build.simulator import running
from tests.conftest import Site
from tests.simulated import AT_ONCE, order_from

SPEC: Final = """\
[project]
name = "acme"
[profile.draft]
[profile.final]
provider = "bfl"
[asset.fox]
prompt = "a fox"
height = 1024
width = 1040
[asset.owl]
prompt = "an owl"
width = 1024
height = 1024
"""


def _cliffs(site: Site, profile: str) -> list[dict[str, Any]]:
    findings = json.loads(site.run("check", "--profile", profile, "--json").out)["findings"]
    return [finding for finding in findings if finding["code"] == "megapixel-cliff"]


def test_cliff_is_a_warning_where_the_size_stands(empty: Site) -> None:
    """It names the asset, the place of the width, what is billed, and the cheaper size."""
    empty.write("assets.toml", SPEC)

    (finding,) = _cliffs(empty, "final")

    assert (finding["asset"], finding["severity"]) == ("fox", "warning")
    assert (finding["file"], finding["line"], finding["column"]) == ("assets.toml", 9, 9)
    assert finding["message"] == "1040 by 1024 is billed as 2 megapixels"
    assert finding["hint"] == "1024×1024 costs $0.015 less"  # noqa: RUF001  # as shown
    assert _cliffs(empty, "draft") == []


def test_paid_picture_is_no_warning(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is paid for, another size would only cost more; a clean tree stays clean."""
    empty.write("assets.toml", SPEC)
    with running(AT_ONCE) as base:
        order_from(base, monkeypatch)
        assert empty.run("build", "--profile", "final", "--yes").code == 0

    assert _cliffs(empty, "final") == []
    assert empty.run("check", "--profile", "final", "--strict").code == 0
