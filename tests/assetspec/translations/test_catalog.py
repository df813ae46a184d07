"""Strings come from catalogues, in each member's locale, by the policy that the spec states."""

from __future__ import annotations

from typing import Final

import pytest

from flux2build.assetspec.spec import Spec
from flux2build.model import Derive
from tests.assetspec.specs import derived, headlines, orders, problems, read

SPEC: Final = """
[catalog]
path = "locale/{locale}.po"
POLICY

[asset.ad]
prompt = "a night train"
matrix = { locale = ["en", "de", "fr"] }

[[asset.ad.deliver]]
path = "{{ locale }}.png"
ops = [{ op = "text", text = "{{ t('headline') }}" }]
"""


def po(**texts: str) -> str:
    """A catalogue of gettext."""
    return "\n".join(f'msgid "{key}"\nmsgstr "{text}"\n' for key, text in texts.items())


FILES: Final = {
    "locale/en.po": po(headline="Home by night"),
    "locale/de.po": po(headline="Nachts nach Hause"),
    "locale/fr.po": po(headline=""),
}


def spec(policy: str = "") -> str:
    """The spec with lines of `[catalog]`."""
    return SPEC.replace("POLICY", policy)


def texts(found: Spec) -> dict[str, object]:
    """What is set on each output."""
    tasks: dict[str, Derive] = {output: task for output, (_, task) in derived(found).items()}
    return {output: task.ops[0].params["text"] for output, task in tasks.items()}


def test_each_member_speaks_its_locale() -> None:
    """`t` reads the catalogue of the member's axis."""
    found = read(spec(), {**FILES, "locale/fr.po": po(headline="Rentrez de nuit")})
    assert texts(found) == {
        "en.png": "Home by night",
        "de.png": "Nachts nach Hause",
        "fr.png": "Rentrez de nuit",
    }
    assert found.gaps == ()


def test_a_missing_translation_is_an_error_with_its_place() -> None:
    """By default nothing is made up: the message names the locale, the key and the line."""
    (problem,) = problems(spec(), FILES)
    assert str(problem.place) == "locale/fr.po:1:8"
    assert problem.message == "not translated into `fr`: `headline`"
    assert ("asset", "ad[locale=fr]") in problem.rows
    assert ("used at", "assets.toml:2:8") in problem.rows
    assert "fallback" in str(problem.hint)


def test_missing_translations_are_reported_by_locale() -> None:
    """Ten keys that two locales lack are two problems, not twenty."""
    many = spec().replace("t('headline')", "t('a') ~ t('b') ~ t('c')")
    found = problems(many, {"locale/en.po": po(a="1", b="2", c="3"), "locale/de.po": po(a="1")})
    assert [problem.message for problem in found] == [
        "not translated into `fr`: `a`, `b`, `c`",
        "not translated into `de`: `b`, `c`",
    ]
    assert ("catalogue", "`locale/fr.po` does not exist") in found[0].rows


def test_another_locale_stands_in() -> None:
    """With `fallback` the first locale that has the string is used, and the spec says so."""
    found = read(spec('policy = "fallback"\nfallback = ["it", "en"]'), FILES)
    assert texts(found)["fr.png"] == "Home by night"
    (gap,) = found.gaps
    assert (gap.locale, gap.key, gap.instead) == ("fr", "headline", "en")


def test_a_fallback_that_lacks_it_too_is_an_error() -> None:
    """Nothing is made up here either."""
    assert headlines(spec('policy = "fallback"\nfallback = "it"'), FILES) == [
        "locale/fr.po:1:8: not translated into `fr`: `headline`"
    ]


def test_a_file_is_left_out() -> None:
    """With `skip` the deliverable that lacks a string is not made; the master is."""
    found = read(spec('policy = "skip"'), FILES)
    assert set(texts(found)) == {"en.png", "de.png"}
    assert set(orders(found)) == {"ad[locale=en]", "ad[locale=de]", "ad[locale=fr]"}
    assert [gap.instead for gap in found.gaps] == ["no file"]


def test_a_prompt_cannot_be_left_out() -> None:
    """With `skip`, a string that a prompt needs is still an error."""
    asked = spec('policy = "skip"').replace('"a night train"', "\"a train, '{{ t('headline') }}'\"")
    assert headlines(asked, FILES) == ["locale/fr.po:1:8: not translated into `fr`: `headline`"]


def test_fuzzy_is_missing_unless_it_is_allowed() -> None:
    """What a translator has not confirmed is not printed."""
    files = {**FILES, "locale/fr.po": "#, fuzzy\n" + po(headline="Rentrez")}
    assert headlines(spec(), files) == ["locale/fr.po:2:8: not translated into `fr`: `headline`"]
    assert texts(read(spec("fuzzy = true"), files))["fr.png"] == "Rentrez"


def test_the_source_locale_needs_no_catalogue() -> None:
    """Where keys are the texts themselves, as gettext likes it, one locale has them all."""
    asked = spec('source = "en"\npolicy = "fallback"\nfallback = "en"').replace("headline", "Home!")
    found = read(asked, {"locale/de.po": po(**{"Home!": "Heim!"})})
    assert texts(found) == {"en.png": "Home!", "de.png": "Heim!", "fr.png": "Home!"}


def test_json_with_values_and_another_axis() -> None:
    """The axis has any name, keys are nested, values are filled in, `pt-BR` may be `pt_BR`."""
    found = read(
        """
        [catalog]
        path = "texts/{locale}.json"
        axis = "market"
        [asset.ad]
        prompt = "x"
        matrix = { market = ["pt-BR"] }
        [[asset.ad.deliver]]
        path = "x.png"
        ops = [{ op = "text", text = "{{ t('cta.book', n=2, city='Porto') }}" }]
        """,
        {
            "texts/pt_BR.json": '{"cta": {"book": "{n, plural, one{# noite} other{# noites}} em {city}"}}'
        },
    )
    assert texts(found) == {"x.png": "2 noites em Porto"}


def test_plurals_of_gettext_choose_by_number() -> None:
    """`n` chooses the form by the catalogue's own rule, and is filled in."""
    files = {
        "locale/de.po": 'msgid "n"\nmsgid_plural "n"\nmsgstr[0] "{n} Nacht"\nmsgstr[1] "{n} Nächte"\n'
    }
    asked = spec().replace('"en", "de", "fr"', '"de"')
    for number, text in ((1, "1 Nacht"), (3, "3 Nächte")):
        found = read(asked.replace("t('headline')", f"t('n', n={number})"), files)
        assert texts(found) == {"de.png": text}
    (message,) = headlines(asked.replace("t('headline')", "t('n')"), files)
    assert message.endswith("`n` depends on a number")


def test_changed_translations_change_files_only() -> None:
    """The orders are the same to the byte; the deliverable of the locale is another one."""
    asked = spec('policy = "skip"')
    before, after = (
        read(asked, {**FILES, "locale/de.po": po(headline=text)}) for text in ("Heim", "Nach Hause")
    )
    assert orders(before) == orders(after)
    changed = {path for path in texts(before) if texts(before)[path] != texts(after)[path]}
    assert changed == {"de.png"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'path = "locale/{locale}.po"',
            'path = "locale/x.po"',
            ":2:8: `path` needs `{locale}` in it",
        ),
        ("{locale}.po", "{locale}.xliff", ":2:8: this is not a catalogue that can be read"),
        ("POLICY", 'policy = "fallback"', ":3:10: `fallback` says which locale to use"),
        (
            "POLICY",
            'policy = "ignore"',
            ":3:10: `ignore` is not one of `error`, `fallback`, `skip`",
        ),
        ("POLICY", "lenient = true", ":3:1: unknown key `lenient`"),
        ("POLICY", 'axis = "lang"', ":11:34: `t` needs to know `lang`"),
        ("t('headline')", "t('headlin')", "not translated into `fr`: `headlin`"),
        ('[catalog]\npath = "locale/{locale}.po"\n', "", "`t` has no catalogue to read"),
        ("POLICY", 'axis = "lang"\n[vars]\nlang = "e n"', "`e n` is not a locale"),
        ("t('headline')", "t('headline', x=1)", "`headline` of locale/de.po:1: no value is given"),
    ],
)
def test_mistakes(old: str, new: str, expected: str) -> None:
    """Each is reported once, with its place."""
    asked = SPEC.replace(old, new).replace("POLICY", "")
    files = {**FILES, "locale/de.po": po(headline="Von {town}")}
    assert expected in "\n".join(headlines(asked, files))


def test_a_faulty_table_is_reported_alone() -> None:
    """With a mistake in `[catalog]`, nothing is called untranslated on top of it."""
    for wrong in ('policy = "ignore"', 'policy = "fallback"', "lenient = true"):
        assert len(headlines(spec(wrong), FILES)) == 1
    assert len(headlines(spec().replace("{locale}", "x"), FILES)) == 1


def test_a_typing_error_in_a_key_is_recognised() -> None:
    """When no locale has a key, the nearest one is suggested."""
    found = problems(spec().replace("t('headline')", "t('headlin')"), FILES)
    assert {problem.hint for problem in found} == {"did you mean `headline`?"}


def test_a_faulty_catalogue_is_reported_once() -> None:
    """Its own line is named; nothing is called untranslated because of it."""
    files = {**FILES, "locale/fr.po": 'msgid "headline"\nmsgstr "Rentrez\n'}
    (message,) = headlines(spec(), files)
    assert message.startswith("locale/fr.po:2:1: this is not a gettext catalogue")


def test_an_output_never_replaces_a_catalogue() -> None:
    """A catalogue is a source like a font or a photograph."""
    found = headlines(spec().replace('"{{ locale }}.png"', '"locale/{{ locale }}.po"'), FILES)
    assert found


@pytest.mark.parametrize(
    ("locale", "file"),
    [
        ("sr@latin", "sr@latin"),
        ("sr_RS@latin", "sr_RS@latin"),
        ("zh_TW.Big5", "zh_TW"),
        ("en_US.UTF-8", "en_US"),
        ("en_US.UTF-8", "en_US.UTF-8"),
        ("ca-ES.UTF-8@valencia", "ca_ES@valencia"),
        ("pt-BR", "pt_BR"),
    ],
)
def test_locales_as_gettext_names_them(locale: str, file: str) -> None:
    """The variant is part of a catalogue's name; an encoding need not be."""
    text = spec().replace('["en", "de", "fr"]', f'["{locale}"]')

    found = read(text, {f"locale/{file}.po": po(headline="Kući")})

    assert list(texts(found).values()) == ["Kući"]


def test_a_key_that_holds_no_text_is_named() -> None:
    """Asking for a list is a mistake in the template, not a missing translation."""
    text = spec().replace(".po", ".json").replace('["en", "de", "fr"]', '["en"]')

    (problem,) = problems(text, {"locale/en.json": '{"headline": ["Home", "by night"]}'})

    assert problem.message == "`headline` of locale/en.json is a list, not a text"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("nplurals=INTEGER; plural=EXPRESSION;", "`Plural-Forms` must be like"),
        ("nplurals=2; plural=n%0;", "`Plural-Forms` divides by zero for 2"),
        ("nplurals=2; plural=n-!0;", "`Plural-Forms` cannot be understood"),
    ],
)
def test_a_rule_for_plurals_that_makes_no_sense_matters_only_to_plurals(
    rule: str, fault: str
) -> None:
    """An odd `Plural-Forms` bars the messages that depend on a number, and no other."""
    head = f'msgid ""\nmsgstr "Plural-Forms: {rule}\\n"\n'
    nights = 'msgid "nights"\nmsgid_plural "n"\nmsgstr[0] "one"\nmsgstr[1] "many"\n'
    one = spec().replace('["en", "de", "fr"]', '["en"]')
    files = {"locale/en.po": head + nights + po(headline="Home")}

    assert texts(read(one, files)) == {"en.png": "Home"}
    (problem,) = problems(one.replace("'headline'", "'nights', n=2"), files)
    assert fault in problem.message
