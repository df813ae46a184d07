"""The selection grammar, as in dbt: which assets a command works on.

Words are united, commas inside a word intersect, `+` adds the assets that an asset is made from or
that are made from it. A name is a glob over assets and families. The path of a file selects the
assets that the file belongs to: an output selects its asset, a source the assets made of it, and
the spec, its data and its lock every asset.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flux2build.errors import Problem, UsageError, did_you_mean
from flux2build.lockfile import Block
from flux2build.model import Asset, AssetName, Generate, Source
from flux2build.planning.plan import Plan
from flux2build.planning.reason import ReasonCode
from flux2build.planning.verdict import Action
from flux2build.storage.paths import safe_name

STATES: Final = frozenset(
    {"new", "changed", "missing", "modified", "orphan", "current", "pending", "unpicked"}
    | {"unapproved", "approved", "held", "rejected", "disputed"}
)

Distances = Callable[[AssetName], Mapping[AssetName, int]]
Chosen = frozenset[AssetName]
Values = Mapping[AssetName, Collection[str]]
"""What each asset can be selected by."""


class Field(Struct, frozen=True):
    """The facts by which assets can be selected."""

    assets: Mapping[AssetName, Asset]
    values: Mapping[str, Values]
    """The values of each asset, by the name of the method: `path`, `state`, …"""
    up: Distances
    """Returns the ancestors of an asset, each with its distance."""
    down: Distances
    """Returns the descendants of an asset, each with its distance."""
    sources: Mapping[str, Collection[AssetName]]
    """The assets that are made of a file, by its path."""
    common: Callable[[str], bool]
    """Whether every asset may depend on a file: the spec, and what it reads."""


def field_of(
    plan: Plan,
    assets: Mapping[AssetName, Asset],
    up: Distances,
    down: Distances,
    common: Callable[[str], bool] = lambda _path: False,
) -> Field:
    """Collect from a plan the facts by which assets can be selected."""
    sources: dict[str, set[AssetName]] = defaultdict(set)
    paths: dict[AssetName, list[str]] = defaultdict(list)
    states: dict[AssetName, set[str]] = defaultdict(set)
    reasons: dict[AssetName, set[str]] = defaultdict(set)
    models: dict[AssetName, set[str]] = {}
    for step in plan.steps:
        asset, task = step.recipe.asset, step.recipe.task
        codes = {str(reason) for reason in step.verdict.reasons}
        if not step.recipe.candidate:
            paths[asset].append(step.recipe.output)
        for source in step.recipe.inputs:
            if isinstance(source, Source):
                sources[source.path].add(asset)
        reasons[asset] |= codes
        names = {code.partition(":")[0] for code in codes} & _STATE_OF.keys()
        states[asset] |= {_STATE_OF[name] for name in names}
        states[asset].add("current" if step.verdict.action is Action.KEEP else "changed")
        if isinstance(task, Generate):
            models[asset] = {task.card}
    for orphan in plan.orphans:
        if orphan.asset in states:
            states[orphan.asset].add("orphan")
    tags = {name: asset.tags for name, asset in assets.items()}
    values: dict[str, Values] = {
        "model": models,
        "path": paths,
        "reason": reasons,
        "state": states,
        "tag": tags,
    }
    for asset, each in assets.items():
        if each.source is not None:
            sources[each.source].add(asset)
    return Field(assets, values, up, down, sources, common)


_STATE_OF: Final[dict[str, str]] = {
    ReasonCode.NEVER_RENDERED: "new",
    ReasonCode.NEVER_DERIVED: "new",
    ReasonCode.NEVER_WRITTEN: "new",
    ReasonCode.OUTPUT_MISSING: "missing",
    ReasonCode.OUTPUT_MODIFIED: "modified",
    ReasonCode.OUTPUT_POINTER: "missing",
    ReasonCode.UPSTREAM_PENDING: "pending",
    ReasonCode.UPSTREAM_UNPICKED: "pending",
    ReasonCode.UPSTREAM_WAITING: "pending",
    ReasonCode.UNPICKED: "unpicked",
    ReasonCode.FACTS_PENDING: "pending",
}


def with_decisions(
    states: Values, blocks: Iterable[Block], profile: str, needed: Iterable[AssetName]
) -> Values:
    """Return the states of assets, with what was decided about their pictures.

    Those are `unapproved` that need it, and about which nothing was decided.
    """
    decided = {
        block.asset: block.decision.state.value
        for block in blocks
        if block.profile == profile and block.decision
    }
    every = dict(states)
    for asset, state in (dict.fromkeys(needed, "unapproved") | decided).items():
        every[asset] = {*every.get(asset, ()), state}
    return every


def select(words: Sequence[str], exclude: Sequence[str], field: Field) -> Chosen:
    """Return the assets that the words select, without the excluded ones; no words select all.

    Raises:
        UsageError: with every name and method that does not exist.
    """
    problems: list[Problem] = []
    names = _union(words, field, problems) if words else frozenset(field.assets)
    left_out = _union(exclude, field, problems)
    if problems:
        raise UsageError(*problems)
    return names - left_out


def _union(words: Sequence[str], field: Field, problems: list[Problem]) -> Chosen:
    names: set[AssetName] = set()
    for word in " ".join(words).split():
        parts = [_reached(part, field, problems) for part in re.split(_COMMA, word)]
        names |= frozenset.intersection(*parts)
    return frozenset(names)


_COMMA: Final = r",(?![^\[]*\])"
"""A comma, but not one between the axes of a member."""
_REACH: Final = r"(?:(?P<up>\d*)\+)?(?P<core>[^+].*?)(?:\+(?P<down>\d*))?"


def _reached(part: str, field: Field, problems: list[Problem]) -> Chosen:
    """The assets of one term, with its ancestors and descendants."""
    match = re.fullmatch(_REACH, part)
    if not match:
        problems.append(Problem(f"`{part}` selects nothing", hint="name an asset, as in `hero`"))
        return frozenset()
    core = _core(match["core"], field, problems)
    above = _within(core, field.up, match["up"])
    return core | above | _within(core, field.down, match["down"])


def _within(core: Chosen, distances: Distances, depth: str | None) -> Chosen:
    """The assets at most `depth` steps away; an empty depth means all, None means none."""
    if depth is None:
        return frozenset()
    most = float(depth or "inf")
    return frozenset(
        name for start in core for name, steps in distances(start).items() if steps <= most
    )


def _core(core: str, field: Field, problems: list[Problem]) -> Chosen:
    method, colon, value = core.partition(":")
    if colon and method in _METHODS:
        return _having(method, value, field, problems)
    if names := _named(core, field) or _of_file(core, field):
        return names
    problems.append(_nobody(core, field))
    return frozenset()


def _having(method: str, value: str, field: Field, problems: list[Problem]) -> Chosen:
    """The assets with a value of a method; notes a problem if no asset can have that value."""
    matches, valid = _METHODS[method], _VALID.get(method, frozenset())
    pairs = [(name, has) for name, every in field.values[method].items() for has in every]
    names = frozenset(name for name, has in pairs if matches(value, has))
    if not names and value.partition(":")[0] not in valid:
        message = f"no asset has the {method} `{value}`"
        hint = did_you_mean(value, valid | {has for _, has in pairs})
        problems.append(Problem(message, hint=hint))
    return names


def _nobody(core: str, field: Field) -> Problem:
    method, colon, _ = core.partition(":")
    if colon and "[" not in method:
        return Problem(f"there is no method `{method}:`", hint=did_you_mean(method, _METHODS))
    names = {str(name) for name in field.assets} | {a.family for a in field.assets.values()}
    if "/" in core or "." in core:
        files = {path for outputs in field.values["path"].values() for path in outputs}
        hint = did_you_mean(core, files | field.sources.keys() | names)
        return Problem(f"there is no asset, and no file of one, `{core}`", hint=hint)
    return Problem(f"there is no asset `{core}`", hint=did_you_mean(core, names))


def _named(core: str, field: Field) -> Chosen:
    """Assets by name, by family, or by family and some of the axes."""
    pattern, (family, axes) = glob(core), _member(core)
    return frozenset(
        name
        for name, asset in field.assets.items()
        if pattern.fullmatch(name)
        or pattern.fullmatch(asset.family)
        or (axes and family.fullmatch(asset.family) and _has(asset, axes))
    )


def _of_file(core: str, field: Field) -> Chosen:
    """The assets that a file belongs to, from its path below the spec's folder."""
    path = posixpath.normpath(core)
    if path not in field.sources and field.common(path):
        return frozenset(field.assets)
    owners = {name for name, outputs in field.values["path"].items() if path in outputs}
    return frozenset(owners.union(field.sources.get(path, ())))


_Axes = Mapping[str, re.Pattern[str]]


def _member(core: str) -> tuple[re.Pattern[str], _Axes]:
    """Split `hero[theme=dark]` into its parts; axes come in any order, values may be globs."""
    family, bracket, rest = core.partition("[")
    if not bracket or not rest.endswith("]"):
        return glob(core), {}
    pairs = (pair.partition("=") for pair in rest[:-1].split(","))
    return glob(family), {axis.strip(): glob(value.strip()) for axis, _, value in pairs}


def _has(asset: Asset, axes: _Axes) -> bool:
    """Whether axes have these values, as the spec or as names write them."""
    return all(
        axis in asset.axes
        and any(map(pattern.fullmatch, (asset.axes[axis], safe_name(asset.axes[axis]))))
        for axis, pattern in axes.items()
    )


def glob(text: str, any_letter: str = ".") -> re.Pattern[str]:
    """Compile a glob of `*` and `?`; brackets are literal, because they name members."""
    signs = {"**": ".*", "*": f"{any_letter}*", "?": any_letter}
    parts = re.split(r"(\*\*|\*|\?)", text)
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _is_like(pattern: str, value: str) -> bool:
    return bool(glob(pattern).fullmatch(value))


def _is_reason(pattern: str, value: str) -> bool:
    """Match a reason; `param-changed` matches every `param-changed:…`."""
    return _is_like(pattern, value) or _is_like(pattern, value.partition(":")[0])


def _is_path(pattern: str, value: str) -> bool:
    """Match a path, a folder above it, or its last part if the pattern has no folder."""
    compiled = glob(pattern.rstrip("/"), "[^/]")
    parts = value.split("/")
    above = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    last = parts[-1] if "/" not in pattern else value
    return any(compiled.fullmatch(text) for text in (*above, last))


_METHODS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "model": _is_like,
    "path": _is_path,
    "reason": _is_reason,
    "state": _is_like,
    "tag": _is_like,
}
"""Whether a pattern matches a value of an asset, by method."""
_VALID: Final[Mapping[str, frozenset[str]]] = {"reason": frozenset(ReasonCode), "state": STATES}
"""Values that are valid even if no asset has them."""
