"""List assets with their state and output."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import click

from flux2build.cli.command import command
from flux2build.console.columns import cell, column
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.model import AssetName
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project


@command("list", selects=True)
def list_assets(options: CommonOptions, *, choice: Choice) -> None:
    """List assets with their state and output."""
    project, console = Project.open(options), Console.of(options, choice)
    whole = project.whole
    values = project.selectable(whole).values
    chosen = project.chosen(choice)
    names = [name for name in project.spec.named if name in chosen]
    if options.json:
        rows: list[Json] = [
            {
                "asset": name,
                "states": sorted(values["state"].get(name, ())),
                "outputs": [*values["path"].get(name, ())],
                "tags": project.spec.named[name].tags,
            }
            for name in names
        ]
        console.document({"assets": rows})
        return
    wide = column(names, console.width)
    missing = {step.recipe.asset for step in whole.steps if step.missing}
    shown = {name: _state(values["state"].get(name, ())) for name in names}
    width = max(8, *map(len, shown.values())) if shown else 8

    def line(name: AssetName) -> Text:
        state = shown[name]
        paths = [*values["path"].get(name, ())] or [project.spec.named[name].source or ""]
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        more += "  (cannot be made here)" if name in missing else ""
        style = "yellow" if state in {"changed", *_TELLING[2:]} else "dim"
        return Text.assemble(
            cell(clean(name), wide),
            "  ",
            (f"{state:<{width}}", style),
            f"  {clean(paths[0])}{more}",
        )

    console.data(*map(line, names))
    if not names:
        console.say(
            "No asset is selected." if project.spec.assets else "The spec has no asset yet."
        )


def _state(states: Collection[str]) -> str:
    """The state that says most."""
    state = "changed" if "changed" in states else "current" if states else "source"
    return next((each for each in reversed(_TELLING) if each in states), state)


_OUT_OF_DATE: Final = ("new", "missing", "modified")
_TELLING: Final = (
    "approved",
    "held",
    *_OUT_OF_DATE,
    "unapproved",
    "rejected",
    "disputed",
    "unpicked",
)
"""The states that say more than whether an asset is current, the most important last."""


COMMAND: Final[click.Command] = list_assets
