"""Plans, printed for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from flux2build.checks.finding import Finding
from flux2build.console.columns import cell, column
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.model import AssetName
from flux2build.planning.open_orders import OpenOrder
from flux2build.planning.plan import Plan, Step, priced
from flux2build.planning.reason import ReasonCode, because
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import money, price_range
from flux2build.session.project import Project

STYLES: Final = {"+": "green", "~": "yellow", "?": "yellow", "=": "cyan", "v": "cyan", "-": "red"}
"""Colour by symbol; colour never carries meaning alone."""

_LONGEST: Final = 44
"""Cells of the column of names where no terminal limits it."""
_SYMBOLS: Final = {
    Action.KEEP: " ",
    Action.RESTORE: "=",
    Action.ADOPT: "=",
    Action.RESUME: ">",
    Action.RENDER: "~",
    Action.DERIVE: "v",
    Action.ASK: "!",
}


def symbol(step: Step) -> str:
    """One character for the action of a step."""
    if not step.verdict.certain:
        return "?"
    asks = step.verdict.action is Action.ASK
    if step.verdict.due_to(ReasonCode.NEVER_RENDERED) and not asks:
        return "+" if step.verdict.action is Action.RENDER else "="
    return _SYMBOLS[step.verdict.action]


def show(console: Console, project: Project, plan: Plan) -> None:
    """Print a plan of a project on stdout, as text or as the documented JSON."""
    console.caution(filter(None, [project.lockless]))
    if project.options.json:
        console.document(as_json(plan))
        return
    console.data(*lines(plan, console.width, every=console.verbosity > 0))
    if project.unread and plan.high:
        console.say("No paid picture of this is ordered until the journal of orders is settled.")
    if project.conflicted:
        lock = project.lock_path.name
        console.say(f"`{lock}` holds merge conflicts; `flux2build build` reconciles them")


def lines(plan: Plan, width: int | None = None, *, every: bool = False) -> Iterator[Text]:
    """One line for each step to do, files of one asset together, then one footer.

    On lines of a `width`, a name that is long is followed by a break.
    """
    groups = _grouped(plan, every=every)
    names: list[str] = [group[0].recipe.asset for group in groups]
    names += [orphan.asset for orphan in plan.orphans]
    names += [order.intended.asset for order in plan.orders if order.ours]
    wide = column(names, width, _LONGEST)

    def name(asset: str) -> str:
        return cell(clean(asset), wide)

    from flux2build.console.changes import changes, marked

    for group in groups:
        yield _line(group, name(group[0].recipe.asset), every=every)
        for field, change in dict.fromkeys(each for step in group for each in changes(step)):
            yield Text.assemble("    ", (f"{field} ", "bold"), marked(change))
    for orphan in plan.orphans:
        yield Text.assemble(
            ("- ", STYLES["-"]),
            f"{name(orphan.asset)}  ",
            "orphan   ",
            clean(orphan.path),
        )
    yield from _orders(plan.orders, name)
    if groups or plan.orphans or plan.orders:
        yield Text()
    yield from _notes(plan.steps)
    yield footer(plan)


def _notes(steps: Iterable[Step], most: int = 3) -> Iterator[Text]:
    """Notes that should be read before paying, each once, with its assets."""
    about: dict[str, dict[AssetName, None]] = {}
    for step in steps:
        for note in step.notes:
            about.setdefault(note, {})[step.recipe.asset] = None
    for note, assets in about.items():
        more = f" and {len(assets) - most} more" if len(assets) > most else ""
        names = clean(", ".join([*assets][:most]))
        yield Text.assemble(("note", "bold cyan"), f": {names}{more}: ", clean(note))


def _grouped(plan: Plan, *, every: bool) -> list[list[Step]]:
    """Steps shown on one line: files of one asset with the same action and reasons."""
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in plan.steps:
        if not (every or step.drift):
            continue
        verdict = step.verdict
        own = step.recipe.label if every else step.recipe.kind
        key = (step.recipe.asset, own, bool(step.recipe.candidate), verdict.action, verdict.reasons)
        groups.setdefault(key, []).append(step)
    first = {asset: n for n, asset in reversed(list(enumerate(s.recipe.asset for s in plan.steps)))}
    return sorted(groups.values(), key=lambda group: first[group[0].recipe.asset])


def _line(group: Sequence[Step], name: str, *, every: bool) -> Text:
    step = group[0]
    mark, what = symbol(step), "candidate" if step.recipe.candidate else "file"
    many = f" {counted(len(group), what)}" if len(group) > 1 or step.recipe.candidate else ""
    verb = f"{step.verdict.action}{many}"
    low, high = priced(group)
    return Text.assemble(
        (f"{mark} ", STYLES.get(mark, "")),
        f"{name}  ",
        f"{verb:<8}  " if many else f"{verb:<8} ",
        f"{clean(step.recipe.label)}  " if every else "",
        (clean(because(step.recipe, step.verdict.reasons)), "dim"),
        (f"  {price_range(low, high)}" if high != 0 else "", "bold"),
    )


def _orders(orders: Iterable[OpenOrder], name: Callable[[str], str]) -> Iterator[Text]:
    """Orders that no step asks for: one line for each in this project, one for all others."""
    theirs: dict[str, list[OpenOrder]] = {}
    for order in orders:
        if order.ours:
            yield _order(order, name(order.intended.asset), "")
        else:
            theirs.setdefault(order.intended.project, []).append(order)
    for project, others in theirs.items():
        count = name(counted(len(others), "order"))
        yield _order(others[0], count, f" (ordered in {project})")


def _order(order: OpenOrder, name: str, whose: str) -> Text:
    mark, why = _SYMBOLS[order.action], ", ".join(reason.sentence for reason in order.reasons)
    return Text.assemble(
        f"{mark} {name}  {_VERBS[order.action]:<8} ",
        (f"{why}{clean(whose)}", "dim"),
        ("  free" if order.pending else f"  at most {money(order.intended.reserve)}", "bold"),
    )


def footer(plan: Plan) -> Text:
    """Counts and the price range, in one line."""
    if not plan.drift:
        return Text(clean_line(plan))
    counts = Counter(plan.counts) + Counter(order.action for order in plan.orders)
    parts = [f"{counts[a]} to {_VERBS.get(a, a)}" for a in Action if counts[a] and a in _TODO]
    if plan.orphans:
        parts.append(f"{len(plan.orphans)} left over")
    parts.append(f"{counts[Action.KEEP]} up to date")
    price = price_range(plan.low, plan.high)
    return Text.assemble(
        (f"Plan ({plan.profile}): ", "bold"), ", ".join(parts), f". Price: {price}."
    )


_TODO: Final = frozenset(Action) - {Action.KEEP}
_VERBS: Final = {Action.ASK: "decide", Action.RESUME: "collect"}


def clean_line(plan: Plan) -> str:
    """The sentence for a plan that has nothing to do."""
    return f"Up to date ({plan.profile}): {counted(plan.files)}. Nothing to do."


def counted(count: int, noun: str = "file") -> str:
    """A number of things in words."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def left_over(count: int) -> str:
    """The number of outputs that the spec no longer wants, in words."""
    return f"{counted(count, 'output')} {'is' if count == 1 else 'are'} left over"


def as_json(plan: Plan) -> dict[str, Json]:
    """The documented JSON of `plan --json`; prices are decimal strings in USD."""
    orders = [_order_json(order) for order in plan.orders if order.ours]
    return {
        "steps": [step_json(step, plan.profile) for step in plan.steps],
        "orphans": [{"asset": o.asset, "profile": o.profile, "path": o.path} for o in plan.orphans],
        "summary": {
            **{action.value: plan.counts[action] for action in Action},
            **_prices(plan.low, plan.high),
        },
        **({"orders": orders} if orders else {}),
    }


def _order_json(order: OpenOrder) -> dict[str, Json]:
    """One order of `plan --json`."""
    return {
        "order": order.intended.attempt,
        "asset": order.intended.asset,
        "provider": order.intended.provider,
        "state": order.state.value,
        "action": order.action.value,
        "reasons": [str(reason) for reason in order.reasons],
    }


def step_json(step: Step, profile: str) -> dict[str, Json]:
    """One step of `plan --json`."""
    return {
        "asset": step.recipe.asset,
        "profile": profile,
        "kind": step.recipe.kind,
        "action": step.verdict.action.value,
        "reasons": [str(reason) for reason in step.verdict.reasons],
        "output": step.recipe.output,
        **({"candidate": step.recipe.candidate} if step.recipe.candidate else {}),
        **_prices(step.low, step.high),
        "notes": list(step.notes),
    }


def _prices(low: Decimal, high: Decimal | None) -> dict[str, Json]:
    """Decimal strings in USD, never in scientific notation."""
    return {"price_min": f"{low:f}", "price_max": None if high is None else f"{high:f}"}


def finding_json(finding: Finding) -> dict[str, Json]:
    """One finding, for programs."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "asset": finding.asset,
        "path": finding.path,
        **problem_json(finding.problem),
    }


def problem_json(problem: Problem) -> dict[str, Json]:
    """One problem, for programs."""
    place = problem.place
    return {
        "file": place.file if place else None,
        "line": place.line or None if place else None,
        "column": place.column or None if place else None,
        "message": problem.message,
        "hint": problem.hint,
    }
