"""Updates the baseline after a build that carried out a plan in brief."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from flux2build.building.report import Report
from flux2build.digest import of_bytes
from flux2build.incremental import baseline
from flux2build.incremental.baseline import Baseline, bounds_of
from flux2build.incremental.brief import Brief, Files, compared, with_approvals
from flux2build.incremental.findings import findings_in_brief, standing
from flux2build.incremental.keeping import enter_picture, mark, plain_orphans, unsettled
from flux2build.incremental.lock_in_parts import locked_in
from flux2build.incremental.surroundings import around
from flux2build.lockfile.parts import Parts, spans
from flux2build.model import Asset, AssetName
from flux2build.planning.plan import Plan
from flux2build.planning.snapshot import Snapshot
from flux2build.session.project import Project
from flux2build.storage.index import MISSING
from flux2build.storage.index_rows import in_order
from flux2build.storage.ledger_mark import answer_key, ledger_key, marked


class Renewed(Struct, frozen=True):
    """The baseline of a tree after a build."""

    base: Baseline
    touched: frozenset[str]
    """The files that have changed."""
    clean: bool
    """Whether no work is left."""


def renew(project: Project, brief: Brief, report: Report | None, answer: str) -> None:
    """Keep the baseline of a tree after a build, with the answer if no work is left.

    Without a report, nothing had to be done.
    """
    if (renewal := renewed(project, brief, report)) is not None:
        note(project, renewal, answer)


def renewed(project: Project, brief: Brief, report: Report | None) -> Renewed | None:
    """Return the baseline after a build of a plan in brief; None if that is unknown."""
    if project.owes_the_team or not _in_parts(report):
        return None
    placed = report.placed if report is not None else {}
    files = Files(
        brief.base, {**brief.changed, **{at: new or MISSING for at, new in placed.items()}}
    )
    blocks, touched = _blocks(brief, report), {*brief.changed, *placed}
    states = {path: files.get(path) or brief.changed.get(path, MISSING) for path in touched}
    if report is not None and report.lock is not None:
        states[blocks.file] = of_bytes(blocks.text)
    base = _entered(brief.base, blocks, report.due if report else (), states)
    surroundings = (each for each in around(project, touched) if each not in base.around)
    base.contents["around"] |= {each: project.index.state(each) for each in surroundings}
    locked = locked_in(blocks, base.keys)
    as_locked = replace(project.look(base.profile, files, locked), ledger=project.journal.ledger())
    snapshot = with_approvals(base, as_locked, brief.snapshot.metas)
    plan = compared(project, brief.base, snapshot, (touched, brief.others), brief.orphans)
    if plan is None:
        return None
    pictures = {**base.contents["pictures"]}
    for step in plan.steps:
        enter_picture(pictures, step)
    base.contents["pictures"] = pictures
    _leave_open(project, base, plan, snapshot, brief.assets)
    reasons = any(step.verdict.reasons for step in plan.steps)
    clean = not (plan.drift or plan.orders or reasons)
    return Renewed(base, frozenset({*touched, project.lock_path.name}), clean)


def _in_parts(report: Report | None) -> bool:
    """Whether the lock that a build has written can be read in parts."""
    lock = report.lock if report is not None else None
    return lock is None or isinstance(lock[0].blocks, Parts)


def _leave_open(
    project: Project,
    base: Baseline,
    plan: Plan,
    snapshot: Snapshot,
    assets: Mapping[AssetName, Asset],
) -> None:
    """Enter the assets that must always be judged, because of pending work or findings."""
    findings = findings_in_brief(project, base, plan, snapshot, assets)
    concerned = None if findings is None else standing(findings)
    if concerned is None:
        base.contents["checks"] = None
    due = {step.recipe.asset for step in plan.steps if unsettled(step)}.union(concerned or ())
    base.contents["open"] = sorted(due)
    metas = ((name, snapshot.metas.get(name)) for name in due)
    base.contents["metas"] = {name: meta for name, meta in metas if meta is not None}
    base.contents["orphans"] = plain_orphans(plan.orphans)


def note(project: Project, renewal: Renewed, answer: str) -> None:
    """Note the answer, if there is one, in the index for the states of the baseline, and save both."""
    index, journal, base = project.index, project.journal, renewal.base
    index.remember(ledger_key(), marked(str(journal.path), journal.end, time.time_ns()), [])
    silent = base.settled and base.checks is not None
    commands = ("build", "check") if silent else ("build",)
    keys = [answer_key(each, project.file, project.options.profile) for each in commands]
    keys = keys if renewal.clean else [baseline.MARK]
    states, mark = {**base.states, **base.around}, (baseline.MARK, base.contents["mark"])
    if index.renew(keys, answer, mark, states, renewal.touched) or index.remember_all(
        keys, answer, in_order(states), states, {*renewal.touched}
    ):
        baseline.write(project, base.contents, keys[0])
    index.save()


def _blocks(brief: Brief, report: Report | None) -> Parts:
    """The blocks of the lock after a build, in the text that it has written."""
    blocks = brief.snapshot.lock.blocks
    if report is not None and report.lock is not None:
        lock, data = report.lock
        blocks = lock.blocks
        if isinstance(blocks, Parts):
            places = blocks.patched.places if blocks.canonical else spans(data, lock)
            return Parts(data, blocks.file, places or {}, canonical=True)
    if not isinstance(blocks, Parts):  # pragma: no cover - a plan in brief drops none of them
        raise TypeError(blocks)
    return blocks


def _entered(
    base: Baseline, blocks: Parts, due: Iterable[AssetName], states: Mapping[str, str]
) -> Baseline:
    """A baseline with the new lock, in which some assets differ, and with new states of some files."""
    contents = base.contents.copy()
    contents["around"] = {**base.around}
    contents["states"] = {**base.states, **states}
    if [*blocks.places] != [*base.places]:
        contents["blocks"] = [(str(asset), of) for asset, of in blocks.places]
    contents["bounds"] = bounds_of(blocks.places)
    contents["marks"] = _marks(base, blocks, due)
    contents["canonical"] = blocks.canonical
    contents["pictures"] = {**contents["pictures"]}
    # There may be no block of an asset that has failed, or waits for a person.
    changed = [block for asset in due if (block := blocks.get((asset, base.profile)))]
    keys = dict.fromkeys(key for block in changed for key in block.keys)
    unsigned = any(row.output.unsigned for block in changed for row in block.rows)
    contents["plain"] = base.plain and not unsigned
    contents["keys"] = [*contents["keys"], *(key for key in keys if key not in base.keys)]
    return Baseline(contents)


def _marks(base: Baseline, blocks: Parts, due: Iterable[AssetName]) -> list[str]:
    """The marks of a lock's blocks, of which those of some assets are new."""
    marks = dict(zip(base.places, base.contents["marks"], strict=True))
    for asset in due:
        marks.pop((asset, base.profile), None)
    return [
        marks.get(key) or mark(blocks.text[slice(*at)], blocks[key])
        for key, at in blocks.places.items()
    ]
