"""Facts about a project in memory, for checks that need no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from flux2build.checks.contract import Check, Options
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.digest import Digest
from flux2build.ledger import Entry
from flux2build.lockfile import Lockfile
from flux2build.model import Recipe
from flux2build.planning.graph import Graph
from flux2build.planning.plan import orphans, plan
from tests.assetspec.specs import read
from tests.snapshots import PROFILE, derived, generated, locked, snapshot

SPEC: Final = """\
[profile.draft]
provider = "sketch"

[asset.fox]
prompt = "a fox"

[[asset.fox.deliver]]
formats = ["webp"]
"""


def recipes(spec: str = SPEC) -> tuple[Recipe, ...]:
    """The fox, and the file derived from it."""
    return read(spec, profile=PROFILE).recipes


def lock() -> Lockfile:
    """The lock after a build."""
    fox, cut = recipes()
    return locked((fox, generated(fox)), (cut, derived(cut, [generated(fox).output.sha256])))


def facts(
    spec: str = SPEC,
    *,
    held: Lockfile | None = None,
    files: Mapping[str, Digest] | None = None,
    entries: Sequence[Entry] = (),
    stored: Sequence[Digest] = (),
    price: str = "0",
    pointers: Sequence[str] = (),
) -> Facts:
    """The facts that a check is given."""
    wanted, known = read(spec, profile=PROFILE), lock() if held is None else held
    now = replace(snapshot(known, files, entries, stored), pointer=pointers.__contains__)
    planned = plan(Graph(wanted.recipes).ordered, now, lambda _: (Decimal(price), Decimal(price)))
    left = orphans(wanted.recipes, known.blocks.values(), wanted.wanted_profiles, PROFILE)
    return Facts(wanted, replace(planned, orphans=left), known, lambda _: None)


def findings_of(check: Check, facts: Facts) -> list[Finding]:
    """The findings of a check."""
    return list(check.findings(facts, Options()))
