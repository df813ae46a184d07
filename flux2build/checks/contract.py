"""The contract of a check: facts in, findings out, offline and without writing.

A member is a module of `flux2build/checks/` that ends in `CHECK: Final[Check] = …`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from flux2build.assetspec import Spec
from flux2build.errors import Place
from flux2build.images.colour import difference, dominant
from flux2build.images.colour.difference import Tone
from flux2build.images.provenance import iptc
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName, Derive, Output, Recipe, Write
from flux2build.planning.plan import Plan
from flux2build.providers.capabilities import Card
from flux2build.registry import Family


class Severity(StrEnum):
    """How much a finding weighs: an error fails `check`, a warning only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"


Level = Literal["error", "warning", "off"]


class Options(BaseModel):
    """What `[checks]` may say of a check; a member with more to say adds its own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    severity: Level = Field(default="error", description="how much its findings weigh")
    exclude: list[str] = Field(
        default=[], description="assets that it leaves alone, by the selection grammar"
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of a check: what is the matter, where, and the command that mends it."""

    code: str
    severity: Severity
    message: str
    asset: AssetName | None = None
    path: str | None = None
    """The file concerned: an output, a source, the spec or the lock."""
    place: Place | None = None
    """Where the spec asks for it."""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """A file that is as the spec and the lock want it."""

    recipe: Recipe
    output: Output


@dataclass(frozen=True, slots=True)
class Facts:
    """All a check may know."""

    spec: Spec
    plan: Plan
    lock: Lockfile
    read: Callable[[str], bytes | None]
    """The bytes of a file below the project root by its path, or None when it is missing."""
    conflict: int | None = None
    """The line of the lock at which a merge left its first marker."""
    cards: Mapping[str, Mapping[str, Card]] = field(default_factory=dict)
    """What the models can do and cost, by provider and model."""

    def files(self) -> Iterator[Current]:
        """Every picture that is what the spec wants; what drifts is about to be another one."""
        for step in self.plan.steps:
            document = isinstance(step.recipe.task, Write)
            if step.before is not None and not step.drift and not document:
                yield Current(step.recipe, step.before.output)

    def shipped(self) -> Iterator[Current]:
        """Of these the ones to be published: deliverables, and masters of which there are none."""
        derived = {
            step.recipe.asset for step in self.plan.steps if isinstance(step.recipe.task, Derive)
        }
        for file in self.files():
            if isinstance(file.recipe.task, Derive) or file.recipe.asset not in derived:
                yield file

    def tones(self, output: Output) -> tuple[Tone, ...]:
        """Its main colours: from the lock, or from the pixels where nobody looked yet."""
        return difference.read(output.colours) or dominant.tones(self.read(output.path) or b"")

    def source_type(self, output: Output) -> str:
        """IPTC's term that a file is marked with: from the lock, or from the file."""
        if output.source_type is not None:
            return output.source_type
        return iptc.source_type(self.read(output.path) or b"")

    def about(self, file: Current, code: str, message: str, *, hint: str) -> Finding:
        """A finding about a file."""
        recipe = file.recipe
        return Finding(
            code=code,
            severity=Severity.ERROR,
            message=message,
            asset=recipe.asset,
            path=recipe.output,
            place=self.spec.place(recipe.key),
            hint=hint,
        )


class Check(Protocol):
    """One check; `codes` maps each code it may report to a sentence for the docs."""

    @property
    def name(self) -> str:
        """Its name, for `--select` and the docs."""

    @property
    def codes(self) -> dict[str, str]:
        """Every code it can report, with what it means."""

    @property
    def options(self) -> type[Options]:
        """The model of its options, with its defaults."""

    def findings(self, facts: Facts, options: Any) -> Iterator[Finding]:
        """What it has to say, in a stable order; how much it weighs is decided by its options."""


def weighed(
    checks: Mapping[str, Check],
    facts: Facts,
    options: Mapping[str, Options],
    left_alone: Callable[[str, Options], frozenset[AssetName]],
) -> Iterator[Finding]:
    """What all checks have to say, by the weight that the spec gives them.

    `left_alone` is told a check's name and options, and says which assets it leaves out.
    """
    for name, check in checks.items():
        chosen = options.get(name) or check.options()
        if chosen.severity == "off":
            continue
        ignored = left_alone(name, chosen)
        for finding in check.findings(facts, chosen):
            if finding.asset not in ignored:
                yield replace(finding, severity=Severity(chosen.severity))


CHECKS: Final = Family[Check]("flux2build.checks", "CHECK", besides=frozenset({"contract"}))
