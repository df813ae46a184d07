"""Pictures that were generated say so where people see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Current, Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Flux2BuildError
from flux2build.images.ops import OPS
from flux2build.model import Derive

_NAME: Final = "disclosure"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A published picture that was generated, and has no visible label that says so.

    A label that later operations cover does not count.

    The check runs in profiles with `disclosure = "label"` and, if `[checks]` names it, in all
    profiles; `off` there turns it off in every profile. The check `provenance` looks at the mark in
    a file's metadata: article 50 of the EU's AI Act asks for marks that machines read, and for
    labels that people see.
    """
    if not facts.spec.discloses and _NAME not in facts.spec.checks:
        return
    for file in facts.published:
        if not facts.generated(file):
            continue
        if not _labelled(file):
            message = "no visible label says that the picture was generated"
            yield facts.about(file.recipe, "unlabelled", message, hint=_hint(file))
        elif not _visible(facts, file):
            message = "the label that says that the picture was generated is covered"
            yield facts.about(file.recipe, "unlabelled", message, hint=_hint(file))


def _labelled(file: Current) -> bool:
    task = file.recipe.task
    return isinstance(task, Derive) and any(OPS[step.op].discloses for step in task.ops)


def _visible(facts: Facts, file: Current) -> bool:
    """Whether the label is still to be seen in the file."""
    task = file.recipe.task
    if not isinstance(task, Derive) or OPS[task.ops[-1].op].discloses:
        return True
    from flux2build.images.derive import Job, discloses

    inputs = [facts.bytes_of(source) for source in file.recipe.inputs]
    job = Job(task, tuple(data for data in inputs if data is not None))
    try:
        return len(job.inputs) < len(inputs) or discloses(job, OPS)
    except Flux2BuildError:  # an input is not what it was, and `drift` says so
        return True


def _hint(file: Current) -> str:
    if isinstance(file.recipe.task, Derive):
        return 'end its `ops`, or `finish`, with `{ op = "label" }`'
    return 'publish a file of `deliver` with `ops = [{ op = "label" }]`, and not the master'


CHECK: Final[Check] = Check(
    {"unlabelled": "a generated picture has no visible label"}, findings, subject=Subject.PICTURES
)
