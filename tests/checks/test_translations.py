"""`check` reports what is used or left out in place of a missing translation."""

from __future__ import annotations

import pytest

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

SPEC = """\
[catalog]
path = "locale/{locale}.po"
POLICY

[defaults]
width = 128
height = 96

[asset.ad]
prompt = "a night train"
matrix = { locale = ["en", "fr"] }

[[asset.ad.deliver]]
path = "{{ locale }}.png"
ops = [{ op = "text", text = "{{ t('headline') }}", language = "{{ locale }}" }]
"""


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [
        ('policy = "fallback"\nfallback = "en"', "translation-fallback", "that of `en` stands in"),
        ('policy = "skip"', "translation-skipped", "its files are left out"),
    ],
)
def test_gaps_are_warnings(empty: Site, policy: str, code: str, words: str) -> None:
    """The build is done, and the string that is missing is named with its line."""
    empty.write("locale/en.po", 'msgid "headline"\nmsgstr "Home by night"\n')
    empty.write("locale/fr.po", '# later\nmsgid "headline"\nmsgstr ""\n')
    build(empty, spec=SPEC.replace("POLICY", policy))
    (finding,) = check_json(empty)

    assert (finding["code"], finding["severity"]) == (code, "warning")
    assert finding["message"] == f"`headline` is not translated into `fr`: {words}"
    assert paths([finding], code) == ["locale/fr.po"]
    assert finding["line"] == 2
    assert (empty.folder / "fr.png").exists() == (code == "translation-fallback")


def test_nothing_is_missing(empty: Site) -> None:
    """With every translation there is nothing to say."""
    for locale in ("en", "fr"):
        empty.write(f"locale/{locale}.po", 'msgid "headline"\nmsgstr "Home"\n')
    build(empty, spec=SPEC.replace("POLICY", ""))

    assert check_json(empty) == []
