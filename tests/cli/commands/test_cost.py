"""`flux2build cost`: what was spent, out of the ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flux2build.errors import Exit
from tests import journals
from tests.conftest import Ran, Site


@pytest.fixture
def books(site: Site) -> Site:
    """A ledger of some months, models, providers and projects."""
    here = str(site.folder)
    settled = journals.intended("a1", asset="mascot", project=here, month="2026-10")
    cheap = journals.intended("a2", model="flux-2-klein-4b", project=here)
    pending = journals.intended("a3", provider="replicate", project=here, reserve="0.045")
    doubt = journals.intended("a4", project=here)
    refused = journals.intended("a5", project=here)
    burnt = journals.intended("a6", project=here)
    other = journals.intended("b1", project="/elsewhere", reserve="5")
    journals.wrote(
        settled,
        journals.ticketed(settled),
        journals.delivered(settled, "0.031"),
        cheap,
        journals.delivered(cheap, None),
        pending,
        journals.ticketed(pending, "0.04"),
        doubt,
        refused,
        journals.voided(refused, charged=False),
        burnt,
        journals.voided(burnt, charged=True),
        other,
        journals.delivered(other, "5"),
    )
    return site


def test_by_month(books: Site) -> None:
    """Months are summed; what may still be charged is set aside and told apart."""
    assert books.run("cost") == Ran(
        Exit.DONE,
        "2026-10  $0.031 for 1 order  (settled)\n"
        "2026-11  $0.06 for 4 orders, $0.07 set aside  (estimated)\n"
        "total    $0.091 for 5 orders, $0.07 set aside\n",
        "",
    )


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("asset", {"icon": "0.06", "mascot": "0.031"}),
        ("model", {"flux-2-klein-4b": "0.03", "flux-2-pro": "0.061"}),
        ("provider", {"bfl": "0.091", "replicate": "0"}),
        ("month", {"2026-10": "0.031", "2026-11": "0.06"}),
    ],
)
def test_groups(books: Site, by: str, groups: dict[str, str]) -> None:
    """Every way of grouping accounts for every cent of this project, in exact decimals."""
    ran = books.run("cost", "--by", by, "--json")
    document = json.loads(ran.out)

    assert (document["format_version"], document["by"]) == ("1.0", by)
    assert {row[by]: row["spent"] for row in document["sums"]} == groups


def test_everything(books: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All projects are summed from anywhere, even where there is no project."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    ran = books.run("cost", "--everything", "--by", "project")

    assert ran.code == Exit.DONE
    assert ran.out.splitlines()[0].split() == [
        "/elsewhere",
        "$5.00",
        "for",
        "1",
        "order",
        "(settled)",
    ]
    assert books.run("cost").code == Exit.USAGE


def test_drawings_are_no_orders(site: Site) -> None:
    """What is drawn for nothing does not count."""
    site.run("build")

    assert site.run("cost") == Ran(Exit.DONE, "", "Nothing was spent yet.\n")
    assert json.loads(site.run("cost", "--json").out)["sums"] == []


def test_a_broken_spec_hides_no_costs(books: Site) -> None:
    """The ledger needs no spec to be understood."""
    books.write("assets.toml", "nonsense")

    assert books.run("cost").code == Exit.DONE
