"""Explain why assets are, or are not, made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

import click

from flux2build.cli.command import command
from flux2build.console import plan_view
from flux2build.console.changes import changes, marked
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Digest, Json
from flux2build.errors import UsageError
from flux2build.model import AssetName
from flux2build.planning.plan import Plan, Step, priced
from flux2build.planning.reason import ReasonCode, because
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import price_range
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project

if TYPE_CHECKING:
    from flux2build.sharing.records import SharedClaim


@command("explain", selects=True)
def explain(options: CommonOptions, *, choice: Choice) -> None:
    """Explain why assets are, or are not, made again.

    Shows the verdict that a build would act on: its reasons, the fields that
    changed, what the asset is made of and what needs it. With -v, shows every
    file by itself, with its key.
    """
    if not choice.selection:
        raise UsageError("explain which asset?", hint="`flux2build list` names them all")
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    whole = project.whole
    chosen = project.chosen(choice)
    claims = _claims(project, [step for step in whole.steps if step.recipe.asset in chosen])
    if options.json:
        console.document(_as_json(project, whole, chosen, claims))
        return
    for name in project.spec.named:
        if name in chosen:
            console.data(*_lines(project, whole, name, claims, every=options.verbosity > 0))


def _claims(project: Project, steps: Sequence[Step]) -> Mapping[Digest, SharedClaim]:
    """The claims in the team's store on orders that would otherwise be sent."""
    if project.team is None:
        return {}
    verdicts = (step.verdict for step in steps)
    sent = (v for v in verdicts if v.action is Action.RENDER or v.due_to(ReasonCode.CLAIMED))
    return project.team.claims(verdict.key for verdict in sent if verdict.key)


def _steps(whole: Plan, name: AssetName) -> list[Step]:
    return [step for step in whole.steps if step.recipe.asset == name]


def _lines(
    project: Project,
    whole: Plan,
    name: AssetName,
    claims: Mapping[Digest, SharedClaim],
    *,
    every: bool,
) -> Iterator[Text]:
    place = project.spec.text.place(project.spec.named[name].key)
    yield Text.assemble((clean(name), "bold"), (f"  {place}", "dim"))
    for steps in _grouped(_steps(whole, name), every=every):
        yield from _verdict(steps)
        for key in dict.fromkeys(step.verdict.key for step in steps):
            if key and key in claims:
                yield _claimed(claims[key])
        if every and (key := steps[0].verdict.key):
            yield Text(f"             key {key}", "dim")
    yield from _neighbours(project, name)


def _grouped(steps: Sequence[Step], *, every: bool) -> Iterator[list[Step]]:
    """Runs of files with the same verdict; with `every`, each file by itself."""

    def same(step: Step) -> object:
        recipe = step.recipe
        return (
            recipe.label if every else (recipe.kind, bool(recipe.candidate), step.verdict.reasons)
        )

    for _, group in groupby(steps, key=same):
        yield list(group)


def _verdict(steps: Sequence[Step]) -> Iterator[Text]:
    step = steps[0]
    yield Text.assemble(
        f"  {plan_view.symbol(step)} ",
        (f"{step.verdict.action:<8}", "bold"),
        f" {clean(_named(steps))}",
    )
    why = because(step.recipe, step.verdict.reasons) or "nothing it is made of has changed"
    low, high = priced(steps)
    price = f"  {price_range(low, high)}" if high != 0 else ""
    yield Text.assemble(f"             {clean(why)}", (price, "bold"))
    for missing in dict.fromkeys(step.missing for step in steps):
        if missing:
            yield Text(f"             cannot be made here: {missing}", "yellow")
    for field, change in changes(step):
        yield Text.assemble("             ", (f"{field} ", "bold"), marked(change))


def _named(steps: Sequence[Step]) -> str:
    """The names of what some steps make: candidates by their number, files by their path."""
    first, more = steps[0].recipe, len(steps) - 1
    if first.candidate:
        return plan_view.counted(len(steps), "candidate") if more else first.label
    return f"{first.output} and {more} more" if more else first.output


def _claimed(claim: SharedClaim) -> Text:
    ticket = ", which has a ticket" if claim.task else ""
    who = "another machine of the team is buying it, or has left it behind"
    return Text(f"             {who}: claimed {claim.at}{ticket}", "yellow")


def _neighbours(project: Project, name: AssetName) -> Iterator[Text]:
    for label, assets in (
        ("made of", project.graph.up(name)),
        ("needed by", project.graph.down(name)),
    ):
        if assets:
            near = sorted(assets, key=lambda other: (assets[other], other))
            yield Text(f"  {label}: {clean(', '.join(near))}", "dim")


def _as_json(
    project: Project,
    whole: Plan,
    chosen: frozenset[AssetName],
    claims: Mapping[Digest, SharedClaim],
) -> dict[str, Json]:
    return {
        "assets": [
            {
                "asset": name,
                "steps": [
                    {
                        **plan_view.step_json(step, whole.profile),
                        "key": step.verdict.key,
                        "changes": dict(changes(step)),
                        **_claim_json(claims.get(step.verdict.key) if step.verdict.key else None),
                    }
                    for step in _steps(whole, name)
                ],
                "made_of": sorted(project.graph.up(name)),
                "needed_by": sorted(project.graph.down(name)),
            }
            for name in project.spec.named
            if name in chosen
        ]
    }


def _claim_json(claim: SharedClaim | None) -> dict[str, Json]:
    """The claim of another machine on the order of a step."""
    if claim is None:
        return {}
    return {"claimed": {"order": claim.attempt, "at": claim.at, "task": claim.task or None}}


COMMAND: Final[click.Command] = explain
