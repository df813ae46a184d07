"""A document for each asset is there for one that is new as well."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Site

SPEC: Final = """
[manifest]
pictures = "{{ asset.name }}.html"

[asset.post]
rows = { file = "posts.csv", key = "slug" }
prompt = "{{ row.title }}"
width = 64
height = 64
"""


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("posts.csv", "b,Jam\n"),
        ("assets.toml", '[asset.lone]\nprompt = "x"\nwidth = 64\nheight = 64\n'),
    ],
)
def test_a_new_asset_has_its_document(empty: Site, file: str, edit: str) -> None:
    """What is planned after an edit is what is planned without memory of the last build."""
    empty.write("posts.csv", "slug,title\na,Tea\n")
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == 0
    with Path(file).open("a", encoding="utf-8") as written:
        written.write(edit)

    warm = empty.run("plan").out
    shutil.rmtree(".flux2build")

    assert warm == empty.run("plan").out
    assert "new document" in warm
