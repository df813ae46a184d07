"""Draw who is made of what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from flux2build.cli.command import command, option
from flux2build.console.console import Console, clean
from flux2build.errors import Exit
from flux2build.planning import graph as drawing
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Choice, Project

_FORMATS: Final[Mapping[str, Callable[[Any], str]]] = {
    "text": drawing.as_text,
    "dot": drawing.as_dot,
    "mermaid": drawing.as_mermaid,
    "json": drawing.as_json,
}


@command("graph", selects=True)
@option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    help="A tree for the terminal, Graphviz, Mermaid, or JSON.",
)
def graph(
    options: CommonOptions, *, selection: Sequence[str], exclude: Sequence[str], form: str
) -> Exit:
    """Draw who is made of what: sources, assets and the files derived from them.

    Each stands below the first thing it is made of. Files that are shipped
    share a line; -v shows them all.
    """
    project, console = Project.open(options), Console(options.color, options.verbosity)
    choice = Choice(tuple(selection), tuple(exclude))
    names = frozenset(project.spec.named)
    if not choice.everything:
        names = project.graph.closure(project.chosen(choice))
    recipes = [recipe for recipe in project.graph.ordered if recipe.asset in names]
    shown = drawing.picture(recipes, [name for name in project.spec.named if name in names])
    if form == "text" and not options.json:
        console.raw(clean(drawing.as_text(shown, every=options.verbosity > 0)))
    else:
        console.raw(_FORMATS["json" if options.json else form](shown))
    return Exit.DONE


COMMAND: Final[click.Command] = graph
