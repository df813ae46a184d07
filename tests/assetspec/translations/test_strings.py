"""Catalogues are read as they are written, and mistakes are reported with their line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec import translations
from flux2build.errors import SpecError
from tests.assetspec.specs import MemoryTree

PO = r"""
msgid ""
msgstr ""
"Language: pl\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\n"

msgid "headline"
msgstr ""
"Do domu "
"nocą\n"

#, fuzzy
msgid "cta"
msgstr "Rezerwuj"

msgctxt "menu"
msgid "cta"
msgstr "Menu"

msgid "nights"
msgid_plural "nights"
msgstr[0] "{n} noc"
msgstr[1] "{n} noce"
msgstr[2] "{n} nocy"

#~ msgid "old"
#~ msgstr "stare"
"""


def read(name: str, text: str | bytes) -> translations.Strings:
    """A catalogue in memory."""
    return translations.read(MemoryTree({name: text}), name)


def complaint(name: str, text: str | bytes) -> str:
    """The first thing that is wrong with it, with its place."""
    with pytest.raises(SpecError) as caught:
        read(name, text)
    return f"{caught.value.problems[0].place}: {caught.value.problems[0].message}"


def test_gettext() -> None:
    """Texts of several lines, contexts, fuzzy ones and plurals are read; obsolete ones are not."""
    found = read("pl.po", PO)
    assert {key: (m.forms, m.place.line, m.fuzzy) for key, m in found.messages.items()} == {
        ("headline", None): (("Do domu nocą\n",), 7, False),
        ("cta", None): (("Rezerwuj",), 13, True),
        ("cta", "menu"): (("Menu",), 17, False),
        ("nights", None): (("{n} noc", "{n} noce", "{n} nocy"), 20, False),
    }
    assert [found.form(n) for n in (1, 3, 5, 12, 22)] == [0, 1, 2, 2, 1]


@pytest.mark.parametrize(
    "text",
    [
        '#Comment\nmsgid "a"\nmsgstr "b"\n#,\n',
        '#~\n#:\nmsgid "a"\nmsgstr "b"\n\n#~| msgid "c"\n#~ msgid "d"\n#~ msgstr "e"\n',
        '#,fuzzy, c-format\n#~msgid "d"\n#~msgstr "e"\nmsgid "a"\r\nmsgstr "b"\r\n',
        'msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"\n',
        'msgid "a" msgstr "b"',
        '\tmsgid\n"a"\n\fmsgstr""\n"b"\n',
        'msgid "" "a"\nmsgstr "\\x62" ""\n',
        '#-#-#  de.po  #-#-#\nmsgid "a"\nmsgstr "b\\\n"\n',
        'domain "ads"\nmsgid "a"\nmsgstr "b"\n',
        'msgid "a"\n# why\nmsgstr "b"\n\n#~ msgid "cut off\n#~ hello\n#~ msgid "c"\n',
        'msgid "a"\nmsgid_plural "as"\nmsgstr [ 0 ] "b"\nmsgstr[1] "b"\nmsgstr[12] "c"\n',
        'msgid "" msgstr "Plural-Forms: nplurals=X; plural=Y;\\n"\nmsgid "a"\nmsgstr "b"\n',
    ],
)
def test_what_gettext_allows(text: str) -> None:
    """What `msgfmt` accepts is read, and whatever is obsolete does no harm."""
    found = read("a.po", text).messages

    assert [(key, {*message.forms}) for key, message in found.items()] == [(("a", None), {"b"})]


def test_an_encoding_that_the_header_names() -> None:
    """A catalogue of gettext may be in an encoding of its own, if it says so."""
    text = (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=Big5\\n"\nmsgid "a"\nmsgstr "街道"\n'
    )

    assert read("zh.po", text.encode("big5")).messages["a", None].forms == ("街道",)
    assert complaint("zh.po", text.encode("utf-8") + b"\xff").startswith(
        "zh.po: this is not in Big5"
    )


@pytest.mark.parametrize(
    ("header", "forms"),
    [
        ("", (1, 0, 1)),
        ("nplurals=2;", (1, 0, 1)),
        ("plural=(n > 1); nplurals=2", (0, 0, 1)),
        ("nplurals = 1; plural = 0;", (0, 0, 0)),
    ],
)
def test_plural_forms_as_tools_write_them(header: str, forms: tuple[int, ...]) -> None:
    """`Plural-Forms` may be blank, or give its parts in any order; gettext's default fills it up."""
    found = read("a.po", f'msgid ""\nmsgstr "Plural-Forms: {header}\\n"\nmsgid "a"\nmsgstr "b"\n')

    assert tuple(found.form(n) for n in (0, 1, 2)) == forms


def test_separators_of_unicode_are_no_line_ends() -> None:
    """A translation may have the separators that Unicode calls line ends, as any character."""
    found = read("a.po", 'msgid "a"\nmsgstr "b\u2028c\x85d"\n')

    assert found.messages["a", None].forms == ("b\u2028c\x85d",)


@given(st.dictionaries(st.text("abc", min_size=1), st.text(min_size=1), min_size=1))
def test_json_and_its_order_make_no_difference(texts: dict[str, str]) -> None:
    """Every text comes out as it is, however the file is written."""
    found = read("a.json", json.dumps({"deep": texts}))
    assert {key: m.forms for (key, _), m in found.messages.items()} == {
        f"deep.{key}": (text,) for key, text in texts.items()
    }


def test_what_is_no_text_bars_nothing_else() -> None:
    """A catalogue may hold lists and numbers for its own program; they have no text here."""
    found = read("a.json", '{"a": "x", "a": "y", "nav": ["b"], "year": 2026, "later": null}')

    assert {key: m.forms for (key, _), m in found.messages.items()} == {"a": ("y",)}
    assert dict(found.others) == {"nav": "a list", "year": "a whole number"}


def test_toml() -> None:
    """Tables are keys joined by dots."""
    found = read("a.toml", 'cta = "Book"\n[hero]\nline = "Home"\n')
    assert set(found.messages) == {("cta", None), ("hero.line", None)}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.po", 'msgid "a"\nmsgstr "b\n', "a.po:2: this is not a gettext catalogue: a text must"),
        ("a.po", 'msgid "a" b\n', "a.po:1: this is not a gettext catalogue: unknown or misformatted"),
        ("a.po", "\nhello\n", "a.po:2: this is not a gettext catalogue: unknown or misformatted"),
        ("a.po", '{"a": 1}', "a.po:1: this is not a gettext catalogue"),
        ("a.po", 'msgstr "b"\nmsgid "a"\n', "a.po:1: this is not a gettext catalogue: this line"),
        ("a.po", 'msgid "a"\n\n# cut off\n', "a.po:1: this is not a gettext catalogue: this message has no"),
        ("a.po", 'msgid "a"\n#, fuzzy\nmsgid "b"\nmsgstr "c"\n', "a.po:1: this is not a gettext catalogue: this message has no"),
        ("a.po", b'msgid "a"\nmsgstr "\xff"\n', "a.po:2:9: byte 0xff is not UTF-8"),
        ("a.json", "{", "a.json:1:2: this is not JSON: expecting property name"),
        ("a.json", "[]", "a.json: a catalogue must be an object of texts"),
        ("a.json", '{"a":' * 50_000, "a.json: this is nested too deeply"),
        ("a.toml", "a = ", "a.toml:1:5: there is no value"),
    ],
)  # fmt: skip
def test_faulty_catalogues(name: str, text: str | bytes, expected: str) -> None:
    """The message says which file, which line, and why."""
    assert complaint(name, text).startswith(expected)


def test_values_are_filled_in_as_icu_says() -> None:
    """Names in braces are replaced, numbers choose their words, and the rest stays as it is."""
    assert translations.filled("from {price}", "de", {"price": "9 €"}) == "from 9 €"
    plural = "{n, plural, one {# noc} few {# noce} other {# nocy}}"
    assert [translations.filled(plural, "pl", {"n": n}) for n in (1, 3, 5)] == [
        "1 noc",
        "3 noce",
        "5 nocy",
    ]
    assert translations.filled("{ as it is, it's 100 {%}", "de", {}) == "{ as it is, it's 100 {%}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("from {pirce}", "no value is given for `{pirce}`"), ("from {price", "lone brace")],
)
def test_messages_that_cannot_be_filled_in(text: str, complaint: str) -> None:
    """A translator's mistake never reaches a picture."""
    with pytest.raises(ValueError, match=complaint):
        translations.filled(text, "de", {"price": "9"})


def test_a_place_without_a_value_is_never_printed() -> None:
    """A message that wants values is given them, or is an error."""
    with pytest.raises(ValueError, match=r"no value is given for `\{name\}`"):
        translations.filled("Hello {name}", "de", {})
