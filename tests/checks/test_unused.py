"""`unused`: what is said without effect, or is probably not meant."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.conftest import Site

PLACE = "assets.toml:9:10"
SPEC = """\
[vars]
brand = "Acme"
[style.lost]
seed = 3
[defaults]
seed = 1
steps = 20
[asset.fox]
prompt = "a fox for { brand } {#FF0000}, and {#0000FF#} {{ brand }}"
"""


def test_what_has_no_effect_is_a_warning(empty: Site) -> None:
    """Shared tables and texts are warned about at their place, and an option can make it fail."""
    empty.write("assets.toml", SPEC)
    empty.run("build")
    ran = empty.run("check", "--output-format", "concise")

    assert ran.code == 0
    assert ran.out.splitlines()[:4] == [
        "assets.toml:3:8: warning unused-key: no asset has the style `lost`",
        "assets.toml:7:1: warning unused-key: no asset has a use for `steps`",
        f"{PLACE}: warning prompt-comment: a comment takes `FF0000}}, and {{#0000FF` out of the text",
        f"{PLACE}: warning single-brace: `{{ brand }}` stays as it is written",
    ]
    assert empty.run("check", "--strict").code == 1
    empty.edit("assets.toml", "[vars]", '[checks]\nunused = "off"\n[vars]')
    assert empty.run("check", "--strict").code == 0


def test_a_plan_notes_what_is_probably_not_meant(empty: Site) -> None:
    """What is about a picture is noted before it is rendered."""
    empty.write("assets.toml", SPEC)

    assert "note: fox: `{ brand }` stays as it is written; write `{{ brand }}`" in (
        empty.run("plan").out
    )


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("swap it with image 3", "the prompt says `image 3`, but there are 2 references"),
        ("Image 0", "the prompt says `image 0`, but there are 2 references"),
        ("as in image 2", None),
        ('a sign that says "IMAGE 9"', None),
    ],
)
def test_a_picture_that_is_not_sent_is_a_warning(
    empty: Site, prompt: str, message: str | None
) -> None:
    """A prompt may speak of pictures as it likes, and one that is not sent is told in plan and check."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64)).save(empty.folder / name)
    refs = 'refs = ["a.png", "b.png"]\n'
    empty.write("assets.toml", f"[asset.fox]\nprompt = {json.dumps(prompt)}\n{refs}")

    plan, check = empty.run("plan"), empty.run("check", "--select", "unsent-image")

    assert plan.code == check.code == 0
    told = f"warning: {message} [unsent-image]\n --> assets.toml:2:10"
    assert (told in check.out, f"note: fox: {message}; " in plan.out) == (bool(message),) * 2


def test_what_nobody_sees_in_a_text_is_a_warning(empty: Site) -> None:
    """A character without width changes a prompt, and so what is paid for, unseen."""
    empty.write("templates/fox.j2", "a fox\u200b with\u200d ears")
    empty.write("assets.toml", '[asset.fox]\ntemplate = "fox.j2"\n')

    check = empty.run("check", "--select", "unused")

    assert check.out.count("[invisible-character]") == 1
    assert "U+200B (zero width space)" in check.out
    assert "--> assets.toml:2:12" in check.out


def test_odd_data_is_a_warning(empty: Site) -> None:
    """A formula that failed is told once for each column that templates name, with its lines."""
    empty.write("p.csv", "sku,name,stock\nA,#REF!,N/A\nB,Cup,#N/A\nC,#ref!,3\n")
    empty.write(
        "assets.toml",
        '[asset.shot]\nprompt = "a {{ row.name }}"\nrows = { file = "p.csv", key = "sku" }\n',
    )
    ran = empty.run("check", "--select", "odd-data")

    assert (ran.code, ran.out.count("odd-data")) == (0, 1)
    assert "column `name` holds `#REF!`, which is not a value [odd-data]" in ran.out
    assert "lines: 2, 4" in ran.out
    assert "--> assets.toml:3:17" in ran.out


def test_a_table_without_rows_is_a_warning(empty: Site) -> None:
    """A file that an export has cut to its header leaves a family without members."""
    empty.write("p.csv", "sku,stock\n")
    rows = '{ file = "p.csv", key = "sku", where = "{{ row.stock | int > 5 }}" }'
    plain = '{ file = "p.csv", key = "sku" }'

    def said(table: str) -> str:
        empty.write("assets.toml", f'[asset.shot]\nprompt = "a"\nrows = {table}\n')
        return empty.run("check", "--select", "odd-data").out

    assert "`p.csv` has no rows, so `shot` has no members" in said(plain)
    assert "`p.csv` has no rows that `where` picks" in said(rows)
    empty.write("p.csv", "sku,stock\nA,9\n")
    assert "no rows" not in said(plain) + said(rows)
