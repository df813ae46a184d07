"""A small site to build and check, with its findings as rows of `check --json`."""

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


def build(site: Site, more: str = "", spec: str = SPEC) -> None:
    """Build a site of two assets; `more` goes before them in the spec."""
    site.write("assets.toml", spec.replace("[asset.fox]\n", f"{more}\n[asset.fox]\n", 1))
    assert site.run("build").code == 0


def check_json(site: Site, *words: str) -> list[dict[str, Any]]:
    """Run `check`; the findings of every check."""
    ran = site.run("check", "--json", *words)
    findings: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    assert (ran.code == 1) == any(f["severity"] == "error" for f in findings)
    return findings


def paths(findings: list[dict[str, Any]], code: str) -> list[str | None]:
    """The paths of the findings with a code, or the assets of those that have no path."""
    return [f["path"] or f["asset"] for f in findings if f["code"] == code]
