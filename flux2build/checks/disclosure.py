"""Pictures that were generated say so where people see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options
from flux2build.checks.facts import Current, Facts, Finding
from flux2build.images.ops.contract import OPS
from flux2build.model import Derive

_NAME: Final = "disclosure"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A published picture that was generated, and has no visible label that says so.

    It is asked for in a profile that says `disclosure = "label"` and, in all profiles, where
    `[checks]` names it. The mark in a file's metadata is what `provenance` is about: article 50 of
    the EU's AI Act asks for marks that machines read, and for labels that people see.
    """
    if not facts.spec.discloses and _NAME not in facts.spec.checks:
        return
    for file in facts.published():
        if facts.generated(file) and not _labelled(file):
            message = "no visible label says that the picture was generated"
            yield facts.about(file.recipe, "unlabelled", message, hint=_hint(file))


def _labelled(file: Current) -> bool:
    task = file.recipe.task
    return isinstance(task, Derive) and any(OPS[step.op].discloses for step in task.ops)


def _hint(file: Current) -> str:
    if isinstance(file.recipe.task, Derive):
        return 'end its `ops`, or `finish`, with `{ op = "label" }`'
    return 'publish a file of `deliver` with `ops = [{ op = "label" }]`, and not the master'


CHECK: Final[Check] = Check(
    {"unlabelled": "a generated picture has no visible label"}, findings, local=True
)
