"""The events of a build while it runs, and its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct, field

from flux2build.digest import Digest
from flux2build.errors import (
    DecisionError,
    Exit,
    Flux2BuildError,
    HaltedError,
    Problem,
    SystemFault,
    gravest,
)
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName, Recipe
from flux2build.planning.reason import WAITING, Reason, ReasonCode
from flux2build.planning.verdict import Action, Verdict


class Event(Struct, frozen=True):
    """One step has ended, or has `begun`; `problems` say why it did not succeed.

    Problems of a step that has only begun are warnings: the file is made nevertheless.
    """

    recipe: Recipe
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    blocked: AssetName | None = None
    """The asset whose failure blocks this step, where that is the reason."""
    begun: bool = False
    """Whether the step has only started."""
    for_all: bool = False
    """Whether the problems belong to all steps, and keep others from being made, too."""


class Report(Struct):
    """The outcome of a build, step by step."""

    done: list[tuple[Recipe, Verdict]] = field(default_factory=list)
    failures: list[tuple[Recipe, Flux2BuildError]] = field(default_factory=list)
    blocked: list[tuple[Recipe, AssetName]] = field(default_factory=list)
    costs: list[tuple[str, Decimal]] = field(default_factory=list)
    """The asset and the cost in USD of every order that was charged."""
    reserved: Decimal = Decimal(0)
    """The most in USD that unfinished orders may still cost."""
    due: frozenset[AssetName] = frozenset()
    """The assets that were judged again; the others were left alone."""
    kept: int = 0
    """The number of files that were not judged, because nothing that affects them has changed."""
    placed: dict[str, Digest | None] = field(default_factory=dict)
    """The bytes of each file that was written, by path; None for one that was removed."""
    lock: tuple[Lockfile, bytes] | None = None
    """The last written lock, and its text."""
    waiting: list[tuple[Recipe, WaitingError]] = field(default_factory=list)
    """The recipes that are not made because a person has to decide first."""
    interrupted: bool = False
    """Whether work remains for the next build because the user asked to stop."""
    overtaken: bool = False
    """Whether work remains because the spec, or one of its files, was edited meanwhile."""
    sketches: tuple[str, ...] = ()
    """The sketches that stand in for pictures that were not made."""

    def note(self, recipe: Recipe, failure: Flux2BuildError) -> Event | None:
        """Enter the reason why a file was not made; return an event if it is reported at once."""
        blocked: AssetName | None = None
        match failure:
            case HaltedError():
                self.interrupted = True
                return None
            case WaitingError():
                self.waiting.append((recipe, failure))
                return None
            case BlockedError(culprit=culprit):
                self.blocked.append((recipe, blocked := culprit))
            case _:
                self.failures.append((recipe, failure))
        for_all = isinstance(failure, GoneError)
        return Event(recipe, Verdict(Action.ASK), failure.problems, blocked, for_all=for_all)

    def sort(self, recipes: Iterable[Recipe]) -> None:
        """Sort all lists in the order of some recipes, instead of the order of their ends."""
        each = [(recipe.output, recipe.candidate) for recipe in recipes]
        places = dict(zip(each, range(len(each)), strict=True))

        def place(entry: tuple[Recipe, object]) -> int:
            return places.get((entry[0].output, entry[0].candidate), len(places))

        self.done.sort(key=place)
        self.failures.sort(key=place)
        self.blocked.sort(key=place)
        self.waiting.sort(key=place)

    def charge(
        self, costs: Iterable[tuple[str, Decimal]], reserved: Decimal, assets: Iterable[str]
    ) -> None:
        """Enter costs in the order of their assets, whichever was charged first."""
        places = {asset: place for place, asset in enumerate(assets)}
        self.costs = sorted(costs, key=lambda cost: (places.get(cost[0], len(places)), cost))
        self.reserved = reserved

    def on(self, files: Mapping[str, Digest]) -> dict[str, Digest]:
        """The files by path after the build, from those before it."""
        now = {**files, **self.placed}
        return {path: digest for path, digest in now.items() if digest is not None}

    @property
    def spent(self) -> Decimal:
        """The cost of this build's orders, in USD."""
        return sum((cost for _, cost in self.costs), Decimal(0))

    @property
    def exit(self) -> Exit:
        """The exit code of the gravest outcome."""
        codes = {failure.exit for _, failure in self.failures}
        codes = {Exit.INCOMPLETE if code is Exit.USAGE else code for code in codes}
        codes |= {Exit.INTERRUPTED} if self.interrupted else set()
        codes |= {Exit.DECIDE} if self.waiting else set()
        return gravest(codes | ({Exit.INCOMPLETE} if self.blocked else set()))


class WaitingError(DecisionError):
    """A file is not made because a person has to decide about a picture first."""

    def __init__(self, culprit: AssetName, reason: Reason, *, forced: bool = False) -> None:
        """`forced` says that another picture was requested on the command line."""
        super().__init__(Problem(f"`{culprit}` {Reason(reason.code).sentence}"))
        self.culprit, self.reason, self.forced = culprit, reason, forced


class BlockedError(Flux2BuildError):
    """An asset cannot be made because an asset that it needs was not made."""

    exit = Exit.INCOMPLETE

    def __init__(self, culprit: AssetName) -> None:
        super().__init__(Problem(f"blocked, because `{culprit}` was not made"))
        self.culprit = culprit


class GoneError(SystemFault):
    """The cluster or process that makes files is gone, so no further file can be made."""


def refuse_waiting(recipe: Recipe, verdict: Verdict) -> None:
    """Refuse to go on with a recipe while a person has to decide about a picture.

    Raises:
        WaitingError: that is so.
    """
    if reason := next((each for each in verdict.reasons if each.code in WAITING), None):
        forced = verdict.due_to(ReasonCode.REQUESTED)
        raise WaitingError(AssetName(reason.subject or recipe.asset), reason, forced=forced)
