"""Whatever a build would do is drift, with its reason, its place and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flux2build.checks.drift import CHECK
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem
from flux2build.ledger import Entry
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName
from flux2build.planning.reason import ReasonCode
from flux2build.planning.verdict import judge
from tests.checks.in_memory import SPEC, facts, findings_of, lock, recipes
from tests.snapshots import d, files_of, intended, kept, snapshot, ticketed, voided

FILES = files_of(lock())
MASTER, FILE = FILES
BYTES = tuple(FILES.values())


def hints(findings: Sequence[Finding]) -> list[tuple[str, str | None]]:
    """Code and hint of each finding."""
    return [(finding.code, finding.problem.hint) for finding in findings]


def test_clean() -> None:
    """If there is nothing to do, there is no finding."""
    assert findings_of(CHECK, facts()) == []


def test_a_finding() -> None:
    """A finding says what, which asset and file, and shows where the spec asks for it."""
    missing = {path: digest for path, digest in FILES.items() if path != MASTER}

    assert findings_of(CHECK, facts(files=missing, stored=BYTES)) == [
        Finding(
            code="output-missing",
            problem=Problem(
                message="the file is missing",
                place=Place("assets.toml", 4, 8),
                hint="`flux2build build` restores it, free",
                excerpt="[asset.fox]",
                width=3,
            ),
            asset=AssetName("fox"),
            path=MASTER,
            cause="asset.fox output-missing",
        )
    ]


@pytest.mark.parametrize("price", ["0", "0.03"])
def test_new_pictures(price: str) -> None:
    """What is free is rendered by a build; what costs money is planned first."""
    free = "`flux2build build` renders it, free"
    paid = "`flux2build plan` shows the price, `flux2build build` renders it"

    assert hints(findings_of(CHECK, facts(held=Lockfile(), price=price))) == [
        ("never-rendered", free if price == "0" else paid),
        ("never-derived", "`flux2build build` derives it, free"),
    ]


def test_renamed_pictures() -> None:
    """What somebody has already is adopted."""
    renamed = SPEC.replace("asset.fox", "asset.vixen")

    assert hints(findings_of(CHECK, facts(renamed))) == [
        ("never-rendered", "`flux2build build` adopts it, free"),
        ("never-derived", "`flux2build build` adopts it, free"),
    ]


def test_pointers() -> None:
    """What Git LFS has is fetched from there, the deliverable too."""
    pointing = dict.fromkeys(FILES, d("pointer"))

    assert hints(findings_of(CHECK, facts(files=pointing, pointers=list(FILES)))) == [
        ("output-pointer", "`git lfs pull` fetches it"),
        ("output-pointer", "`git lfs pull` fetches it"),
    ]


KEY = judge(recipes()[0], (), snapshot()).key or d("")


@pytest.mark.parametrize(
    ("entries", "message", "hint"),
    [
        (
            [intended(KEY), ticketed(KEY)],
            "never rendered, already ordered, on its way",
            "`flux2build build` collects it, already paid",
        ),
        (
            [intended(KEY)],
            "never rendered, may have been ordered already",
            "see `flux2build orders list`, then `orders adopt`, `resubmit` or `write-off`",
        ),
        (
            [intended(KEY), ticketed(KEY), kept(KEY)],
            "never rendered, what arrived is not what was ordered",
            "see `flux2build orders list`, then `orders adopt` or `write-off`",
        ),
        (
            [intended(KEY), voided(KEY, "content-moderated")],
            "never rendered, was refused by moderation, unchanged since",
            "change the prompt or the seed",
        ),
    ],
)
def test_open_orders(entries: Sequence[Entry], message: str, hint: str) -> None:
    """An order that a build cannot settle by itself names who can."""
    finding = findings_of(CHECK, facts(held=Lockfile(), entries=entries))[0]

    assert (finding.problem.message, finding.problem.hint) == (message, hint)


def test_codes_are_the_reasons() -> None:
    """Every reason may be reported, and is documented with its sentence."""
    assert CHECK.codes.keys() == set(ReasonCode)
    assert CHECK.codes["ref-changed"] == "`…` changed"
