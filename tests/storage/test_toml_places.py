"""Where keys and values of a TOML file stand."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.model import Key
from flux2build.storage.toml_places import locate

TEXT = '''\
top = 1
"quoted key".b = "é" # a comment
[asset.hero]
matrix = { theme = ["l", "ü", "d"], a.b = 2 }
refs = [
  { asset = "m" }, # a comment
  "x",
]
prompt = """
hello"""
[[asset.hero.deliver]]
path = "a"
[[asset.hero.deliver]]
ops = [{ op = "crop", ratio = 1 }]
[asset.hero.deliver.sub]
z = 1979-05-27
[asset.hero.profile.final]
seed = 3
'''


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        (("top",), (1, 1, 3), (1, 7, 1)),
        (("quoted key", "b"), (2, 14, 1), (2, 18, 3)),
        (("asset",), (3, 2, 5), (3, 2, 5)),
        (("asset", "hero"), (3, 8, 4), (3, 8, 4)),
        (("asset", "hero", "matrix", "theme"), (4, 12, 5), (4, 20, 15)),
        (("asset", "hero", "matrix", "theme", 2), (4, 31, 3), (4, 31, 3)),
        (("asset", "hero", "matrix", "a", "b"), (4, 39, 1), (4, 43, 1)),
        (("asset", "hero", "refs", 0, "asset"), (6, 5, 5), (6, 13, 3)),
        (("asset", "hero", "refs", 1), (7, 3, 3), (7, 3, 3)),
        (("asset", "hero", "prompt"), (9, 1, 6), (9, 10, 3)),
        (("asset", "hero", "deliver", 1), (13, 14, 7), (13, 14, 7)),
        (("asset", "hero", "deliver", 1, "ops", 0, "ratio"), (14, 23, 5), (14, 31, 1)),
        (("asset", "hero", "deliver", 1, "sub", "z"), (16, 1, 1), (16, 5, 10)),
        (("asset", "hero", "profile", "final", "seed"), (18, 1, 4), (18, 8, 1)),
    ],
)
def test_places(key: Key, name: tuple[int, int, int], value: tuple[int, int, int]) -> None:
    """Names and values are found by line and column, in characters, through every notation."""
    location = locate(TEXT)[key]

    assert (location.name.line, location.name.column, location.name.width) == name
    assert (location.value.line, location.value.column, location.value.width) == value


def test_every_key_has_a_place() -> None:
    """Whatever the parser reads, its place is found."""
    pending: list[tuple[Key, object]] = [((), tomli.loads(TEXT))]
    keys = []
    while pending:
        key, value = pending.pop()
        keys.append(key)
        if isinstance(value, dict):
            pending += [((*key, name), item) for name, item in value.items()]
        elif isinstance(value, list):
            pending += [((*key, index), item) for index, item in enumerate(value)]

    assert {key for key in keys if key} <= locate(TEXT).keys()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    """A broken file has the places that can be made out, never a crash."""
    for location in locate(text).values():
        assert location.value.line >= 1
        assert location.value.column >= 1


def test_depth_is_survived() -> None:
    """Deep nesting and long dotted keys are walked without exhausting the stack."""
    deep = "a = " + "[" * 2000 + "]" * 2000 + "\nb" + ".b" * 3000 + " = 1\n"

    assert locate(deep)["a",].value.column == 5
