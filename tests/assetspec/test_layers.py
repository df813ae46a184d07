"""Precedence, as laws."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec.layers import Layer, merge
from flux2build.assetspec.tables import Settings

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 9),
        "provider": st.sampled_from(["p", "q"]),
        "model": st.sampled_from(["m", "n"]),
        "prompt": st.just("a prompt"),
        "template": st.just("a.j2"),
        "vars": st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
        "tags": st.lists(st.sampled_from(["x", "y"])),
    },
)


@given(st.lists(SETTINGS, max_size=5))
def test_later_layers_win(layers: list[dict[str, Any]]) -> None:
    """Each setting is that of the last layer that has it, at its key."""
    merged = merge((), {}, [Layer((n,), Settings(**written)) for n, written in enumerate(layers)])

    for name in ("seed", "provider", "tags"):
        last = [n for n, written in enumerate(layers) if name in written][-1:]
        assert merged.get(name) == (layers[last[0]][name] if last else None)
        assert merged.key(name) == ((*last, name) if last else ())


@given(st.lists(SETTINGS, max_size=5), st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)))
def test_variables_merge(layers: list[dict[str, Any]], below: dict[str, int]) -> None:
    """Variables of all layers are seen, each with its last value."""
    expected = dict(below)
    for written in layers:
        expected |= written.get("vars", {})

    assert merge((), below, [Layer((), Settings(**s)) for s in layers]).get("vars") == expected


@given(st.lists(SETTINGS, max_size=5))
def test_what_is_read_is_consumed(layers: list[dict[str, Any]]) -> None:
    """Reading a setting consumes the key that decided it; looking at it consumes nothing."""
    merged = merge((), {}, [Layer((n,), Settings(**written)) for n, written in enumerate(layers)])
    for name in merged.values:
        merged.peek(name)
    assert not merged.consumed
    for name in ("seed", "tags"):
        merged.get(name)

    assert merged.consumed == {merged.key(n) for n in ("seed", "tags") if n in merged.values}


@given(st.lists(SETTINGS, max_size=5))
def test_one_layer_says_the_prompt(layers: list[dict[str, Any]]) -> None:
    """`prompt` and `template` of different layers never meet."""
    merged = merge((), {}, [Layer((n,), Settings(**written)) for n, written in enumerate(layers)])
    found = {merged.key(name)[0] for name in ("prompt", "template") if name in merged.values}

    assert len(found) <= 1
