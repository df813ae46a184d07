"""Mistakes in TOML are named in the words of people, with what was meant."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Problem, SpecError
from flux2build.storage.toml_text import parsed

_WRITTEN: Final = re.compile(r"write `(a = .*)`")


def mistake(text: str) -> Problem:
    """What is wrong with a text."""
    with pytest.raises(SpecError) as caught:
        parsed(text, "a.toml")
    (problem,) = caught.value.problems
    return problem


VALUES: Final = [
    ("“x”", '"x"'),
    ("\u2018x\u2019", '"x"'),
    ("„x“", '"x"'),
    ("«x»", '"x"'),
    ('“x"', '"x"'),
    ("`x`", '"x"'),
    ("x", '"x"'),
    ("a red fox, sitting", '"a red fox, sitting"'),
    ("../x.png", '"../x.png"'),
    ("C:\\x\\y.png", "'C:\\x\\y.png'"),
    ("1536px", "1536"),
    ("1_536 px", "1_536"),
    ("50%", "50"),
    ("0.5em", "0.5"),
    ("100K", "100"),
    ("0,50", "0.50"),
    ("1,000", "1000"),
    ("10 000", "10000"),
    ("$0.50", "0.50"),
    ("0,50 €", "0.50"),
    ("01", "1"),
    ("1.", "1.0"),
    (".5", "0.5"),
    ("#0A84FF", '"#0A84FF"'),
    ("#fff # white", '"#fff"'),
    ("True", "true"),
    ("yes", "true"),
    ("OFF", "false"),
    ("(1, 2)", "[1, 2]"),
    ("= 1", "1"),
    ("512x512", '"512x512"'),
    ("16:9", '"16:9"'),
    ("2024-1-1", '"2024-1-1"'),
    ("'it's'", '"it\'s"'),
    ('"say "hi" now"', "'say \"hi\" now'"),
    ('"b" "c"', '["b", "c"]'),
]


@pytest.mark.parametrize(("value", "meant"), VALUES)
def test_a_value_is_written_as_it_was_meant(value: str, meant: str) -> None:
    """The hint is the line to paste, and the line is TOML."""
    problem = mistake(f"[t]\na = {value}\n")

    assert problem.hint == f"write `a = {meant}`"
    assert parsed(f"a = {meant}", "a.toml")
    assert str(problem.place).startswith("a.toml:2:")
    assert problem.excerpt == f"a = {value}"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a\xa0= 1", "1:2", "outside of quotes: U+00A0 (no-break space)", "a plain space"),
        ("a = 1\u200b", "1:6", "outside of quotes: U+200B (zero width space)", "delete it"),
        ("a = 1\rb = 2", "1:6", "U+000D (carriage return)", "LF or CRLF"),
        ("// note", "1:1", "a comment starts with `#`", "`#` instead of `//`"),
        ('a = "x" // note', "1:9", "a comment starts with `#`", "`#` instead of `//`"),
        ("/* note */", "1:1", "a comment starts with `#`", "`#` instead of `/*`"),
        ("-- note", "1:1", "a comment starts with `#`", "`#` instead of `--`"),
        ('a = "x', "1:5", "no closing quote", 'write `"x"`'),
        ('a = "x”', "1:5", "no closing quote", 'write a straight `"`'),
        ('a = """x', "1:5", "no closing quote", 'write `"""` where the text ends'),
        ('a = "C:\\Users\\x"', "1:8", "a lone `\\`", 'write `"C:/Users/x"`'),
        ('a = "\\d"', "1:6", "a lone `\\`", "write `\\\\` for a backslash"),
        ("[a]\nb = 1\n[c]\n[a]", "4:1", "`[a]` is declared twice", "below one header"),
        ("a = 1\na = 2", "2:1", "`a` is given twice", "keep one"),
        ("a: 1", "1:2", "as in YAML", "write `a = 1`"),
        ("a: a fox", "1:2", "as in YAML", 'write `a = "a fox"`'),
        ("a:\n  b: 1", "1:2", "as in YAML", "write `[a]`"),
        ("- a", "1:3", "this is YAML", "a list"),
        ('{"a": 1}', "1:1", "this is JSON", "TOML has lines like"),
        ('a = {"b": 1}', "1:9", "as in JSON", "write `=`"),
        ("<html>", "1:1", "this is HTML or XML", "TOML has lines like"),
        ("a = null", "1:5", "TOML has no `null`", "leave the key out"),
        ("a =", "1:4", "there is no value", "leave the key out"),
        ("hello", "1:6", "a key without a value", "TOML has lines like"),
        ("a = 1 b = 2", "1:7", "a second key stands on this line", "a line of its own"),
        ("a = 1;", "1:5", "does not end in `;`", "take the `;` away"),
        ('a = "x",', "1:5", "does not end in `,`", "take the `,` away"),
        ("a = [1,,2]", "1:8", "a value is missing before this comma", "one comma"),
        ("a = [1 2]", "1:8", "a comma is missing in this list", "write `,` or `]`"),
        ("a = [1, 2", "1:10", "the list has no closing `]`", "write `]`"),
        ("a = {b = 1", "1:11", "the table has no closing `}`", "write `}`"),
        ("a = [320px, 640]", "1:6", "a number has no unit", "write `320`"),
        ("a = [0.5, .5]", "1:11", "on both sides of its point", "write `0.5`"),
        ("a = { w = 1536px }", "1:11", "a number has no unit", "write `1536`"),
        ("a = [#fff, #000]", "1:6", "a colour needs quotes", 'write `"#fff"`'),
        ("[asset.my fox]", "1:11", "a name in a header needs quotes", 'write `[asset."my fox"]`'),
        ("[a\nb = 1", "1:3", "the header `[a` has no closing `]`", "write `[a]`"),
        ("[[a]\nb = 1", "1:4", "the header `[[a]` has no closing `]]`", "write `[[a]]`"),
        ("my fox = 1", "1:1", "this key needs quotes", 'write `"my fox" = …`'),
        ("café = 1", "1:1", "this key needs quotes", 'write `"café" = …`'),
        ("<<<<<<< HEAD", "1:1", "a conflict marker", "keep one side"),
    ],
)
def test_mistakes(text: str, place: str, message: str, hint: str) -> None:
    """Each mistake is at its place, named, and answered by what to write."""
    problem = mistake(text)

    assert str(problem.place) == f"a.toml:{place}"
    assert message in problem.message
    assert hint in (problem.hint or "")


def test_a_number_beyond_the_exact_ones() -> None:
    """An exponent that no exact decimal has is an error with the file, not a bug."""
    with pytest.raises(SpecError, match="a number has too many digits"):
        parsed(f"price = 1e-{'9' * 30}", "cards.toml", Decimal)


@given(st.text("ab1.,#=[]{}\"'“”\\ \n\t/:-x%\xa0\r", max_size=24))
def test_any_text_is_toml_or_has_a_place(text: str) -> None:
    """No text is an accident, every mistake lies inside the text, and a pasted hint is TOML."""
    try:
        parsed(f"a = {text}", "a.toml")
    except SpecError as error:
        (problem,) = error.problems
        assert problem.place
        assert 1 <= problem.place.line <= text.count("\n") + 1
        if (hint := _WRITTEN.fullmatch(problem.hint or "")) and "…" not in hint[1]:
            parsed(hint[1], "a.toml")
