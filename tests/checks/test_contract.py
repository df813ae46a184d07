"""The spec sets the severity of checks, and the command line selects codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest
from msgspec.structs import replace

from flux2build.checks import CHECKS
from flux2build.checks.contract import Subject, evaluate
from flux2build.checks.facts import Facts
from flux2build.errors import Problem
from flux2build.providers import PROVIDERS
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.checks.in_memory import SPEC, facts, lock
from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

TWINS: Final = """
[asset.twin]
prompt = "a twin of {asset}"
matrix = { side = ["left", "right"] }
"""
WITHOUT: Final[Mapping[Subject, Callable[[Facts], Facts]]] = {
    Subject.SPEC: lambda all_: replace(
        all_,
        spec=replace(all_.spec, recipes=(), gaps=(), notices=()),
        conflict=None,
        doubled=None,
        lockless=None,
    ),
    Subject.ASSETS: lambda all_: replace(all_, spec=replace(all_.spec, assets={})),
    Subject.STEPS: lambda all_: replace(all_, plan=replace(all_.plan, steps=(), orphans=())),
    Subject.PICTURES: lambda all_: replace(
        all_,
        plan=replace(all_.plan, steps=tuple(step for step in all_.plan.steps if step.drift)),
    ),
}
"""Facts without the subject of some checks."""


def test_default_severities() -> None:
    """Without a word in the spec, each check has the severity that its options declare."""
    assert {name: check.options().severity for name, check in CHECKS.items()} == {
        "alt": "off",
        "blank": "warning",
        "contrast": "off",
        "dimensions": "error",
        "disclosure": "error",
        "doubled": "warning",
        "drift": "error",
        "format": "warning",
        "lock": "error",
        "max-bytes": "off",
        "orders": "error",
        "orphan": "error",
        "palette": "off",
        "price": "warning",
        "provenance": "warning",
        "review": "warning",
        "same-request": "warning",
        "text": "warning",
        "translations": "warning",
        "unused": "warning",
    }


def checks_that_find(facts: Facts, subject: Subject) -> set[str]:
    """The checks of a subject that have a finding, whatever the spec says of them."""
    return {
        name
        for name, check in CHECKS.items()
        if check.subject is subject
        and any(True for _ in check.findings(facts, check.options.model_construct()))
    }


@pytest.mark.parametrize("subject", WITHOUT)
def test_a_check_finds_nothing_without_its_subject(subject: Subject) -> None:
    """Only that is why a check need not be loaded where its subject is missing."""
    files = {row.output.path: row.output.sha256 for b in lock().blocks.values() for row in b.rows}
    everything = replace(
        facts(SPEC + TWINS, files=files),
        cards={"sketch": PROVIDERS["sketch"].cards},
        conflict=3,
        doubled=4,
        lockless=Problem("there is no lock"),
    )
    assert checks_that_find(everything, subject)
    assert not checks_that_find(WITHOUT[subject](everything), subject)


def test_any_check_can_be_less_severe_or_off(empty: Site) -> None:
    """An orphan as a warning passes and fails with `--strict`; switched off, it is not reported."""
    build(empty)
    empty.edit("assets.toml", '[asset.bell]\nprompt = "a bell"\ntags = ["small"]\n', "")
    assert check_json(empty)[0]["severity"] == "error"

    empty.edit("assets.toml", "[defaults]", '[checks]\norphan = "warning"\n[defaults]')
    assert check_json(empty)[0]["severity"] == "warning"
    assert empty.run("check").code == 0
    assert empty.run("check", "--strict").code == 1

    empty.edit("assets.toml", '"warning"', '"off"')
    assert check_json(empty) == []


def test_no_check_opens_a_picture_that_this_version_has_made(empty: Site) -> None:
    """What checks need to know of a file is noted when it is made."""
    policy = '[checks]\nalt = "error"\nmax-bytes = { bytes = 9 }\npalette = { colours = ["#fff"] }'
    build(empty, policy)
    project, opened = Project.open(CommonOptions()), list[str]()

    def read(path: str) -> bytes | None:
        opened.append(path)
        return None

    facts = Facts(project.spec, project.whole, project.lock, read)
    findings = list(evaluate(facts, lambda _name, _options: frozenset()))

    assert {f.code for f in findings} >= {"alt-missing", "too-large"}
    assert opened == []


def test_codes_are_selected_and_ignored(empty: Site) -> None:
    """By code or by check, several at once, with commas or one by one."""
    build(empty, '[checks]\nalt = "error"\nmax-bytes = { bytes = 9 }')
    empty.folder.joinpath("img/fox.png").unlink()
    assert {f["code"] for f in check_json(empty)} == {"output-missing", "alt-missing", "too-large"}

    assert {f["code"] for f in check_json(empty, "--select", "alt")} == {"alt-missing"}
    assert {f["code"] for f in check_json(empty, "--select", "too-large,drift")} == {
        "too-large",
        "output-missing",
    }
    assert (
        paths(check_json(empty, "--ignore", "drift", "--ignore", "alt-missing, too-large"), "x")
        == []
    )
    assert empty.run("check", "--ignore", "drift,alt,max-bytes").code == 0
    assert check_json(empty, "--select", "alt", "--ignore", "alt-missing") == []


def test_a_code_that_is_none_is_a_usage_error(empty: Site) -> None:
    """Every wrong word is named, with the nearest right one."""
    build(empty)
    ran = empty.run("check", "--select", "alt-mising,drift", "--ignore", "palete")

    assert ran.code == 2
    assert "did you mean `alt-missing`?" in ran.err

    ran = empty.run("check", "--ignore", "palete")
    assert "did you mean `palette`?" in ran.err


def test_every_mistake_in_the_table_is_told_and_voids_nothing_else(empty: Site) -> None:
    """Unknown checks, severities and keys, each at its place; variables stay what they are."""
    empty.write(
        "assets.toml",
        '[vars]\nbrand = "blue"\n[checks]\nalt = "eror"\nblnk = "off"\nblank = { shar = 1 }\n'
        'lock = 3\n[asset.a]\nprompt = "a {{ brand }} fox"\n',
    )
    ran = empty.run("check")

    assert ran.code == 2
    for words in (
        "assets.toml:4:7",
        "did you mean `error`?",
        "unknown check `blnk`",
        "assets.toml:5:1",
        "did you mean `share`?",
        "assets.toml:7:8",
        "must be `error`, `warning`, `off` or a table, not a whole number",
        "4 problems",
    ):
        assert words in ran.err
