"""What `check` says of a small site, as rows of its JSON."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import Site

SPEC = """\
[project]
output = "img"

[defaults]
width = 128
height = 96

[asset.fox]
prompt = "a friendly fox"
alt = "A fox"

[[asset.fox.deliver]]
path = "fox-{{ width }}.{{ format }}"
widths = [64]
formats = ["webp", "jpeg"]

[asset.bell]
prompt = "a bell"
tags = ["small"]
"""


def built(site: Site, more: str = "", spec: str = SPEC) -> None:
    """A site of two assets, built; `more` goes before its assets."""
    site.write("assets.toml", spec.replace("[asset.fox]\n", f"{more}\n[asset.fox]\n", 1))
    assert site.run("build").code == 0


def told(site: Site, *words: str) -> list[dict[str, Any]]:
    """The findings, drift among them."""
    ran = site.run("check", "--json", *words)
    found: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    assert (ran.code == 1) == any(f["severity"] == "error" for f in found)
    return found


def files(found: list[dict[str, Any]], code: str) -> list[str | None]:
    """The paths that a code is about, or its assets where it is about no file."""
    return [f["path"] or f["asset"] for f in found if f["code"] == code]
