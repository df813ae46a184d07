"""Files that are published say that they were generated, or are named."""

from __future__ import annotations

from PIL import Image

from tests.checks.sites import SPEC, build, check_json, paths
from tests.conftest import Site


def test_what_flux2build_makes_is_marked(empty: Site) -> None:
    """Sketches and deliverables of every format carry the mark."""
    build(empty)

    assert paths(check_json(empty), "unmarked") == []


def test_a_file_left_unmarked_is_named(empty: Site) -> None:
    """Leaving the mark off is one decision, silencing the check another."""
    unmarked = SPEC.replace("[defaults]", "[defaults]\nprovenance = false")
    build(empty, spec=unmarked)
    findings = check_json(empty)

    assert paths(findings, "unmarked") == ["img/fox-64.webp", "img/fox-64.jpeg"]
    assert {f["severity"] for f in findings} == {"warning"}
    assert "provenance = false" in findings[0]["hint"]

    empty.edit("assets.toml", "[defaults]", '[checks]\nprovenance = "off"\n[defaults]')
    assert check_json(empty) == []


def test_a_master_without_a_mark_is_named_where_it_is_published(empty: Site) -> None:
    """Its lock row says that it has none; the master of what is delivered does not matter."""
    build(empty)
    lock = empty.folder.joinpath("assets.lock").read_text()
    rows = [
        'output.source_type = ""' if row.startswith("output.source_type") else row
        for row in lock.splitlines()
    ]
    empty.write("assets.lock", "\n".join(rows) + "\n")

    assert paths(check_json(empty), "unmarked") == [
        "img/fox-64.webp",
        "img/fox-64.jpeg",
        "img/bell.png",
    ]


def test_the_file_is_read_where_the_lock_does_not_say(empty: Site) -> None:
    """Marked files are not reported if the lock has no data about marks."""
    build(empty)
    lock = empty.folder.joinpath("assets.lock").read_text()
    rows = [row for row in lock.splitlines() if not row.startswith("output.source_type")]
    empty.write("assets.lock", "\n".join(rows) + "\n")

    assert paths(check_json(empty), "unmarked") == []


def test_photographs_say_nothing(empty: Site) -> None:
    """A file that was not generated carries no mark, and needs none."""
    Image.effect_noise((80, 60), 90).convert("RGB").save(empty.folder / "pic.png")
    build(empty, spec='[asset.fox]\nsource = "pic.png"\ndeliver = [{ path = "a.png" }]\n')

    assert check_json(empty) == []
    assert b"digitalsourcetype" not in empty.folder.joinpath("a.png").read_bytes()
