"""Findings as people and programs read them, in each format."""

from __future__ import annotations

import json

import pytest

from flux2build.checks.contract import Finding, Severity
from flux2build.console.console import Console
from flux2build.console.findings.view import FORMATS, MACHINE_READABLE, UNUSABLE, of_error
from flux2build.errors import (
    Flux2BuildError,
    LockError,
    Place,
    Problem,
    SpecError,
    SystemFault,
    UsageError,
)
from flux2build.lockfile import LockNewer
from flux2build.model import AssetName
from flux2build.planning.plan import Plan, plan
from tests.golden import text
from tests.snapshots import master, snapshot


def finding(
    code: str = "output-missing",
    asset: str | None = "fox",
    path: str | None = "img/fox.png",
    severity: Severity = Severity.ERROR,
    hint: str | None = "`flux2build build` restores it, free",
) -> Finding:
    """A finding about the fox."""
    name = AssetName(asset) if asset else None
    place = Place("assets.toml", 4, 8) if asset else None
    return Finding(code, severity, "the file is missing", name, path, place, hint)


def clean() -> Plan:
    """A plan with nothing in it."""
    return plan([], snapshot(), lambda _: None)


def shown(
    capsys: pytest.CaptureFixture[str], form: str, *findings: Finding, made: Plan | None = None
) -> tuple[str, str]:
    """What a format prints, as data and as talk."""
    FORMATS[form](Console("never"), findings, made)
    out, err = capsys.readouterr()
    return out, err


def test_full(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding of one asset is headed by its name; the count ends it all."""
    made = plan([master(), master("owl")], snapshot(), lambda _: None)

    assert shown(capsys, "full", finding(), made=made)[0] == text("""
        error: `fox`: the file is missing [output-missing]
         --> assets.toml:4:8
          = file: img/fox.png
          hint: `flux2build build` restores it, free
        1 error in 2 files.
        """)


def test_full_groups_what_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings that say the same of many files are one, which names the first three of each."""
    many = [finding(asset=f"a{n}", path=f"img/{n}.png") for n in range(5)]
    other = finding("alt-missing", severity=Severity.WARNING, path=None, hint=None)

    assert shown(capsys, "full", *many, other)[0] == text("""
        error: the file is missing [output-missing]
         --> assets.toml:4:8
          = asset: a0, a1, a2 and 2 more
          = file: img/0.png, img/1.png, img/2.png and 2 more
          hint: `flux2build build` restores it, free
        warning: `fox`: the file is missing [alt-missing]
         --> assets.toml:4:8
        5 errors, 1 warning.
        """)


@pytest.mark.parametrize("form", ["full", "concise"])
def test_nothing_found(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """Where nothing is found, the plan says that all is up to date."""
    out, err = shown(capsys, form, made=clean())

    assert out + err == "Up to date (draft): 0 files. Nothing to do.\n"


def test_concise(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each: place, severity, code, asset, message; without a place the file stands there."""
    out, err = shown(capsys, "concise", finding(), finding("orphan", None, "img/old.png"))

    assert out == text("""
        assets.toml:4:8: error output-missing: fox: the file is missing
        img/old.png: error orphan: the file is missing
        """)
    assert err == "2 errors.\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Every field is there, null where it does not apply."""
    out, err = shown(capsys, "json", finding(), finding("orphan", None, None, hint=None))
    value = json.loads(out)

    assert err == ""
    assert value["findings"][0] == {
        "code": "output-missing",
        "severity": "error",
        "asset": "fox",
        "path": "img/fox.png",
        "file": "assets.toml",
        "line": 4,
        "column": 8,
        "message": "the file is missing",
        "hint": "`flux2build build` restores it, free",
    }
    assert {value["findings"][1][key] for key in ("asset", "path", "file", "line", "hint")} == {
        None
    }


def test_github(capsys: pytest.CaptureFixture[str]) -> None:
    """Workflow commands escape what would end them."""
    odd = Finding(
        "odd",
        Severity.WARNING,
        "50% of a,b: c\nd",
        AssetName("hero[a=b,c=d]"),
        place=Place("a,b:c.toml", 3),
    )
    out, err = shown(capsys, "github", finding(), odd)

    missing = "::error title=flux2build output-missing,file=assets.toml,line=4,col=8"
    other = "::warning title=flux2build odd,file=a%2Cb%3Ac.toml,line=3"
    assert out.splitlines() == [
        f"{missing}::fox: the file is missing%0A`flux2build build` restores it, free",
        f"{other}::hero[a=b,c=d]: 50%25 of a,b: c%0Ad",
    ]
    assert err == ""


def test_github_cannot_be_injected(capsys: pytest.CaptureFixture[str]) -> None:
    """A name from a stranger's spec is never a command of its own."""
    evil = finding(asset="x\n::set-env name=A::b", path="y\r\n::error::z")
    out, _ = shown(capsys, "github", evil)

    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError(Problem("wrong", Place("assets.toml", 2, 3), hint="mend it")), "spec-error"),
        (LockError(Problem("wrong", Place("assets.lock", 2, 3), hint="mend it")), "lock-damaged"),
        (LockNewer(Problem("wrong", Place("assets.lock", 2, 3), hint="mend it")), "lock-newer"),
        (UsageError(Problem("wrong", Place("x", 2, 3), hint="mend it")), "usage-error"),
        (SystemFault(Problem("wrong", Place("x", 2, 3), hint="mend it")), "system-fault"),
    ],
)
def test_errors_as_findings(error: Flux2BuildError, code: str) -> None:
    """What keeps a check from starting is a finding for machines, by a documented code."""
    place = error.problems[0].place
    assert place is not None

    assert of_error(error) == [
        Finding(code, Severity.ERROR, "wrong", path=place.file, place=place, hint="mend it")
    ]
    assert code in UNUSABLE


def test_every_problem_is_a_finding() -> None:
    """Several problems are several findings."""
    error = SpecError(Problem("one"), Problem("two"))

    assert [f.message for f in of_error(error)] == ["one", "two"]


def test_formats() -> None:
    """The formats that machines read are among the formats."""
    assert FORMATS.keys() >= {"full", "concise", "json", "github"}
    assert set(FORMATS.values()) >= MACHINE_READABLE
