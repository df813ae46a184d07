"""The key, signed queries and users in URLs never scope_of a text."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Problem, SystemFault
from flux2build.purchasing.http import Key, redacted, unkeyed
from flux2build.purchasing.redaction import gives_away

ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40).filter(
    lambda value: value[0] != value[-1] or value[0] not in "\"'"
)


@given(ASCII, st.text(max_size=20), st.text(max_size=20))
def test_key_is_masked_in_every_form(value: str, before: str, after: str) -> None:
    """Plain, quoted for a URL, JSON, HTML or Python, and encoded, a key does not come through."""
    key, data = Key(value), value.encode()
    forms = (
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
        data.hex(),
        json.dumps(value)[1:-1],
        html.escape(value),
        repr(value)[1:-1],
    )

    for form in forms:
        assert form not in key.masked(before + form + after)


def test_key_does_not_print() -> None:
    """Neither `repr` nor `str` nor a format shows a key."""
    key = Key("  secret-key\n")

    assert key.reveal() == "secret-key"
    assert "secret" not in f"{key} {key!r} {[key]}"


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "schlüssel", "a\x7fb"])
def test_odd_keys_are_refused_without_being_shown(value: str) -> None:
    """What cannot stand in a header is refused, naming the variable only."""
    with pytest.raises(SystemFault) as error:
        Key(value, "BFL_API_KEY")

    assert error.value.problems == (
        Problem(
            "`BFL_API_KEY` does not hold a key", hint="a key is one line of plain ASCII characters"
        ),
    )
    with pytest.raises(SystemFault, match=r"^`the key` does not hold a key$"):
        Key(value)


@pytest.mark.parametrize("value", ['"secret-key"', "'secret-key'", '""'])
def test_a_key_in_quotes_is_refused(value: str) -> None:
    """Quotes that a program left around a value are said, and neither they nor the key are sent."""
    with pytest.raises(SystemFault, match="`BFL_API_KEY` has quotes around it") as error:
        Key(value, "BFL_API_KEY")

    assert "secret" not in str(error.value)
    assert "docker --env-file" in (error.value.problems[0].hint or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://d.example/a.png?sig=abc&se=1 now", "see https://d.example/a.png?… now"),
        ("https://user:pass@d.example/a", "https://d.example/a"),
        ("no url here? none", "no url here? none"),
    ],
)
def test_urls_lose_what_opens_doors(text: str, expected: str) -> None:
    """Signed queries and users are removed, the rest of a URL stays."""
    assert expected == redacted(text)


def test_tiny_keys_do_not_mask_words() -> None:
    """A key of a letter or two, as in a trial, leaves texts readable."""
    assert redacted("a plain text", Key("a")) == "a plain text"


def test_every_key_of_the_process_is_kept_out_of_a_report() -> None:
    """A report on a bug knows no key by name, and still tells none."""
    Key("first-secret-key")
    Key("second-secret-key")

    report = unkeyed("first-secret-key, second-secret-key")

    assert "first-secret-key" not in report
    assert "second-secret-key" not in report


@pytest.mark.parametrize(
    ("value", "unmistakable"), [("test", False), ("practice", False), ("k" * 12, True)]
)
def test_short_keys_turn_up_by_chance(value: str, *, unmistakable: bool) -> None:
    """A word that people practise with may stand in a URL without being a key there."""
    assert Key(value).unmistakable is unmistakable


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        ("abcd", "abcd, abcde", "***, ***e"),
        ("abc", "abc", "abc"),
        ("\\abcd", "\\\\abcd", "***"),
        ("key?>>keyabW", "a2V5Pz4+a2V5YWJX a2V5Pz4-a2V5YWJX", "*** ***"),
        ("my key/01", "my%20key%2F01 my+key%2F01 my%20key/01", "*** *** ***"),
        ("ab'c\"d", "ab\\'c\"d", "***"),
        ("a/b+c=d&e", "a%2fb%2bc%3dd%26e", "***"),
        ("a/b+c=d&e", "a%2Fb%2Bc%3Dd%26e", "***"),
        ("a/b+c=d&e", "a/b%2Bc%3Dd%26e", "***"),
        ("key~key~key", "key~key~key a2V5fmtleX5rZXk a2V5fmtleX5rZXk=", "*** *** ***="),
        ("key?>>key", "a2V5Pz4-a2V5 a2V5Pz4+a2V5", "*** ***"),
        ("k<k>k", "k&lt;k&gt;k 6b3c6b3e6b", "*** ***"),
        ('k"k\\k', 'k\\"k\\\\k', "***"),
    ],
)
def test_what_is_left_of_a_text(value: str, text: str, masked: str) -> None:
    """The whole of the longest spelling goes, so that no part of the key stays."""
    assert Key(value).masked(text) == masked
    assert redacted(text, Key(value)) == masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPS://D.example/a?b=1", "HTTPS://D.example/a?…"),
        ("<a href='https://d.example/a?b=1'>", "<a href='https://d.example/a?…'>"),
        ("https://d.example/a#b?c", "https://d.example/a#b?c"),
        ("https://d.example/a@b", "https://d.example/a@b"),
        ("HTTP://me@d.example http://you@e.example/?x", "HTTP://d.example http://e.example/?…"),
    ],
)
def test_urls_end_where_they_end(text: str, expected: str) -> None:
    """Queries and users of URLs are cut in any case, quoted or several, and nothing else is."""
    assert redacted(text) == expected


def test_what_gives_a_key_away() -> None:
    """A long key does so anywhere in any spelling, a short one only as the whole text."""
    Key("long/secret/key/0")
    Key("shorty")

    assert gives_away(" shorty\n")
    assert not gives_away("shorty it is")
    assert gives_away("task-long%2Fsecret%2Fkey%2F0-1")
    assert not gives_away("long/secret")
    assert repr(Key("shorty")) == "Key(***)"
