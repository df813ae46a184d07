"""What the lock holds and the spec does not want is reported, with the command that removes it."""

from __future__ import annotations

from flux2build.checks.finding import Finding
from flux2build.checks.orphan import CHECK
from flux2build.errors import Problem
from flux2build.model import AssetName
from tests.checks.in_memory import SPEC, facts, findings_of, lock
from tests.snapshots import generated, locked, master


def test_orphans() -> None:
    """A deliverable that the spec has dropped is left over; the picture it came from is not."""
    bare = SPEC.partition("[[")[0]

    assert findings_of(CHECK, facts(bare)) == [
        Finding(
            code="orphan",
            problem=Problem(
                "the spec no longer wants this output",
                hint="`flux2build prune` shows what is left over, and what `--yes` would remove",
            ),
            asset=AssetName("fox"),
            path="fox.webp",
        )
    ]


def test_missing_orphans() -> None:
    """An orphan whose file is gone still has its row in the lock."""
    bare = SPEC.partition("[[")[0]

    assert [f.path for f in findings_of(CHECK, facts(bare, files={}))] == ["fox.webp"]


def test_gone_profiles() -> None:
    """A profile that is gone leaves everything it made; a declared one leaves nothing."""
    old = master("old")
    final = locked((old, generated(old)), profile="final")

    assert [f.path for f in findings_of(CHECK, facts(held=final))] == ["img/old.png"]
    declared = f'{SPEC}\n[profile.final]\nprovider = "sketch"\n'
    assert findings_of(CHECK, facts(declared, held=final)) == []


def test_clean() -> None:
    """If the spec wants everything, there is no finding."""
    assert findings_of(CHECK, facts(held=lock())) == []
