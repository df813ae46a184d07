"""The findings of checks in a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from flux2build.assetspec import spec_text
from flux2build.assetspec.spec import UNUSED_KEY, Budget, Spec
from flux2build.assetspec.spec_text import SpecText
from flux2build.checks import CHECKS
from flux2build.checks.contract import Options, Subject, evaluate
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Flux2BuildError, Problem, SpecError, UsageError
from flux2build.incremental.baseline import UNUSED, Baseline
from flux2build.model import Asset, AssetName, Key
from flux2build.planning.plan import Plan
from flux2build.planning.snapshot import Snapshot
from flux2build.session.common_options import Choice
from flux2build.session.project import EVERYTHING, Project


def findings_of(
    project: Project, choice: Choice = EVERYTHING, *, strictly: bool = False
) -> list[Finding]:
    """Return the findings of all checks, in the order of building: causes before consequences.

    `strictly` makes a missing approval an error; every picture needs one if the spec does not
    require any.
    """
    from flux2build.session.approval import rendered

    reviewed = project.seen.reviewed or (rendered(project.spec) if strictly else frozenset())
    facts = Facts(
        project.spec,
        project.whole,
        project.lock,
        project.consult,
        project.conflict,
        project.capabilities.cards,
        project.lockless,
        project.doubled,
        reviewed,
    )
    listed = evaluate(facts, partial(_excluded, project), ("review",) if strictly else ())
    findings = list(listed)
    if not choice.everything:
        chosen = project.graph.closure(project.chosen(choice))
        findings = [each for each in findings if not each.asset or each.asset in chosen]
    order = list(dict.fromkeys(step.recipe.asset for step in project.whole.steps))
    rank = {asset: number for number, asset in enumerate(order)}
    return sorted(findings, key=lambda f: rank.get(f.asset, len(rank)) if f.asset else -1)


def findings_in_brief(
    project: Project,
    base: Baseline,
    plan: Plan,
    snapshot: Snapshot,
    assets: Mapping[AssetName, Asset],
) -> list[Finding] | None:
    """Return the findings after files have changed; None if everything must be read to know them.

    The plan has all steps of the assets that findings can be about. `assets` are those that have
    changed.
    """
    if base.checks is None or (names := _concerned(base, plan, assets)) is None:
        return None
    options = {
        name: CHECKS[name].options.model_validate(values)
        for name, values in base.checks.items()
        if name in names
    }
    try:
        excluded = _excluded_in_brief(base, plan, snapshot, options)
    except Flux2BuildError:
        return None
    facts = Facts(
        _unread_spec(project, base, options, assets),
        plan,
        snapshot.lock,
        project.consult,
        cards=project.capabilities.cards,
        reviewed=snapshot.reviewed,
    )
    findings = evaluate(facts, lambda name, _: excluded.get(name, frozenset()), names=names)
    return sorted(findings, key=lambda f: base.rank(f.asset) if f.asset else -1)


def _concerned(base: Baseline, plan: Plan, assets: Mapping[AssetName, Asset]) -> list[str] | None:
    """The checks that have something to examine, so that only these are loaded; None for all.

    The spec and the lock as a whole have nothing new to examine.
    """
    missing = {Subject.SPEC}
    if not assets:
        missing.add(Subject.ASSETS)
    if all(step.drift for step in plan.steps):
        missing.add(Subject.PICTURES)
    if Subject.PROJECT in base.subjects.values():
        return None
    with_notices = {UNUSED} if base.contents["idle"] else set()
    return [
        name
        for name, about in base.subjects.items()
        if about not in missing or name in with_notices
    ]


def standing(findings: Sequence[Finding]) -> frozenset[AssetName] | None:
    """The assets whose steps must be judged so that these findings are found again.

    None if a finding is neither about a single asset nor about a key without effect.
    """
    findings = [each for each in findings if each.code != UNUSED_KEY]
    about = {Subject.STEPS, Subject.PICTURES} if findings else set()
    checks = (check for check in CHECKS.values() if check.subject in about) if findings else ()
    codes = {code for check in checks for code in check.codes}
    assets = {each.asset if each.code in codes else None for each in findings}
    return None if None in assets else frozenset(filter(None, assets))


def subjects(spec: Spec) -> dict[str, str]:
    """The subject of each check that is not off; later it tells which checks to load."""
    options = {
        name: spec.checks.get(name) or check.options.model_construct()
        for name, check in CHECKS.items()
    }
    on = (name for name, chosen in options.items() if chosen.severity != "off")
    return {name: CHECKS[name].subject.value for name in on}


class _UnreadSpec(Spec, frozen=True):
    """A spec without findings of its own; its text is only read for the places of problems."""

    read: Callable[[], SpecText] | None = None

    def located(self, problem: Problem, key: Key, *, name: bool = False) -> Problem:
        """A problem at a key's value (or its name), with the source line."""
        return self._whole_text.located(problem, key, name=name)

    @cached_property
    def _whole_text(self) -> SpecText:
        return self.read() if self.read else self.text


class _UnreadAssets(dict[AssetName, Asset]):
    """The assets that were read again; of others only the words that their pictures must show."""

    expected: Mapping[str, str]

    def __missing__(self, name: AssetName) -> Asset:
        return Asset(name, str(name), {}, expect_text=self.expected.get(name))


def _unread_spec(
    project: Project,
    base: Baseline,
    checks: Mapping[str, Options],
    assets: Mapping[AssetName, Asset],
) -> Spec:
    unread = _UnreadAssets(assets)
    unread.expected = base.contents["expected"]
    return _UnreadSpec(
        file=project.file,
        name="",
        profile=base.profile,
        usual=base.profile,
        profiles=(),
        output=".",
        folders=(),
        kept={},
        templates="",
        budget=Budget(),
        checks=checks,
        assets=unread,
        recipes=(),
        gaps=(),
        text=SpecText(project.file, {"profile": {base.profile: base.said}}, ()),
        notices=base.idle,
        read=lambda: spec_text.read(project.tree, project.file),
    )


def _excluded_in_brief(
    base: Baseline, plan: Plan, snapshot: Snapshot, options: Mapping[str, Options]
) -> Mapping[str, frozenset[AssetName]]:
    """The assets that the `exclude` of each check names.

    Raises:
        Flux2BuildError: `exclude` names something that does not exist, or the spec must be read.
    """
    words = {name: each.exclude for name, each in options.items() if each.exclude}
    if not words:
        return {}
    from flux2build.incremental.names_in_brief import Names
    from flux2build.planning.selection import select

    names = Names(base, plan, snapshot)
    return {name: select(each, (), names.field(each)) for name, each in words.items()}


def _excluded(project: Project, check: str, options: Options) -> frozenset[AssetName]:
    """The assets that a check's `exclude` names."""
    if not options.exclude:
        return frozenset()
    from flux2build.planning.selection import select

    try:
        return select(options.exclude, (), project.selectable(project.whole))
    except UsageError as error:
        key = ("checks", check, "exclude")
        raise SpecError(*(project.spec.located(p, key) for p in error.problems)) from error
