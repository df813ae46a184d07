"""Draw which assets are made of which."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console.console import Console
from flux2build.planning import graph as drawing
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project


@command("graph", selects=True)
@option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json"]),
    default="text",
    help="A tree for the terminal, Graphviz, Mermaid, or JSON.",
)
def graph(options: CommonOptions, *, choice: Choice, form: str) -> None:
    """Draw which assets are made of which: sources, assets and the files derived from them.

    Each stands below the first thing it is made of. Files that are shipped
    share a line; -v shows them all.
    """
    project, console = Project.open(options), Console.of(options, choice)
    names = frozenset(project.spec.named)
    if not choice.everything:
        names = project.graph.closure(project.chosen(choice))
    recipes = [recipe for recipe in project.graph.ordered if recipe.asset in names]
    picture = drawing.picture(recipes, [name for name in project.spec.named if name in names])
    if form == "json" or options.json:
        console.document(drawing.as_json(picture))
    elif form == "dot":
        console.raw(drawing.as_dot(picture))
    elif form == "mermaid":
        console.raw(drawing.as_mermaid(picture))
    else:
        console.data(*drawing.as_text(picture, every=options.verbosity > 0))


COMMAND: Final[click.Command] = graph
