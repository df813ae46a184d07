"""Chance that repeats itself."""

from __future__ import annotations

from collections import Counter

from flux2build.providers.sketch.random_source import RandomSource


def test_a_token_always_rolls_the_same() -> None:
    """The numbers are pinned: a new release draws old sketches alike."""
    rng = RandomSource("flux2build")

    assert [round(rng.unit(), 3) for _ in range(3)] == [0.363, 0.104, 0.479]


def test_forks_do_not_disturb_each_other() -> None:
    """What one part rolls leaves another part's numbers alone."""
    busy, calm = RandomSource("1"), RandomSource("1")
    for _ in range(5):
        busy.unit()

    assert busy.fork("sky").unit() == calm.fork("sky").unit()
    assert calm.fork("sky").unit() != calm.fork("sea").unit()


def test_choices_are_fair() -> None:
    """Each option comes up about as often as its weight."""
    rng = RandomSource("fair")
    seen = Counter(rng.weighted([("a", 3), ("b", 1), ("c", 0)]) for _ in range(2000))

    assert set(seen) == {"a", "b"}
    assert 0.7 < seen["a"] / 2000 < 0.8
    assert sorted(rng.shuffled([3, 1, 2])) == [1, 2, 3]
    assert {1, 2, 3} == {rng.whole(1, 3) for _ in range(60)}
