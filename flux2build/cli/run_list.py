"""Lists assets at the terminal."""

from __future__ import annotations

from functools import cache
from typing import Final

from flux2build.console.columns import cell, column
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import Exit
from flux2build.incremental.asset_list import AssetList, listed
from flux2build.model import AssetName
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project


def list_assets(options: CommonOptions, *, choice: Choice) -> Exit:
    """List assets with their state and output."""
    project, console = Project.open(options), Console.of(options, choice)
    assets = listed(project, choice)
    if options.json:
        console.document({"assets": [_plain(assets, name) for name in assets.names]})
        return Exit.DONE
    _show(console, assets)
    if not assets.names:
        console.say("The spec has no asset yet." if assets.empty else "No asset is selected.")
    return Exit.DONE


def _plain(assets: AssetList, name: AssetName) -> dict[str, Json]:
    return {
        "asset": name,
        "states": sorted(assets.states.get(name, ())),
        "outputs": assets.outputs.get(name, ()),
        "tags": assets.assets[name].tags,
    }


def _show(console: Console, assets: AssetList) -> None:
    wide = column(assets.names, console.width)
    states = {name: _state(frozenset(assets.states.get(name, ()))) for name in assets.names}
    width = max(8, *map(len, states.values())) if states else 8

    def line(name: AssetName) -> Text:
        state = states[name]
        paths = assets.outputs.get(name) or [assets.assets[name].source or ""]
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        more += "  (cannot be made here)" if name in assets.missing else ""
        style = "yellow" if state in {"changed", *_TELLING[2:]} else "dim"
        return Text.assemble(
            cell(clean(name), wide),
            "  ",
            (f"{state:<{width}}", style),
            f"  {clean(paths[0])}{more}",
        )

    console.data(*map(line, assets.names))


@cache
def _state(states: frozenset[str]) -> str:
    """The most important state."""
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
"""The states to show instead of whether an asset is current, the most important last."""
