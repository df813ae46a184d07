"""Facts name what is published, and quote any file of the project."""

from __future__ import annotations

from msgspec.structs import replace

from flux2build.errors import Place, Problem
from tests.checks.in_memory import SPEC, facts, lock, recipes
from tests.snapshots import files_of, generated, locked


def test_what_is_derived_is_published_instead_of_its_master() -> None:
    """A master without deliverables is published itself."""
    bare = SPEC.partition("[[")[0]
    (fox,) = recipes(bare)
    row = generated(fox)

    assert [file.recipe.output for file in facts(files=files_of(lock())).published] == ["fox.webp"]
    alone = facts(bare, held=locked((fox, row)), files={fox.output: row.output.sha256})
    assert [file.recipe for file in alone.published] == [fox]


def test_a_problem_quotes_its_line() -> None:
    """The line of a file that is gone, or too short, is left out."""
    problem, place = Problem("odd"), Place("fr.po", 2)
    there = replace(facts(), read=lambda _: b'# later\r\nmsgid "x"\r\n')
    short = replace(facts(), read=lambda _: b"# later")

    assert there.quoted(problem, place) == replace(
        problem, place=place, excerpt='msgid "x"', width=9
    )
    for gone in (facts(), short):
        assert gone.quoted(problem, place) == replace(problem, place=place)
