"""What a build tells while it runs, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from flux2build.errors import (
    Exit,
    Flux2BuildError,
    IncompleteError,
    Problem,
    gravest,
    one_line,
)
from flux2build.model import AssetName, Recipe
from flux2build.planning.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Event:
    """One step has ended; `problems` say why it did not succeed."""

    recipe: Recipe
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    blocked: AssetName | None = None
    """The asset whose failure blocks this step, where that is the reason."""


@dataclass(slots=True)
class Report:
    """The outcome of a build, step by step."""

    done: list[tuple[Recipe, Verdict]] = field(default_factory=list)
    failures: list[tuple[Recipe, Flux2BuildError]] = field(default_factory=list)
    blocked: list[tuple[Recipe, AssetName]] = field(default_factory=list)
    interrupted: bool = False
    """Whether work is left for the next build because the user asked to stop."""

    @property
    def exit(self) -> Exit:
        """The exit code of the gravest outcome."""
        codes = {failure.exit for _, failure in self.failures}
        codes = {Exit.INCOMPLETE if code is Exit.USAGE else code for code in codes}
        codes |= {Exit.INTERRUPTED} if self.interrupted else set()
        return gravest(codes | ({Exit.INCOMPLETE} if self.blocked else set()))


class BlockedError(Flux2BuildError):
    """An asset cannot be made because an asset that it needs was not made."""

    exit = Exit.INCOMPLETE

    def __init__(self, culprit: AssetName) -> None:
        super().__init__(Problem(f"blocked, because `{culprit}` was not made"))
        self.culprit = culprit


def typed(recipe: Recipe, error: Exception) -> Flux2BuildError:
    """The failure of one asset, whatever was raised while it was made.

    Libraries raise anything for a picture that nobody has seen before. One such picture is
    a failure that names its file; it is not the end of a build that has paid for others.
    """
    if isinstance(error, Flux2BuildError):
        return error
    read = ", ".join(f"`{str(source).removeprefix('asset:')}`" for source in recipe.inputs)
    rows = (("read", read),) if read else ()
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return IncompleteError(
        Problem(
            f"a picture is broken: `{recipe.output}` cannot be made of it",
            rows=(*rows, ("library", one_line(told, 200))),
            hint="export the picture again, or look at what the provider delivered",
        )
    )
