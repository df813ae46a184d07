"""Structured prompts: rendered in their texts, and sent as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.prompts import Prompts
from flux2build.assetspec.templating import TextRenderer
from flux2build.assetspec.translations.catalog import Translations
from flux2build.digest import Json, canonical
from flux2build.model import Key
from tests.assetspec.specs import MemoryTree

KEY: Final[Key] = ("asset", "a", "prompt")
SCOPE: Final = {"theme": "dark", "brand": {"name": "Acme"}}


def prompt(value: Mapping[str, Any]) -> str:
    """What is sent for a structured prompt."""
    tree = MemoryTree({})
    texts = TextRenderer(Prompts(tree, "templates"), Translations(tree, None, Faults()))
    return texts.prompt(MergedSettings(KEY[:2], {"prompt": (value, KEY)}), SCOPE)


def fault(value: Mapping[str, Any]) -> Fault:
    """Why a structured prompt cannot be sent."""
    with pytest.raises(FaultyError) as caught:
        prompt(value)
    return caught.value.faults[0]


def test_table() -> None:
    """A structured prompt is rendered in its texts and written canonically."""
    value = {"z": ["{{ theme }}", 1, True], "a": {"b": "{{ brand.name }}", "c": 2.0}}

    assert prompt(value) == '{"a":{"b":"Acme","c":2},"z":["dark",1,true]}'


def test_table_fault_has_its_key() -> None:
    """A fault in a structured prompt names the text that has it."""
    wrong = fault({"a": ["ok", {"b": "x\n{{ nope }}"}]})

    assert (wrong.key, wrong.line) == ((*KEY, "a", 1, "b"), 2)


SCALARS: Final = st.one_of(st.integers(-(2**53), 2**53), st.booleans(), st.text(alphabet="ab {}"))
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text("xy"), inner)),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xy"), VALUES))
@settings(max_examples=50)
def test_tables_without_markup(value: dict[str, Json]) -> None:
    """A structured prompt without markup is its canonical JSON."""
    if "{{" not in json.dumps(value):
        assert prompt(value) == canonical(value)


@pytest.mark.parametrize(
    "value",
    [
        dt.date(1979, 5, 27),
        dt.time(7, 32),
        dt.datetime(1979, 5, 27, tzinfo=dt.UTC),
        math.inf,
        math.nan,
    ],
)
def test_a_structured_prompt_of_what_json_lacks(value: object) -> None:
    """A date or an endless number in a structured prompt is a fault with its key."""
    wrong = fault({"scene": [{"when": value}]})

    assert wrong.key == (*KEY, "scene", 0, "when")
    assert "cannot hold a" in wrong.message or "not a number" in wrong.message
