"""`flux2build graph`: who is made of what, drawn for people and for programs."""

from __future__ import annotations

import json
import re

import pytest
from PIL import Image

from flux2build.errors import Exit
from tests.conftest import Ran, Site

TREE = """\
mascot
├── hero[theme=light]  (with refs/desk.png)
│   └── img/hero-light-32.webp and 3 more
└── hero[theme=dark]  (with refs/desk.png)
    └── img/hero-dark-32.webp and 3 more
icon
refs/desk.png
└── (2 shown above)
"""


@pytest.fixture
def shop(site: Site) -> Site:
    """The site, whose heroes refer to a photo too."""
    site.folder.joinpath("refs").mkdir()
    Image.new("RGB", (64, 64)).save(site.folder / "refs/desk.png")
    site.edit(
        "assets.toml",
        'refs = [{ asset = "mascot" }]',
        'refs = [{ asset = "mascot" }, "refs/desk.png"]',
    )
    return site


def test_a_tree(shop: Site) -> None:
    """Everything stands once, below the first thing it is made of, with the others beside it."""
    assert shop.run("graph") == Ran(Exit.DONE, TREE, "")


def test_every_file(shop: Site) -> None:
    """`-v` shows the files that are shipped, each on its line."""
    lines = shop.run("graph", "-v", "hero[theme=dark]").out.splitlines()

    assert lines[2] == "    ├── img/hero-dark-32.webp"
    assert lines[5] == "    └── img/hero-dark-64.jpeg"


def test_a_source(shop: Site) -> None:
    """An asset that is a file of the user's stands between that file and what is derived from it."""
    deliver = '[[asset.desk.deliver]]\npath = "desk.webp"\n'
    shop.write("assets.toml", f'[asset.desk]\nsource = "refs/desk.png"\n{deliver}')

    assert shop.run("graph").out == "refs/desk.png\n└── desk\n    └── desk.webp\n"


def test_a_selection(site: Site) -> None:
    """What is selected is drawn with all that it is made of, and nothing else."""
    assert site.run("graph", "icon").out == "icon\n"
    assert site.run("graph", "hero[theme=dark]").out.splitlines()[:2] == [
        "mascot",
        "└── hero[theme=dark]",
    ]


def test_a_long_chain(empty: Site) -> None:
    """However long a chain of references is, it is drawn."""
    links = [
        f'[asset.a{n}]\nprompt = "a {n}"\n' + (f'refs = [{{ asset = "a{n - 1}" }}]\n' if n else "")
        for n in range(300)
    ]
    empty.write("assets.toml", "".join(links))
    ran = empty.run("graph")

    assert ran.code == Exit.DONE
    assert len(ran.out.splitlines()) == 300


def test_json(site: Site) -> None:
    """Nodes and edges; `--json` and `--format json` are the same."""
    ran = site.run("graph", "--json")
    document = json.loads(ran.out)

    assert site.run("graph", "--format", "json") == ran
    assert document["format_version"] == "1.0"
    assert {"id": "img/hero-dark-32.webp", "kind": "file"} in document["nodes"]
    assert {"from": "mascot", "to": "hero[theme=dark]"} in document["edges"]
    names = {node["id"] for node in document["nodes"]}
    assert all({edge["from"], edge["to"]} <= names for edge in document["edges"])


@pytest.mark.parametrize(
    ("form", "node", "edge"),
    [
        ("dot", r'^  ("[^"]+") \[shape=\w+\];$', r'^  ("[^"]+") -> ("[^"]+");$'),
        ("mermaid", r"^  (n\d+)[\[(].*$", r"^  (n\d+) --> (n\d+)$"),
    ],
)
def test_drawings_say_the_same(site: Site, form: str, node: str, edge: str) -> None:
    """Each drawing has as many nodes and edges as the JSON, and no edge to nowhere."""
    document = json.loads(site.run("graph", "--json").out)
    text = site.run("graph", "--format", form).out
    names = re.findall(node, text, re.MULTILINE)
    edges = re.findall(edge, text, re.MULTILINE)

    assert (len(set(names)), len(edges)) == (len(document["nodes"]), len(document["edges"]))
    assert {end for pair in edges for end in pair} <= set(names)


def test_names_are_escaped(site: Site) -> None:
    """Brackets of members cannot break a drawing."""
    mermaid = site.run("graph", "--format", "mermaid", "hero").out

    assert '["hero&#91;theme=dark&#93;"]' in mermaid
    assert '"hero[theme=dark]" [shape=box];' in site.run("graph", "--format", "dot").out


def test_a_circle_is_an_error_of_the_spec(site: Site) -> None:
    """Assets that need each other cannot be drawn; the circle is named."""
    site.edit("assets.toml", "seed = 42", 'seed = 42\nrefs = [{ asset = "hero[theme=dark]" }]')
    ran = site.run("graph")

    assert ran.code == Exit.USAGE
    assert "`mascot` -> `hero[theme=dark]` -> `mascot`" in ran.err
