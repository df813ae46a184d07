"""A baseline that goes on: what is known of a tree in which a plan in brief has left nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from flux2build.building.report import Report
from flux2build.digest import of_bytes
from flux2build.lockfile.parts import Parts, spans
from flux2build.model import AssetName
from flux2build.planning.replan import names
from flux2build.session import baseline
from flux2build.session.baseline import Baseline, bounds_of
from flux2build.session.brief import Brief, Files, compared, said_by
from flux2build.session.findings import findings_in_brief
from flux2build.session.lock_in_parts import locked_in
from flux2build.session.project import Project
from flux2build.session.surroundings import around
from flux2build.storage.index import MISSING
from flux2build.storage.index_rows import in_order
from flux2build.storage.ledger_mark import answer_key, ledger_key, marked


class Renewed(Struct, frozen=True):
    """The baseline of a tree in which a build has left nothing to do."""

    base: Baseline
    touched: frozenset[str]
    """The files that are not as they were."""


def renew(project: Project, brief: Brief, report: Report | None, answer: str) -> None:
    """Keep the baseline and the answer of a tree in which a build has left nothing to do.

    Without a report nothing was done, and nothing had to be.
    """
    if (now := renewed(project, brief, report)) is not None:
        note(project, now, answer)


def renewed(project: Project, brief: Brief, report: Report | None) -> Renewed | None:
    """Return the baseline after a build of a plan in brief; None if something is left to do."""
    if project.owes_the_team:
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
    beside = (each for each in around(project, touched) if each not in base.around)
    base.contents["around"] |= {each: project.index.state(each) for each in beside}
    locked = locked_in(blocks, base.keys)
    seen = replace(project.look(base.profile, files, locked), ledger=project.journal.ledger())
    snapshot = said_by(base, seen, brief.snapshot.metas)
    plan = compared(project, brief.base, snapshot, (touched, brief.others))
    if plan is None or plan.drift or plan.orders or any(s.verdict.reasons for s in plan.steps):
        return None
    for step in plan.steps:
        pictures = dict.fromkeys(names(step.recipe), str(step.verdict.bytes))
        base.contents["pictures"] |= pictures
    if findings_in_brief(project, base, plan, snapshot, brief.assets) != []:
        base.contents["checks"] = None
    return Renewed(base, frozenset({*touched, project.lock_path.name}))


def note(project: Project, now: Renewed, answer: str) -> None:
    """Note the answer in the index as long as the states of the baseline last, and keep both."""
    index, journal, base = project.index, project.journal, now.base
    index.remember(ledger_key(), marked(str(journal.path), journal.end, time.time_ns()), [])
    commands = ("build", "check") if base.contents["checks"] is not None else ("build",)
    keys = [answer_key(each, project.file, project.options.profile) for each in commands]
    states, mark = {**base.states, **base.around}, (baseline.MARK, base.contents["mark"])
    if index.renew(keys, answer, mark, states, now.touched) or index.remember_all(
        keys, answer, in_order(states), states, {*now.touched}
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
    """A baseline with another lock, in which some assets differ, and with other states of some files."""
    contents = base.contents.copy()
    contents["around"] = {**base.around}
    contents["states"] = {**base.states, **states}
    if [*blocks.places] != [*base.places]:
        contents["blocks"] = [(str(asset), of) for asset, of in blocks.places]
    contents["bounds"] = bounds_of(blocks.places)
    contents["canonical"] = blocks.canonical
    contents["pictures"] = {**contents["pictures"]}
    changed = (blocks[asset, base.profile] for asset in due)
    keys = {row.key: None for block in changed for row in block.rows}
    contents["keys"] = [*contents["keys"], *(key for key in keys if key not in base.keys)]
    return Baseline(contents)
