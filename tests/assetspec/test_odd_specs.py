"""Whatever a person writes where a value stands, a spec is read or refused with its places."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flux2build.assetspec.reader import load
from flux2build.errors import SpecError
from tests.assetspec.specs import CAPABILITIES, MemoryTree

DEEP: Final = 100_000 if os.environ.get("FLUX2BUILD_DEEP") else 100
FILES: Final[dict[str, str | bytes]] = {
    "refs/desk.jpg": b"x",
    "brand/logo.png": b"x",
    "data/p.csv": "sku,name\na,b\nc,d\n",
}
SPEC: Final = """
[project]
output = "img"
templates = "templates"
[vars]
brand = { name = "Acme" }
[profile.final]
output = "final"
[budget]
per_run = 5.00
[manifest]
path = "all.json"
pictures = "pictures/{{ asset.name }}.html"
[defaults]
width = 1024
height = 1024
[style.product]
prompt_suffix = "studio light"
[asset.mascot]
prompt = "a fox {{ brand.name }}"
seed = 42
tags = ["brand"]
alt = "The {{ brand.name }} fox"
style = ["product"]
[asset.hero]
prompt = { scene = "x", cast = ["{{ theme }}", 1, 2.5, true] }
matrix = { theme = ["light", "dark"] }
refs = [{ asset = "mascot" }, "refs/desk.jpg"]
[[asset.hero.deliver]]
path = "hero-{{ theme }}-{{ width }}.{{ format }}"
widths = [640, 1024]
formats = ["webp", "jpeg"]
ops = [{ op = "crop", ratio = "16:9" }, { op = "overlay", source = "brand/logo.png" }]
documents = [{ document = "frames", path = "x-{{ theme }}.json" }]
[[asset.hero.deliver]]
path = "other-{{ theme }}.png"
[[asset.hero.deliver.ops]]
op = "overlay"
source = "brand/logo.png"
[[asset.hero.deliver.documents]]
document = "manifest"
path = "y-{{ theme }}.json"
base = "/images/"
[asset.shot]
rows = { file = "data/p.csv", key = "sku" }
prompt = "product {{ row.name }}"
provenance = true
"""
LINES: Final = SPEC.strip().splitlines()
# fmt: off
ODD: Final = (
    "0", "-1", "true", '""', '"x"', '"{{ nope }}"', '"{{ 1/0 }}"', '"{% for"', '"{{ 1e309 }}"',
    "inf", "nan", "1e308", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[]", "[1]", "[[]]",
    "[{}]", "{}", "{ a = 1 }", "{ a = { b = { c = [] } } }", "9223372036854775807", '"\\u0000"',
    '"../x"', '"/"', '"."', '["x", "x"]', "[nan]", "[1979-05-27]", "[{ op = 1 }]",
    "[{ asset = 1 }]", '[{ document = "frames", path = "x.json" }]', '"{{ brand }}"',
)
# fmt: on
VALUES: Final = [number for number, line in enumerate(LINES) if " = " in line]


@settings(max_examples=DEEP, deadline=None)
@given(
    st.dictionaries(st.sampled_from(VALUES), st.sampled_from(ODD), min_size=1, max_size=3),
    st.sets(st.sampled_from(range(len(LINES))), max_size=2),
)
@example({LINES.index('document = "manifest"'): "[]"}, set())
def test_odd_values(odd: dict[int, str], gone: set[int]) -> None:
    """A value of a wrong type, an odd text and a missing line are errors of the spec, never bugs."""
    changed = [
        f"{line.partition(' = ')[0]} = {odd[number]}" if number in odd else line
        for number, line in enumerate(LINES)
        if number not in gone
    ]
    with suppress(SpecError):
        load(
            MemoryTree({"assets.toml": "\n".join(changed), **FILES}),
            "assets.toml",
            None,
            CAPABILITIES,
        )
