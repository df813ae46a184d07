"""A block that is read alone is the block that is read with all others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import of_bytes
from flux2build.lockfile import Lockfile, dumps, loads
from flux2build.lockfile.parts import Parts, spans
from tests.lockfile.test_lockfile import LOCKS


@given(LOCKS, st.sampled_from([0, 1000]))
@settings(max_examples=50)
def test_blocks_stand_alone(lock: Lockfile, expected: int) -> None:
    """Whatever a lock holds, and whoever reads it, its parts are its blocks, or it is not read in parts."""
    text = dumps(lock).encode()
    whole = loads(text.decode(), "assets.lock")

    places = spans(text, whole)

    if places is not None:
        parts = Parts(text, "assets.lock", places)
        parts.expected = expected
        assert dict(parts) == dict(whole.blocks)


@given(LOCKS, st.data())
@settings(max_examples=50)
def test_a_patched_text_is_that_of_all_blocks(lock: Lockfile, data: st.DataObject) -> None:
    """Whichever blocks are others, or were not there before, the text is the one of a whole lock."""
    keys = st.sets(st.sampled_from([*lock.blocks])) if lock.blocks else st.just(set())
    added, others = data.draw(keys), data.draw(keys)
    meta = of_bytes(b"as it was")
    before = {
        key: replace(block, meta=meta) if key in others else block
        for key, block in lock.blocks.items()
        if key not in added
    }
    earlier = replace(lock, blocks=before, revision=lock.needed)
    text = dumps(earlier).encode()
    places = spans(text, loads(text.decode(), "assets.lock"))
    if not places:
        return

    parts = Parts(text, "assets.lock", places, canonical=True)
    now = parts.replacing({key: lock.blocks[key] for key in added | others})

    expected = dumps(replace(lock, revision=lock.needed)).encode()
    assert (now.patched.text, {*now}) == (expected, {*lock.blocks})
    stand_alone = spans(expected, loads(expected.decode(), "assets.lock"))
    assert stand_alone in (None, now.patched.places)  # a name with a quote is not looked for


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
