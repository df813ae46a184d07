"""Writes the result of reading everything as the baseline for later changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from msgspec.structs import asdict

from flux2build.assetspec.spec import UNUSED_KEY, Budget, Notice
from flux2build.digest import half, of_bytes
from flux2build.incremental import baseline
from flux2build.incremental.baseline import Baseline, Contents, bounds_of, few, key_of
from flux2build.incremental.plain_recipes import plain
from flux2build.lockfile import Block, dumps, parts
from flux2build.lockfile.parts import Spans
from flux2build.model import Asset, AssetName, Key, Recipe
from flux2build.planning.plan import Orphan, Step
from flux2build.planning.replan import names
from flux2build.planning.verdict import Action
from flux2build.session.project import Project
from flux2build.storage.fields import Fields


def keep(
    project: Project,
    around: Mapping[str, str],
    concerned: frozenset[AssetName] | None,
    subjects: Mapping[str, str],
) -> Baseline | None:
    """Keep the plan of a project as the baseline, and return it; None if too much is to be done.

    `around` are the states on which an answer depends, and `subjects` are those of the checks.
    `concerned` are the assets with findings; it is None if findings may be about others. Only the
    lock knows which candidate ships, so an asset with candidates is always judged.
    """
    due = {each.recipe.asset for each in project.whole.steps if unsettled(each)}
    most = few(len(project.spec.named))
    if len(due) > most:
        return None
    if concerned is not None and len(due | concerned) > most:
        concerned = None
    contents = cast("Contents", Fields({**_contents(project, due.union(concerned or ()))}))
    own_states = contents["states"].keys()
    contents["around"] = {path: state for path, state in around.items() if path not in own_states}
    contents["subjects"] = {**subjects}
    if concerned is not None:
        options = project.spec.checks.items()
        contents["checks"] = {name: each.model_dump() for name, each in options}
    baseline.write(project, contents)
    return Baseline(contents)


def unsettled(step: Step) -> bool:
    """Whether a step must always be judged, because its file is not simply kept."""
    return step.drift or bool(step.verdict.reasons) or bool(step.recipe.takes)


def _contents(project: Project, due: Collection[AssetName]) -> Contents:
    from flux2build.incremental import traces

    steps, state = project.whole.steps, project.index.known
    written, spec_files = project.below_output(), project.spec_files.items()
    spec = {path: path_state for path, path_state in spec_files if path not in written}
    fixed = [project.lock_path.name, *project.settings_states]
    outputs = {step.recipe.output for step in steps}
    folders = written - outputs
    pictures = sorted(project.paths | outputs | _elsewhere(project, outputs))
    places = _places(project)
    contents = Contents(
        key=key_of(project),
        profile=project.spec.profile,
        mark="",
        states={path: state(path) for path in (*spec, *fixed, *sorted(project.paths), *pictures)},
        spec=spec,
        folders=[path for path, _ in spec_files if path in folders],
        fixed=fixed,
        settings=project.settings.decisive,
        files=pictures,
        recipes=[],
        pictures={},
        makers={},
        steps={},
        users={},
        sizes={str(name): size for name, size in project.sizes.items()},
        notes=dict(project.spec.notes),
        blocks=[(str(asset), of) for asset, of in places],
        bounds=bounds_of(places),
        marks=[
            mark(project.lock_bytes[slice(*at)], project.lock.blocks[key])
            for key, at in places.items()
        ],
        tags=tags_of(project.spec.assets),
        drawn=drawn_of(project.spec.assets),
        open=sorted(due),
        metas={name: project.spec.named[name].meta for name in due if name in project.spec.named},
        orphans=plain_orphans(project.whole.orphans),
        expected=expected_of(project.spec.assets),
        reviewed=sorted(project.seen.reviewed),
        asking=asking_of(project.spec.assets),
        ships_approved=project.spec.ships_approved,
        keys=[key for block in project.lock.blocks.values() for key in block.keys],
        around={},
        canonical=project.wrote_lock or dumps(project.lock).encode() == project.lock_bytes,
        plain=_is_plain(project),
        said=said_of(project.spec.text.data, project.spec.profile),
        budget=plain_budget(project.spec.budget),
        trace=traces.contents(project.spec),
        checks=None,
        idle=idle_of(project.spec.notices),
        subjects={},
    )
    for step in steps:
        enter_picture(contents["pictures"], step)
    link(contents, project.graph.ordered)
    return contents


def _elsewhere(project: Project, outputs: Collection[str]) -> set[str]:
    """The files of the project that are locked and no outputs of the profile."""
    rows = (row for block in project.lock.blocks.values() for row in block.rows)
    locked = {row.output.path for row in rows}.difference(outputs)
    return set(filter(project.tree.inside, locked))


def plain_budget(budget: Budget) -> dict[str, str | None]:
    """The budget of the spec, as plain data."""
    return {name: None if usd is None else str(usd) for name, usd in asdict(budget).items()}


def mark(text: bytes, block: Block) -> str:
    """The short digests of a block's text and of its asset's tags, alternative text and title."""
    return half(of_bytes(text.strip())) + half(block.meta)


def plain_orphans(orphans: Iterable[Orphan]) -> list[tuple[str, str, str, str]]:
    """Leftover files, as plain data."""
    return [(each.asset, each.profile, each.path, each.sha256) for each in orphans]


def enter_picture(pictures: dict[str, str], step: Step) -> None:
    """Enter the digest of a file that is kept; remove that of any other file."""
    for name in () if step.recipe.candidate else names(step.recipe):
        if step.verdict.action is Action.KEEP:
            pictures[name] = str(step.verdict.bytes)
        else:
            pictures.pop(name, None)


def link(contents: Contents, recipes: Sequence[Recipe]) -> None:
    """Enter recipes in the order of building, each known by its place in it."""
    steps, makers, users = dict[str, list[int]](), dict[str, int](), dict[str, list[int]]()
    for place, recipe in enumerate(recipes):
        steps.setdefault(recipe.asset, []).append(place)
        makers |= dict.fromkeys(names(recipe), place)
        for source in recipe.inputs:
            users.setdefault(str(source), []).append(place)
    contents["recipes"] = [plain(recipe) for recipe in recipes]
    contents["steps"], contents["makers"], contents["users"] = steps, makers, users


def tags_of(assets: Mapping[AssetName, Asset]) -> dict[str, list[str]]:
    """The tags of the assets that have any."""
    return {str(name): [*asset.tags] for name, asset in assets.items() if asset.tags}


def drawn_of(assets: Mapping[AssetName, Asset]) -> dict[str, str]:
    """The files of the assets that are not rendered."""
    return {str(name): asset.source for name, asset in assets.items() if asset.source is not None}


def expected_of(assets: Mapping[AssetName, Asset]) -> dict[str, str]:
    """The words that pictures have to show, by asset."""
    return {str(name): asset.expect_text for name, asset in assets.items() if asset.expect_text}


def idle_of(notices: Iterable[Notice]) -> list[tuple[Key, str, str | None]]:
    """The notices about keys without effect, as plain data."""
    problems = ((each.key, each.problem) for each in notices if each.code == UNUSED_KEY)
    return [(key, problem.message, problem.hint) for key, problem in problems]


def asking_of(assets: Mapping[AssetName, Asset]) -> list[str]:
    """The assets that ask for an approval of their pictures."""
    return sorted(str(name) for name, asset in assets.items() if asset.review)


def _is_plain(project: Project) -> bool:
    """Whether no row is for another asset's file or signed, and no document lies beside code."""
    owners = {step.recipe.output: step.recipe.asset for step in project.whole.steps}
    blocks = [b for b in project.lock.blocks.values() if b.profile == project.spec.profile]
    rows = [(block.asset, row.output) for block in blocks for row in block.rows]
    own = all(owners.get(output.path, asset) == asset for asset, output in rows)
    signed = any(output.unsigned for _, output in rows)
    return own and not signed and not project.spec.beside


def said_of(data: Mapping[str, object], profile: str) -> dict[str, Any]:
    """The table of a profile in a spec."""
    profiles = data.get("profile")
    own = profiles.get(profile) if isinstance(profiles, Mapping) else None
    return dict(own) if isinstance(own, Mapping) else {}


def _places(project: Project) -> Spans:
    """The range of each block in a lock; empty if blocks cannot be read alone.

    They cannot if profiles have files at the same paths.
    """
    own, profile = {step.recipe.output for step in project.whole.steps}, project.spec.profile
    blocks = project.lock.blocks.values()
    others = (row.output.path for b in blocks if b.profile != profile for row in b.rows)
    if project.lock.older or not own.isdisjoint(others):
        return {}
    return parts.spans(project.lock_bytes, project.lock) or {}
