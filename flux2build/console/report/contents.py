"""The contents of a report, independent of its format."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from flux2build.checks.finding import Finding
from flux2build.console.changes import value_text
from flux2build.console.escaping import clean
from flux2build.console.lock_changes import fields, kind
from flux2build.digest import Digest
from flux2build.images.preview import Preview
from flux2build.lockfile import Candidate
from flux2build.model import Output
from flux2build.session.revisions import Compared


class Contents(msgspec.Struct, frozen=True):
    """The changes since a commit, and the files that are not current now."""

    project: str
    summary: str
    """The number of changes, and the sum that was paid."""
    price: str
    """The price of a build now."""
    changes: Sequence[Compared]
    findings: Sequence[Finding]
    before: Callable[[Output], Preview | None]
    """A small copy of a file as it was; None if its bytes are not at hand."""
    after: Callable[[Output], Preview | None]
    """A small copy of a file as it is."""


class Facts(msgspec.Struct, frozen=True):
    """The facts about a change, in words that cannot steer their reader."""

    title: str
    kind: str
    profile: str
    prompts: tuple[str, str] | None
    """The prompt before and after; None if it is the same."""
    fields: Sequence[tuple[str, str]]
    before: Output | None
    after: Output | None
    candidates: Sequence[Candidate]
    shipped: Digest | None
    """The order of the picture that ships."""

    def ships(self, candidate: Candidate) -> bool:
        """Whether a candidate ships; an adopted picture may have its order, and other bytes."""
        same = self.after is not None and candidate.output.sha256 == self.after.sha256
        return same and candidate.key == self.shipped


def facts(compared: Compared) -> Facts:
    """The facts about a change."""
    change = compared.change
    before, after = change.generated
    prompts = (before.prompt if before else "", after.prompt if after else "")
    others = [(name, clean(text)) for name, text in fields(compared) if name != "prompt"]
    return Facts(
        title=clean(change.asset),
        kind=kind(change),
        profile=clean(change.profile),
        prompts=prompts if prompts[0] != prompts[1] else None,
        fields=others,
        before=before.output if before else None,
        after=after.output if after else None,
        candidates=change.after.candidates if change.after else (),
        shipped=after.key if after else None,
    )


def label(candidate: Candidate, change: Facts) -> str:
    """A candidate by its number and seed, and whether it ships."""
    seed = candidate.seed if candidate.seed is not None else candidate.receipt.seed
    words = [f"{candidate.number}"]
    words += [] if seed is None else [f"seed {value_text(seed)}"]
    words += ["ships"] if change.ships(candidate) else []
    return ", ".join(words)
