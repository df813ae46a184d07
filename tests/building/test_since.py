"""What there is since a build began."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flux2build.building.since import Since

KEYS = st.sampled_from("abcd")


@given(st.dictionaries(KEYS, st.integers()), st.lists(st.tuples(KEYS, st.integers() | st.none())))
def test_it_is_what_a_copy_would_be(
    before: dict[str, int], changes: list[tuple[str, int | None]]
) -> None:
    """Whatever is made and taken away, it holds what a changed copy holds, and leaves the original."""
    since, copy, original = Since(before), dict(before), dict(before)
    for key, made in changes:
        if made is None:
            since.take_away(key)
            copy.pop(key, None)
        else:
            since[key] = copy[key] = made

    assert dict(since) == copy
    assert len(since) == len(copy)
    assert before == original
