"""The graph of assets: order, circles, neighbours, and its drawings."""

from __future__ import annotations

import itertools
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flux2build.model import AssetName, Generate, MasterOf, Recipe, Source
from flux2build.planning.graph import Graph, as_dot, as_json, as_mermaid, as_text, picture
from tests.snapshots import deliverable, master

FOX, DEN, POSTER = AssetName("fox"), AssetName("den"), AssetName("poster[locale=de]")
RECIPES = (
    master(POSTER, "p", MasterOf(FOX), MasterOf(DEN)),
    master(DEN, "p", Source("refs/desk.jpg"), MasterOf(FOX)),
    master(FOX, "p"),
    deliverable(FOX, "img/fox.webp"),
    deliverable(DEN, "img/den.webp", MasterOf(POSTER)),
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Recipe, ...]:
    """Assets that refer to each other in whatever way, declared in any order."""
    count = draw(st.integers(1, 7))
    edges = draw(
        st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=9)
    )
    recipes = []
    for n in range(count):
        inputs = [MasterOf(AssetName(f"a{m}")) for m, to in sorted(edges) if to == n and m != n]
        recipes.append(master(f"a{n}", "p", *inputs))
        if draw(st.booleans()):
            recipes.append(deliverable(f"a{n}", f"img/a{n}.webp"))
    return tuple(draw(st.permutations(recipes)))


@given(graphs())
def test_order_or_circle(recipes: tuple[Recipe, ...]) -> None:
    """Either every master comes before its users, or there is a circle to show, link by link."""
    graph = Graph(recipes)
    if circle := graph.cycle:
        needs = {(i.asset, r.asset) for r in recipes for i in r.inputs if isinstance(i, MasterOf)}
        assert circle[0] == circle[-1]
        assert all(pair in needs for pair in itertools.pairwise(circle))
        return
    ordered = graph.ordered
    assert sorted(ordered, key=repr) == sorted(recipes, key=repr)
    made: set[AssetName] = set()
    for recipe in ordered:
        assert all(i.asset in made for i in recipe.inputs if isinstance(i, MasterOf))
        if isinstance(recipe.task, Generate):
            made.add(recipe.asset)


@given(graphs())
def test_up_and_down_mirror_each_other(recipes: tuple[Recipe, ...]) -> None:
    """One is above another exactly if the other is below it, so many steps away."""
    graph = Graph(recipes)
    names = {recipe.asset for recipe in recipes}
    up = {(a, b, n) for a in names for b, n in graph.up(a).items()}
    down = {(b, a, n) for a in names for b, n in graph.down(a).items()}

    assert up == down
    for name in names:
        assert graph.closure([name]) == {name, *graph.up(name)}


def test_declared_order_where_nothing_else_decides() -> None:
    """Masters first, each as early as it was declared; files after all masters."""
    free = [master(name, "p") for name in ("c", "a", "b")]
    cut = deliverable("c", "img/c.webp")

    assert Graph((cut, *free)).ordered == (*free, cut)


def test_files_of_each_other_are_no_circle() -> None:
    """Two assets may deliver with each other's pictures: their masters need nobody."""
    one = (master("a", "p"), deliverable("a", "img/a.webp", MasterOf(AssetName("b"))))
    two = (master("b", "p"), deliverable("b", "img/b.webp", MasterOf(AssetName("a"))))
    graph = Graph((*one, *two))

    assert graph.cycle == ()
    assert [r.kind for r in graph.ordered] == ["generate", "generate", "derive", "derive"]


def test_neighbours() -> None:
    """What an asset is made of, and what is made of it, with the distance."""
    graph = Graph(RECIPES)

    assert graph.down(FOX) == {DEN: 1, POSTER: 1}
    assert graph.up(POSTER) == {FOX: 1, DEN: 1}
    assert graph.up(AssetName("workshop")) == {}
    assert graph.closure([AssetName("workshop")]) == {"workshop"}


def test_text() -> None:
    """A tree for the terminal, sources and files included."""
    drawn = as_text(picture(RECIPES[1:4], [DEN, FOX]))

    assert drawn == [
        "fox",
        "├── den  (with refs/desk.jpg)",
        "└── img/fox.webp",
        "refs/desk.jpg",
        "└── (1 shown above)",
    ]


def test_json() -> None:
    """Nodes with their kind, edges from what is needed to what needs it."""
    value: Any = as_json(picture(RECIPES, [FOX, DEN, POSTER]))

    kinds = {node["id"]: node["kind"] for node in value["nodes"]}
    assert kinds == {
        FOX: "asset",
        DEN: "asset",
        POSTER: "asset",
        "refs/desk.jpg": "source",
        "img/fox.webp": "file",
        "img/den.webp": "file",
    }
    assert {"from": "refs/desk.jpg", "to": DEN} in value["edges"]
    assert {"from": POSTER, "to": "img/den.webp"} in value["edges"]


def test_drawings_quote_names() -> None:
    """Brackets, quotes and ampersands of names cannot break a drawing."""
    odd = AssetName('a["&]')
    graph = picture((master(odd, "p"),), [odd])

    assert '"a[&#34;&#38;]" [shape=box]' in as_dot(graph)
    assert 'n0["a&#91;&#34;&#38;&#93;"]' in as_mermaid(graph)


def test_mermaid() -> None:
    """A flowchart whose shapes tell assets, sources and files apart."""
    drawn = as_mermaid(picture(RECIPES, [FOX, DEN, POSTER]))

    assert drawn.startswith("flowchart LR\n")
    assert re.search(r'n\d\["fox"\]', drawn)
    assert re.search(r'n\d\[/"refs/desk.jpg"/\]', drawn)
    assert re.search(r'n\d\(\["img/fox.webp"\]\)', drawn)
    assert drawn.count("-->") == len({(str(i), r.output) for r in RECIPES for i in r.inputs})
