"""Markup that is probably not meant: what is noted, and what is left alone."""

from __future__ import annotations

import pytest

from flux2build.assetspec.markup import Markup, words

SCOPE = {"asset": {"name": "a", "family": "a"}, "brand": {"name": "Acme"}, "size": "s"}


def notes(source: str) -> list[str]:
    """What is said of a text, each in one sentence."""
    markup = Markup()
    markup.examine(source, SCOPE, ("asset", "a", "prompt"))
    return [note for _, note in markup.notes]


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (
            "hat {#F2A93B}, scarf {#112233#} end",
            "a comment takes `F2A93B}, scarf {#112233` out of the text; write `#F2A93B` without braces",
        ),
        ("a {# big #} fox", "a comment takes `big` out of the text; take the braces away"),
        (
            "{#0A8\nmore#}",
            "a comment takes `0A8 more` out of the text; write `#0A8` without braces",
        ),
        (
            "a { brand.name } fox",
            "`{ brand.name }` stays as it is written; write `{{ brand.name }}`",
        ),
        (
            "{% raw %}{# a #}{% endraw %} {# big #} fox",
            "a comment takes `big` out of the text; take the braces away",
        ),
        ("x-{size}.png", "`{size}` stays as it is written; write `{{ size }}`"),
    ],
)
def test_what_is_noted(source: str, note: str) -> None:
    """Words that vanish, and names that are not filled in, are noted with the remedy."""
    assert notes(source) == [note]


@pytest.mark.parametrize(
    "source",
    [
        "a {{ brand.name }} fox",
        "{# what it is for #}\na fox",
        "a fox\n{# two\nlines #}\n",
        "{ unknown }",
        '{"size": "s"}',
        "{{ {'a': size} }}",
        "{% if size %}a{% endif %}",
        "#0A84FF",
        "a {% raw %}{# big #} {size}{% endraw %} fox",
        "a {%- raw -%}\n{#0A84FF#}\n{%+ endraw -%} fox",
        "a {{ '{# big #}' }} fox",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    """Comments on lines of their own, what is written raw, and braces around anything else are no mistake."""
    assert notes(source) == []


@pytest.mark.parametrize(
    "source",
    ["{{ brand.name }}", "{%\n if brand\n%}x{% endif %}", "{{ {'a': {'b': 1}}[brand] }}"],
)
def test_words_of_markup(source: str) -> None:
    """A name inside of markup is seen, wherever it stands."""
    assert "brand" in words([f"a text\n{source}\n"])
    assert "text" not in words([f"a text\n{source}\n"])
