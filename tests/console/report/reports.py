"""Contents of reports, made of locks that say whatever a test wants."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache

from msgspec.structs import replace
from PIL import Image

from flux2build.console.report.contents import Contents
from flux2build.images.preview import Preview, preview
from flux2build.lockfile import Lockfile, Review, ReviewState
from flux2build.lockfile.compare import compare
from flux2build.model import AssetName, Output
from flux2build.session.revisions import Compared
from tests.snapshots import generated, locked, master


@cache
def painted(colour: str) -> Preview:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(file, "PNG")
    return preview(file.getvalue(), 1024)


def lock_of(prompts: Mapping[str, str], note: str = "") -> Lockfile:
    """A lock of assets with these prompts, all of them approved."""
    rows = []
    for name, prompt in prompts.items():
        recipe = master(name, prompt)
        rows.append((recipe, generated(recipe, data=prompt)))
    lock = locked(*rows)
    blocks = {}
    for key, block in lock.blocks.items():
        assert block.generated is not None
        digest = block.generated.output.sha256
        review = Review(ReviewState.APPROVED, digest, "Ann <ann@example.com>", "2026-11-01", note)
        blocks[AssetName(key[0]), key[1]] = replace(block, review=review)
    return replace(lock, blocks=blocks)


def contents(before: Lockfile, after: Lockfile) -> Contents:
    """What a report tells of two locks; every picture is at hand."""
    changes = [Compared(change, None) for change in compare(before, after)]

    def old(_output: Output) -> Preview:
        return painted("teal")

    def new(_output: Output) -> Preview:
        return painted("orange")

    return Contents("acme", "Since main: much.", "Price: free.", changes, [], old, new)
