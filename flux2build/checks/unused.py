"""Everything in the spec has an effect, and is written as intended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.assetspec.spec import (
    COMMENT,
    INVISIBLE,
    ODD_DATA,
    ONE_BRACE,
    UNSENT_IMAGE,
    UNUSED_KEY,
)
from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Place


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A key without an effect, words of a prompt that are not sent, and odd data.

    Only tables that several assets share get this warning; in an asset's own table, such a key is
    an error of the spec.
    """
    spec = facts.spec
    every = [
        Finding(one.code, spec.located(one.problem, one.key, name=one.name)) for one in spec.notices
    ]
    yield from sorted(every, key=lambda finding: finding.problem.place or Place(""))


CHECK: Final[Check] = Check(
    {
        UNUSED_KEY: "a key has no effect in any profile",
        COMMENT: "a comment takes words out of a text",
        ONE_BRACE: "the name of a value stands in one pair of braces",
        INVISIBLE: "a prompt has a character that nobody sees, such as a zero width space",
        UNSENT_IMAGE: "a prompt speaks of a reference that there is not, such as `image 3` of two",
        ODD_DATA: "a data file has no rows, or holds what a spreadsheet writes for a failed formula",
    },
    findings,
    Warnings,
    subject=Subject.SPEC,
)
