"""`flux2build graph`: who is made of what, drawn for people and for programs."""

from __future__ import annotations

import json
import re

import pytest

from flux2build.errors import Exit
from tests.conftest import Ran, Site

TREE = """\
╙── mascot
    └─╼ hero[theme=dark]
        ├─╼ img/hero-dark-32.webp
        ├─╼ img/hero-dark-64.webp
        ├─╼ img/hero-dark-32.jpeg
        └─╼ img/hero-dark-64.jpeg
"""


def test_a_tree(site: Site) -> None:
    """A selection is drawn with all it is made of, down to the files that are shipped."""
    assert site.run("graph", "hero[theme=dark]") == Ran(Exit.DONE, TREE, "")
    assert "icon" in site.run("graph").out


def test_json(site: Site) -> None:
    """Nodes and edges; `--json` and `--format json` are the same."""
    ran = site.run("graph", "--json")
    told = json.loads(ran.out)

    assert site.run("graph", "--format", "json") == ran
    assert told["format_version"] == "1.0"
    assert {"id": "img/hero-dark-32.webp", "kind": "file"} in told["nodes"]
    assert {"from": "mascot", "to": "hero[theme=dark]"} in told["edges"]
    names = {node["id"] for node in told["nodes"]}
    assert all({edge["from"], edge["to"]} <= names for edge in told["edges"])


@pytest.mark.parametrize(
    ("form", "node", "edge"),
    [
        ("dot", r'^  ("[^"]+") \[shape=\w+\];$', r'^  ("[^"]+") -> ("[^"]+");$'),
        ("mermaid", r"^  (n\d+)[\[(].*$", r"^  (n\d+) --> (n\d+)$"),
    ],
)
def test_drawings_say_the_same(site: Site, form: str, node: str, edge: str) -> None:
    """Each drawing has as many nodes and edges as the JSON, and no edge to nowhere."""
    told = json.loads(site.run("graph", "--json").out)
    text = site.run("graph", "--format", form).out
    names = re.findall(node, text, re.MULTILINE)
    edges = re.findall(edge, text, re.MULTILINE)

    assert (len(set(names)), len(edges)) == (len(told["nodes"]), len(told["edges"]))
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
