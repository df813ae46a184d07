"""Files to be published keep to a limit of bytes, where there is one."""

from __future__ import annotations

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site


def test_large_files_are_named_with_both_figures(empty: Site) -> None:
    """Deliverables, and masters of which there are none; not the master of what is delivered."""
    build(empty, "[checks]\nmax-bytes = { bytes = 10 }")
    findings = check_json(empty)

    assert paths(findings, "too-large") == ["img/fox-64.webp", "img/fox-64.jpeg", "img/bell.png"]
    assert all("10 are allowed" in f["message"] for f in findings)
    assert {f["severity"] for f in findings} == {"warning"}


def test_a_format_can_have_a_limit_of_its_own(empty: Site) -> None:
    """A limit by format stands instead of the one for all."""
    build(empty, "[checks]\nmax-bytes = { bytes = 10, formats = { png = 900_000 } }")

    assert paths(check_json(empty), "too-large") == ["img/fox-64.webp", "img/fox-64.jpeg"]


def test_a_limit_must_say_how_many(empty: Site) -> None:
    """The check cannot be switched on without a number."""
    build(empty)
    empty.edit("assets.toml", "[asset.fox]", '[checks]\nmax-bytes = "error"\n\n[asset.fox]')
    ran = empty.run("check", "--output-format", "concise")

    assert ran.code == 2
    assert "give `bytes`" in ran.err
    assert "assets.toml:10:13" in ran.err
