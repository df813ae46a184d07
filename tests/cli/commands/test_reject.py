"""`reject`: nothing is made of a picture that was rejected, until there is another."""

from __future__ import annotations

import httpx

from flux2build.lockfile import Review, loads
from flux2build.model import AssetName
from tests.conftest import Site
from tests.hostile import TEXTS
from tests.simulated import charges


def review(site: Site, asset: str = "sheet") -> Review | None:
    """What the lock says was decided about an asset."""
    lock = loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    block = lock.block(AssetName(asset), "default")
    return block.review if block else None


def test_a_rejected_picture_needs_another_one(reviewed: Site, server: httpx.Client) -> None:
    """Nothing is made of it, `check` fails, and a further candidate that is picked takes its place."""
    reviewed.run("build", "sheet", "--yes")
    reviewed.run("reject", "sheet", "--note", "the ears")
    assert reviewed.run("check", "sheet").code == 1
    assert reviewed.run("build", "--yes").code == 5
    assert charges(server) == 1

    reviewed.run("reroll", "sheet", "--yes")
    reviewed.run("pick", "sheet", "2")
    assert review(reviewed) is None
    reviewed.run("approve", "sheet")
    assert reviewed.run("build", "--yes").code == 0
    assert charges(server) == 4


def test_no_note_steers_what_reads_it(reviewed: Site) -> None:
    """A note comes back from the lock as it was, and nothing prints its characters that steer."""
    reviewed.run("build", "sheet", "--yes")
    note = "".join(text for text in TEXTS if len(text) == 1 and text != "\0")
    decided = reviewed.run("reject", "sheet", "--note", note)
    written = review(reviewed)
    printed = [decided, *(reviewed.run(*words) for words in (("plan",), ("list",), ("check",)))]

    assert written is not None
    assert written.note == note
    assert all("\x1b" not in ran.out + ran.err for ran in printed)
    assert len(note) > 60
