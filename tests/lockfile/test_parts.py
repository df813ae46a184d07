"""A block that is read alone is the block that is read with all others."""

from __future__ import annotations

from hypothesis import given, settings

from flux2build.lockfile import Lockfile, dumps, loads
from flux2build.lockfile.parts import Parts, spans
from tests.lockfile.test_lockfile import LOCKS


@given(LOCKS)
@settings(max_examples=50)
def test_blocks_stand_alone(lock: Lockfile) -> None:
    """Whatever a lock holds, its parts are its blocks, or it is not read in parts."""
    text = dumps(lock).encode()
    whole = loads(text.decode(), "assets.lock")

    places = spans(text, whole)

    if places is not None:
        parts = Parts(text, "assets.lock", places)
        assert dict(parts) == dict(whole.blocks)


def test_what_is_not_together_is_not_read_in_parts() -> None:
    """The tables of a block have to follow each other, and nothing may only look like one."""
    head = "version = 1\nrevision = 1\n"
    block = '\n[asset.{0}.draft]\nmeta = "sha256:' + "0" * 64 + '"\n'
    own, other = block.format("fox"), block.format("owl")
    lock = loads(head + own + other, "assets.lock")

    assert spans((head + own + other).encode(), lock) is not None
    assert spans((head + own + other + "\n[asset.fox.draft.generated]\n").encode(), lock) is None
    assert spans((head + own + own + other).encode(), lock) is None
    assert spans((head + own).encode(), lock) is None
