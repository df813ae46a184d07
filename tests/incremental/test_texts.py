"""After an edit of what texts ask for, those assets are read again whose texts they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from flux2build.incremental.brief import brief
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

SPEC: Final = """
[catalog]
path = "locale/{locale}.json"
policy = "fallback"
fallback = "en"

[asset.greeting]
prompt = "a card: {{ t('hello') }}"
matrix = { locale = ["de", "en"] }

[asset.title]
prompt = "a title"
vars = { locale = "de" }
alt = "{{ t('bye') }}, {% include 'aside.j2' %}"

[asset.box]
template = "box.j2"
matrix = { kind = ["tin", "jar"] }

[asset.bag]
prompt = "{% from 'macros.j2' import held %}{{ held('bag') }}"

[asset.page]
template = "child.j2"

[asset.label]
prompt = "a label {% include ['none.j2', 'label.j2'] %}"
"""
FILES: Final = {
    "locale/de.json": '{"hello": "Hallo", "bye": "Ade"}',
    "locale/en.json": '{"hello": "Hello", "bye": "Bye"}',
    "templates/aside.j2": "by hand",
    "templates/box.j2": "{% import 'macros.j2' as m %}{{ m.held(kind) }} {% include kind ~ '.j2' %}",
    "templates/tin.j2": "of tin",
    "templates/jar.j2": "of glass",
    "templates/macros.j2": "{% import 'words.j2' as w %}{% macro held(x) %}{{ w.word }} {{ x }}{% endmacro %}",
    "templates/words.j2": "{% set word = 'held' %}",
    "templates/child.j2": "{% extends 'parent.j2' %}{% block body %}a page{% endblock %}",
    "templates/label.j2": "of paper",
    "templates/parent.j2": "{% block body %}{% endblock %} of a book",
}
CONCERNED: Final = {
    ("locale/de.json", "Hallo"): {"greeting[locale=de]", "title"},
    ("locale/en.json", "Hello"): {"greeting[locale=en]"},
    ("templates/aside.j2", "hand"): {"title"},
    ("templates/tin.j2", "of"): {"box[kind=tin]"},
    ("templates/macros.j2", "{{ x }}"): {"box[kind=tin]", "box[kind=jar]", "bag"},
    ("templates/words.j2", "held"): {"box[kind=tin]", "box[kind=jar]", "bag"},
    ("templates/child.j2", "page"): {"page"},
    ("templates/parent.j2", "book"): {"page"},
    ("templates/label.j2", "paper"): {"label"},
}
"""The assets that follow from each text."""


@pytest.fixture
def built(site: Site) -> Site:
    """A project whose texts are made of catalogues, and of templates that ask for others."""
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    with Path("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write(SPEC)
    assert site.run("build").code == 0
    return site


@pytest.mark.usefixtures("built")
def test_what_is_read_again_is_what_asks_for_a_text() -> None:
    """After an edit of a catalogue or of any template, exactly those assets are read again."""
    read = dict[tuple[str, str], set[str]]()
    for name, word in CONCERNED:
        Path(name).write_text(FILES[name].replace(word, f"{word}s"))
        project = Project.open(CommonOptions())
        known = brief(project)
        assert known is not None
        read[name, word] = {*known.assets}
        assert known.plan.todo == project.plan().todo
        Path(name).write_text(FILES[name])
    assert read == CONCERNED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("locale/de.json", '{"bye": "Ade"}'),
        ("locale/de.json", "{"),
        ("locale/en.json", '{"hello": "Hello"}'),
        ("templates/aside.j2", "{{ nothing }}"),
        ("templates/words.j2", "{% set other = 1 %}"),
        ("templates/parent.j2", "{% include 'aside.j2' %}"),
    ],
)
def test_texts_say_what_they_say_cold(built: Site, name: str, text: str) -> None:
    """Missing strings and broken texts are told as they are without what is known of the tree."""
    Path(name).write_text(text)
    warm = [built.run(command) for command in ("plan", "check")]
    shutil.rmtree(".flux2build")
    cold = [built.run(command) for command in ("plan", "check")]

    assert [(each.code, each.out, each.err) for each in warm] == [
        (each.code, each.out, each.err) for each in cold
    ]
