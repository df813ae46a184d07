"""The directed acyclic graph of assets and sources: the only door to networkx."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from msgspec import Struct

from flux2build.digest import Json
from flux2build.model import AssetName, Generate, Input, MasterOf, OutputOf, Recipe, Source, Write

if TYPE_CHECKING:
    import networkx as nx


class Graph(Struct, frozen=True, dict=True):
    """The dependencies between everything that the spec wants.

    Every plan asks for order and closure, which do not need the library.
    """

    recipes: tuple[Recipe, ...]

    @cached_property
    def _needs(self) -> Mapping[AssetName, set[AssetName]]:
        """The assets whose pictures an asset needs."""
        needs: dict[AssetName, set[AssetName]] = {}
        for recipe in self.recipes:
            needed = {source.asset for source in recipe.inputs if not isinstance(source, Source)}
            needs.setdefault(recipe.asset, set()).update(needed - {recipe.asset})
        return needs

    @cached_property
    def _masters(self) -> Mapping[AssetName, list[AssetName]]:
        """The masters that a master is rendered from."""
        return {
            recipe.asset: [source.asset for source in recipe.inputs if isinstance(source, MasterOf)]
            for recipe in self.recipes
            if isinstance(recipe.task, Generate)
        }

    @cached_property
    def _places(self) -> Mapping[AssetName, int]:
        """Where each asset is first declared."""
        return {recipe.asset: n for n, recipe in reversed(list(enumerate(self.recipes)))}

    @cached_property
    def _ranks(self) -> Mapping[AssetName, int]:
        """The masters, numbered in build order; without cycles, and masters that need them."""
        return ranked(self._masters, self._places)

    @cached_property
    def cycle(self) -> tuple[AssetName, ...]:
        """A cycle of assets that need each other's pictures, with the first repeated at the end; or ()."""
        if self._masters.keys() <= self._ranks.keys():
            return ()
        import networkx as nx

        edges = nx.find_cycle(_graph(self._masters))
        return tuple(edge[0] for edge in (*edges, edges[0]))

    @cached_property
    def ordered(self) -> tuple[Recipe, ...]:
        """The recipes in build order: masters before their users, documents last, else as declared."""
        last = len(self._ranks)

        def rank(recipe: Recipe) -> tuple[int, int]:
            generated = isinstance(recipe.task, Generate)
            later = last + 1 if isinstance(recipe.task, Write) else last
            place = self._places[recipe.asset]
            return (self._ranks.get(recipe.asset, last) if generated else later, place)

        return tuple(sorted(self.recipes, key=rank))

    def up(self, asset: AssetName) -> Mapping[AssetName, int]:
        """Return the ancestors of an asset, each with its distance."""
        return _reach(_graph(self._needs).reverse(copy=False), asset)

    def down(self, asset: AssetName) -> Mapping[AssetName, int]:
        """Return the descendants of an asset, each with its distance."""
        return _reach(_graph(self._needs), asset)

    def closure(self, assets: Iterable[AssetName]) -> frozenset[AssetName]:
        """Return the assets and all their ancestors."""
        closed: set[AssetName] = set()
        todo = set(assets)
        while todo:
            closed |= todo
            todo = {name for one in todo for name in self._needs.get(one, ())} - closed
        return frozenset(closed)


def ranked(
    masters: Mapping[AssetName, Sequence[AssetName]], places: Mapping[AssetName, int]
) -> Mapping[AssetName, int]:
    """Return masters numbered in build order: each after those it needs, else by their places.

    Masters in a cycle are left out, and so are those that need them.
    """
    waiting: dict[AssetName, int] = {}
    users: dict[AssetName, list[AssetName]] = {}
    for name, needed in masters.items():
        waiting[name] = len(needed)
        for other in needed:
            users.setdefault(other, []).append(name)
    for name in users.keys() - waiting.keys():
        waiting[name] = 0
    ready = [(places.get(name, -1), name) for name, count in waiting.items() if not count]
    heapify(ready)
    ranks: dict[AssetName, int] = {}
    while ready:
        _, name = heappop(ready)
        ranks[name] = len(ranks)
        for user in users.get(name, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heappush(ready, (places.get(user, -1), user))
    return ranks


def _graph(needs: Mapping[AssetName, Iterable[AssetName]]) -> nx.DiGraph[AssetName]:
    """The same as a graph: an edge leads from an asset to one that needs it."""
    import networkx as nx

    graph: nx.DiGraph[AssetName] = nx.DiGraph()
    for name, needed in needs.items():
        graph.add_node(name)
        graph.add_edges_from((other, name) for other in needed)
    return graph


def _reach(graph: nx.DiGraph[AssetName], asset: AssetName) -> dict[AssetName, int]:
    """Everything that can be reached from an asset, with its distance."""
    import networkx as nx

    lengths = nx.single_source_shortest_path_length(graph, asset) if asset in graph else {}
    return {name: distance for name, distance in lengths.items() if name != asset}


def picture(recipes: Sequence[Recipe], names: Iterable[AssetName]) -> nx.DiGraph[str]:
    """The graph that people see: sources, assets and delivered files as labelled nodes."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in names:
        graph.add_node(str(name), kind="asset")
    masters = {recipe.output for recipe in recipes if isinstance(recipe.task, Generate)}
    for recipe in recipes:
        target = str(recipe.asset)
        if not isinstance(recipe.task, Generate):
            target = recipe.output
            graph.add_node(target, kind="file")
        for position, source in enumerate(recipe.inputs):
            node, kind = _node(source, masters)
            if node not in graph:
                graph.add_node(node, kind=kind)
            if position == 0 and target == recipe.output and isinstance(source, Source):
                # An asset that is a file of the user's stands between that file and its own.
                graph.add_edge(node, str(recipe.asset))
                node = str(recipe.asset)
            graph.add_edge(node, target)
    return graph


def _node(source: Input, masters: Container[str]) -> tuple[str, str]:
    """The label of an input: an asset's name, or a file's path."""
    match source:
        case Source(path):
            return path, "source"
        case OutputOf(path=path) if path not in masters:
            return path, "file"
        case MasterOf(asset) | OutputOf(asset):
            return str(asset), "asset"


def as_text(graph: nx.DiGraph[str], *, every: bool = False) -> list[str]:
    """Draw a tree for people, line by line: each node stands below the first of its parents.

    Delivered files share a line, unless `every` one is to be shown.
    """
    visited: set[str] = set()
    roots = [node for node in graph if not graph.pred[node]]
    todo: list[_Branch] = [(root, root, "", "") for root in reversed(roots)]
    lines: list[str] = []
    while todo:
        text, node, lead, indent = todo.pop()
        lines.append(lead + text)
        branches = _branches(graph, node, visited, every=every) if node else []
        last = len(branches) - 1
        for at, (below, child) in reversed(list(enumerate(branches))):
            arm, stem = ("└── ", "    ") if at == last else ("├── ", "│   ")
            todo.append((below, child, indent + arm, indent + stem))
    return lines


_Branch = tuple[str, str, str, str]
"""A line's text, the node it is about if more grows from it, its lead, and the indent below it."""


def _branches(
    graph: nx.DiGraph[str], node: str, visited: set[str], *, every: bool
) -> list[tuple[str, str]]:
    """The new children of a node as texts, each with the node to continue from."""
    fresh = [child for child in graph[node] if child not in visited]
    visited.update(fresh)
    files = [child for child in fresh if graph.nodes[child]["kind"] == "file" and not graph[child]]
    lines = [(_with_others(graph, child, node), child) for child in fresh if child not in files]
    if every or len(files) < 2:
        lines += [(_with_others(graph, file, node), "") for file in files]
    else:
        lines.append((f"{files[0]} and {len(files) - 1} more", ""))
    if above := len(graph[node]) - len(fresh):
        lines.append((f"({above} shown above)", ""))
    return lines


def _with_others(graph: nx.DiGraph[str], node: str, parent: str) -> str:
    """A node's name, with its other parents."""
    others = [other for other in graph.pred[node] if other != parent]
    return f"{node}  (with {', '.join(others)})" if others else node


def as_dot(graph: nx.DiGraph[str]) -> str:
    """The graph in Graphviz's language, with entities and doubled backslashes in its labels."""
    shapes = {"asset": "box", "source": "note", "file": "ellipse"}
    ids = {node: '"' + _entities(node).replace("\\", r"\\") + '"' for node in graph.nodes}
    lines = ["digraph flux2build {", "  rankdir=LR;"]
    lines += [f"  {ids[n]} [shape={shapes[d['kind']]}];" for n, d in graph.nodes(data=True)]
    lines += [f"  {ids[a]} -> {ids[b]};" for a, b in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _entities(label: str) -> str:
    """A label with quotes and invisible characters written as entities."""
    return "".join(f"&#{ord(c)};" if c in '&"#' or not c.isprintable() else c for c in label)


def as_mermaid(graph: nx.DiGraph[str]) -> str:
    """A flowchart for Markdown; brackets of member names are escaped as entities."""
    fences = {"asset": ('["', '"]'), "source": ('[/"', '"/]'), "file": ('(["', '"])')}
    ids = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node, data in graph.nodes(data=True):
        left, right = fences[data["kind"]]
        label = _entities(node).replace("[", "&#91;").replace("]", "&#93;")
        lines.append(f"  {ids[node]}{left}{label}{right}")
    lines += [f"  {ids[a]} --> {ids[b]}" for a, b in graph.edges]
    return "\n".join(lines) + "\n"


def as_json(graph: nx.DiGraph[str]) -> dict[str, Json]:
    """Nodes and edges, for programs."""
    return {
        "nodes": [{"id": node, "kind": data["kind"]} for node, data in graph.nodes(data=True)],
        "edges": [{"from": a, "to": b} for a, b in graph.edges],
    }
