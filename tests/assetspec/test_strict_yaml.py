"""YAML is read strictly: one meaning for each text, and a place for each mistake."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec.strict_yaml import YamlFaultError, parsed


def fault(text: str) -> str:
    """The place and the message of what is wrong with a text."""
    with pytest.raises(YamlFaultError) as caught:
        parsed(text)
    return f"{caught.value.line}:{caught.value.column}: {caught.value.message}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-3", -3),
        ("1.5", 1.5),
        ("007", "007"),
        ("+49", "+49"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("12:30", "12:30"),
        ("2024-05-01", "2024-05-01"),
        (".inf", ".inf"),
        ("1.", "1."),
        ("9" * 40, "9" * 40),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("|\n  a\n  b\n", "a\nb"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_a_value_is_what_json_would_take_it_for_or_its_text(written: str, value: object) -> None:
    """Nothing turns into a date, an octal number or a boolean that was meant as a text."""
    assert parsed(f"a: {written}")[0] == {"a": value}


def test_aliases_and_merges_repeat_values() -> None:
    """A key of an object's own counts more than a merged one, and an earlier base more than a later."""
    text = "- &x {a: 1, b: 1}\n- &y {a: 2, c: 2}\n- <<: [*x, *y]\n  b: 3\n- *x\n"

    data, _ = parsed(text)

    assert data == [{"a": 1, "b": 1}, {"a": 2, "c": 2}, {"a": 1, "b": 3, "c": 2}, {"a": 1, "b": 1}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: `a` is given twice in one object"),
        ("a: b: c", "1:5: this is not YAML: a `: ` inside of a text"),
        ("a:\n\tb: 1", "2:1: this is not YAML: a tab stands where a value begins"),
        ("a: @x", "1:4: this is not YAML: a text cannot start with `@`"),
        ("a: **b**", "1:5: this is not YAML: a text cannot start with `*`"),
        ("a: 'It's'", "1:8: this is not YAML: something follows the end of a text"),
        ("a: {{ x }}", "1:9: braces begin an object, which cannot be a key"),
        ("a: *b", "1:4: `*b` is not the name of a value"),
        ("&a [*a]", "1:5: `*a` holds itself"),
        ("a: !!binary aGk=", "1:4: tags such as `!!binary` are not read"),
        ("a: !!python/object/apply:os.system [ls]", "1:4: tags such as `!!python/object/apply"),
        ("--- 1\n--- 2\n", "2:1: a second document"),
        ("a: [1, 2", "2:1: this is not YAML: a quote or a bracket has no end"),
        ("a: x\x07", "1:5: an invisible character that YAML does not have: U+0007"),
        ("\u200b- a: 1\n  b: 2\n", "1:1: this key has an invisible character: U+200B"),
        ("- a: 1\n\u200b  b: 2\n  c: 3\n", "2:1: an invisible character begins this line: U+200B"),
        ("a\u200b: 1\n", "1:1: this key has an invisible character: U+200B"),
        ("<<: 3", "1:5: `<<` takes objects"),
        ("[" * 100, "1:65: YAML is nested more than 64 deep"),
        ("[" * 100_000, "1:"),
    ],
)
def test_a_mistake_has_its_place(text: str, expected: str) -> None:
    """Line and column are those of the letter to mend."""
    assert fault(text).startswith(expected)


def test_what_aliases_repeat_is_counted() -> None:
    """A thousand million values in nine lines are refused before anything is made of them."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [" + ", ".join([f"*{before}"] * 9) + "]")

    assert "more than 1,000,000 values" in fault("\n".join(lines))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text("ab:#-'\"{}[]*&!|>%@ \n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner),
    max_leaves=8,
)


def trimmed(value: object) -> object:
    """A value with its texts as cells have them."""
    match value:
        case str():
            return value.strip()
        case list():
            return [trimmed(each) for each in value]
        case dict():
            return {key: trimmed(each) for key, each in value.items()}
        case _:
            return value


@given(VALUES)
def test_json_is_yaml(value: object) -> None:
    """Whatever JSON says, YAML says the same with the same text."""
    assert parsed(json.dumps(value, ensure_ascii=False, indent=1))[0] == trimmed(value)
