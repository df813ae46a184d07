"""The directed acyclic graph of assets and sources."""

from __future__ import annotations

import heapq
import json
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from flux2build.model import AssetName, Generate, Input, Made, Placed, Recipe, Source, Write

Edges = dict[AssetName, dict[AssetName, None]]
"""What each asset leads to, in the order in which it was met."""

_SHAPES: Final = {"asset": "box", "source": "note", "file": "ellipse"}


@dataclass(frozen=True)
class Graph:
    """Who needs whom, over everything that the spec wants."""

    recipes: tuple[Recipe, ...]

    @cached_property
    def users(self) -> Edges:
        """Assets, each with those that need one of its pictures."""
        found: Edges = {}
        for recipe in self.recipes:
            found.setdefault(recipe.asset, {})
            for source in recipe.inputs:
                if isinstance(source, Made | Placed) and source.asset != recipe.asset:
                    found.setdefault(source.asset, {})[recipe.asset] = None
        return found

    @cached_property
    def parts(self) -> Edges:
        """Assets, each with those that it is made of."""
        found: Edges = {asset: {} for asset in self.users}
        for asset, users in self.users.items():
            for user in users:
                found[user][asset] = None
        return found

    @cached_property
    def renders(self) -> Edges:
        """Masters, each with those that must be rendered after it."""
        found: Edges = {}
        for recipe in self.recipes:
            if isinstance(recipe.task, Generate):
                found.setdefault(recipe.asset, {})
                for source in recipe.inputs:
                    if isinstance(source, Made):
                        found.setdefault(source.asset, {})[recipe.asset] = None
        return found

    @cached_property
    def cycle(self) -> tuple[AssetName, ...]:
        """One circle of assets that need each other's pictures, first repeated last; or ()."""
        cleared: set[AssetName] = set()
        for start in self.renders:
            way: dict[AssetName, Iterator[AssetName]] = {}
            here: AssetName | None = start if start not in cleared else None
            while here is not None:
                following = way.setdefault(here, iter(self.renders[here]))
                below = next((name for name in following if name not in cleared), None)
                if below in way:
                    names = list(way)
                    return (*names[names.index(below) :], below)
                if below is None:
                    cleared.add(here)
                    del way[here]
                here = below or next(reversed(way), None)
        return ()

    @cached_property
    def ordered(self) -> tuple[Recipe, ...]:
        """Recipes with every master before its users and documents last, else as declared."""
        place = {recipe.asset: n for n, recipe in reversed(list(enumerate(self.recipes)))}
        ranks = {name: rank for rank, name in enumerate(self._sorted(place))}
        last = len(ranks)

        def rank(recipe: Recipe) -> tuple[int, int]:
            made = isinstance(recipe.task, Generate)
            later = last + 1 if isinstance(recipe.task, Write) else last
            return (ranks.get(recipe.asset, last) if made else later, place[recipe.asset])

        return tuple(sorted(self.recipes, key=rank))

    def _sorted(self, place: Mapping[AssetName, int]) -> Iterator[AssetName]:
        """Masters, each after those that it is made of; of those that could be next, the first."""
        awaited = Counter(user for users in self.renders.values() for user in users)
        ready = [(place.get(name, -1), name) for name in self.renders if not awaited[name]]
        heapq.heapify(ready)
        while ready:
            _, name = heapq.heappop(ready)
            yield name
            for user in self.renders[name]:
                awaited[user] -= 1
                if not awaited[user]:
                    heapq.heappush(ready, (place.get(user, -1), user))

    def up(self, asset: AssetName) -> Mapping[AssetName, int]:
        """What an asset is made of, with the number of steps to each."""
        return _reach(self.parts, asset)

    def down(self, asset: AssetName) -> Mapping[AssetName, int]:
        """What is made of an asset, with the number of steps to each."""
        return _reach(self.users, asset)

    def closure(self, assets: Iterable[AssetName]) -> frozenset[AssetName]:
        """The assets and everything they are made of."""
        found = set(assets)
        todo = list(found)
        while todo:
            above = self.parts.get(todo.pop(), {}).keys() - found
            found |= above
            todo += above
        return frozenset(found)


def _reach(edges: Edges, asset: AssetName) -> dict[AssetName, int]:
    """What can be reached from an asset, nearest first, with the number of steps to each."""
    found, todo = {asset: 0}, deque([asset])
    while todo:
        here = todo.popleft()
        for name in edges.get(here, {}):
            if name not in found:
                found[name] = found[here] + 1
                todo.append(name)
    del found[asset]
    return found


@dataclass(frozen=True, slots=True)
class Drawing:
    """The graph people look at: sources, assets and delivered files."""

    kinds: dict[str, str] = field(default_factory=dict)
    """Nodes: `asset`, `source` or `file`."""
    after: dict[str, dict[str, None]] = field(default_factory=dict)
    """What is made of each node."""
    before: dict[str, dict[str, None]] = field(default_factory=dict)
    """What each node is made of."""

    def add(self, node: str, kind: str) -> None:
        """Draw a node; it keeps its place where it was drawn before."""
        self.kinds[node] = kind
        self.after.setdefault(node, {})
        self.before.setdefault(node, {})

    def join(self, node: str, user: str) -> None:
        """Draw an edge from a node to what is made of it."""
        self.after[node][user] = self.before[user][node] = None

    @property
    def edges(self) -> list[tuple[str, str]]:
        """All edges, by the node that they lead from."""
        return [(node, user) for node, users in self.after.items() for user in users]


def picture(recipes: Sequence[Recipe], names: Iterable[AssetName]) -> Drawing:
    """The drawing of some assets, of what they are made of and of their files."""
    drawn = Drawing()
    for name in names:
        drawn.add(str(name), "asset")
    masters = {recipe.output for recipe in recipes if isinstance(recipe.task, Generate)}
    for recipe in recipes:
        target = str(recipe.asset)
        if not isinstance(recipe.task, Generate):
            target = recipe.output
            drawn.add(target, "file")
        for position, source in enumerate(recipe.inputs):
            node, kind = _node(source, masters)
            if node not in drawn.kinds:
                drawn.add(node, kind)
            if position == 0 and target == recipe.output and isinstance(source, Source):
                # An asset that is a file of the user's stands between that file and its own.
                drawn.join(node, str(recipe.asset))
                node = str(recipe.asset)
            drawn.join(node, target)
    return drawn


def _node(source: Input, masters: Container[str]) -> tuple[str, str]:
    """What people see of an input: an asset by its name, a file by its path."""
    match source:
        case Source(path):
            return path, "source"
        case Placed(path=path) if path not in masters:
            return path, "file"
        case Made(asset) | Placed(asset):
            return str(asset), "asset"


def as_text(drawing: Drawing, *, every: bool = False) -> str:
    """A tree for people: each node below the first thing that it is made of.

    Files that are delivered share a line, unless `every` one is to be seen.
    """
    shown: set[str] = set()
    roots = [node for node in drawing.kinds if not drawing.before[node]]
    todo: list[_Branch] = [(root, root, "", "") for root in reversed(roots)]
    lines: list[str] = []
    while todo:
        text, node, lead, indent = todo.pop()
        lines.append(lead + text)
        branches = _branches(drawing, node, shown, every=every) if node else []
        last = len(branches) - 1
        for at, (below, child) in reversed(list(enumerate(branches))):
            arm, stem = ("└── ", "    ") if at == last else ("├── ", "│   ")
            todo.append((below, child, indent + arm, indent + stem))
    return "".join(f"{line}\n" for line in lines)


_Branch = tuple[str, str, str, str]
"""A line's text, the node it is about if more grows from it, its lead, and the indent below it."""


def _branches(
    drawing: Drawing, node: str, shown: set[str], *, every: bool
) -> list[tuple[str, str]]:
    """What grows from a node and was not shown before: texts, with the nodes to go on from."""
    fresh = [child for child in drawing.after[node] if child not in shown]
    shown.update(fresh)
    files = [child for child in fresh if _is_last(drawing, child)]
    found = [(_with_others(drawing, child, node), child) for child in fresh if child not in files]
    if every or len(files) < 2:
        found += [(_with_others(drawing, file, node), "") for file in files]
    else:
        found.append((f"{files[0]} and {len(files) - 1} more", ""))
    if above := len(drawing.after[node]) - len(fresh):
        found.append((f"({above} shown above)", ""))
    return found


def _is_last(drawing: Drawing, node: str) -> bool:
    """Whether a node is a file that nothing is made of."""
    return drawing.kinds[node] == "file" and not drawing.after[node]


def _with_others(drawing: Drawing, node: str, parent: str) -> str:
    """A node's name, with whatever else it is made of."""
    others = [other for other in drawing.before[node] if other != parent]
    return f"{node}  (with {', '.join(others)})" if others else node


def as_dot(drawing: Drawing) -> str:
    """Graphviz; strings are quoted as JSON, which is how DOT quotes them."""
    lines = ["digraph flux2build {", "  rankdir=LR;"]
    lines += [f"  {json.dumps(n)} [shape={_SHAPES[kind]}];" for n, kind in drawing.kinds.items()]
    lines += [f"  {json.dumps(a)} -> {json.dumps(b)};" for a, b in drawing.edges]
    return "\n".join([*lines, "}"]) + "\n"


def as_mermaid(drawing: Drawing) -> str:
    """A flowchart for Markdown; brackets of member names are escaped as entities."""
    fences = {"asset": ('["', '"]'), "source": ('[/"', '"/]'), "file": ('(["', '"])')}
    ids = {node: f"n{number}" for number, node in enumerate(drawing.kinds)}
    lines = ["flowchart LR"]
    for node, kind in drawing.kinds.items():
        left, right = fences[kind]
        label = node.replace("&", "&amp;").replace('"', "&quot;")
        label = label.replace("[", "&#91;").replace("]", "&#93;")
        lines.append(f"  {ids[node]}{left}{label}{right}")
    lines += [f"  {ids[a]} --> {ids[b]}" for a, b in drawing.edges]
    return "\n".join(lines) + "\n"


def as_json(drawing: Drawing) -> str:
    """Nodes and edges, with a format version."""
    value = {
        "format_version": "1.0",
        "nodes": [{"id": node, "kind": kind} for node, kind in drawing.kinds.items()],
        "edges": [{"from": a, "to": b} for a, b in drawing.edges],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
