"""Show the candidates of pictures, in a table, on a sheet or on a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console import candidates_page
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json, short
from flux2build.errors import Exit, UsageError
from flux2build.images.contact_sheet import Tile, drawn
from flux2build.lockfile import ReviewState
from flux2build.model import AssetName
from flux2build.session import exports
from flux2build.session.candidate_list import SORTS, Shown, palette, shown
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project

_SUFFIXES: Final = (".png", ".html")


@command("candidates", selects=True)
@option("-o", "--output", metavar="FILE", help="Draw a sheet (.png), or write a page (.html).")
@option(
    "--sort",
    type=click.Choice(list(SORTS)),
    default="number",
    help="The order: by number, the sharpest first, or the nearest to the palette first.",
)
def candidates(
    options: CommonOptions, *, choice: Choice, output: str | None, sort: str
) -> Exit | None:
    """Show the candidates of pictures, in a table, on a sheet or on a page.

    Each has its number, its seed, what it cost, and its state. What is measured helps to look, and
    decides nothing: how sharp it is, how far its colours are from those of `[checks.palette]`, and
    whether it is blank.
    """
    if output is not None and not output.endswith(_SUFFIXES):
        raise UsageError(f"`{output}` ends in neither `.png` nor `.html`")
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    if sort == "palette" and not palette(project):
        hint = '`[checks]` with `palette = { colours = ["#0A84FF"] }` says which colours it has'
        raise UsageError("the spec has no palette to sort by", hint=hint)
    rows = list(shown(project, project.chosen(choice), sort))
    if output is not None and rows:
        exports.write(project, output, _drawn(output, rows))
        console.say(f"wrote {shlex.quote(output)}: {len(rows)} candidates")
    elif output is None:
        _show(console, rows, as_json=options.json)
    if not rows:
        unwritten = f" {shlex.quote(output)} was not written." if output is not None else ""
        console.say(f"There are no candidates: {_way(project, choice)}.{unwritten}")
    return None


def _way(project: Project, choice: Choice) -> str:
    """A hint: how an asset gets candidates, or what a person has to do next."""
    chosen = project.chosen(choice)
    several = [r.asset for r in project.spec.recipes if r.takes and r.asset in chosen]
    if not several:
        return "`candidates = 4` in an asset orders four"
    protected = [asset for asset in several if _is_protected(project, asset)]
    reopened = " ".join(f"--reopen {shlex.quote(asset)}" for asset in protected)
    return f"`{f'flux2build build {reopened}'.strip()}` orders them"


def _is_protected(project: Project, asset: AssetName) -> bool:
    """Whether a person decided that a picture stays as it is, so that a build orders no other one."""
    block = project.lock.block(asset, project.spec.profile)
    decision = block.decision if block else None
    return decision is not None and decision.state in {ReviewState.APPROVED, ReviewState.HELD}


def _drawn(output: str, rows: Sequence[Shown]) -> bytes:
    if output.endswith(".html"):
        return candidates_page.page(rows).encode()
    return drawn(
        [
            Tile(
                clean(f"{row.asset}  {row.number}"),
                (clean(", ".join(candidates_page.facts(row))), ", ".join(row.measures)),
                row.data,
                marked=row.marked,
            )
            for row in rows
        ]
    )


def _show(console: Console, rows: Sequence[Shown], *, as_json: bool) -> None:
    if as_json:
        console.document({"candidates": [_as_json(row) for row in rows]})
    else:
        console.data(*_lines(rows))


def _lines(rows: Sequence[Shown]) -> Iterator[Text]:
    for asset in dict.fromkeys(row.asset for row in rows):
        yield Text(clean(asset), "bold")
        for row in (each for each in rows if each.asset == asset):
            mark = "*" if row.marked else " "
            facts = "  ".join((*candidates_page.facts(row), *row.measures))
            digest = short(row.candidate.output.sha256)
            yield Text.assemble(f"  {mark} {row.number:>2}  {clean(facts)}  ", (digest, "dim"))


def _as_json(row: Shown) -> dict[str, Json]:
    cost = row.candidate.receipt.cost
    merits = row.merits
    return {
        "asset": row.asset,
        "candidate": row.number,
        "state": row.state,
        "take": row.candidate.take,
        "seed": row.seed,
        "cost": None if cost is None else f"{cost:f}",
        "sha256": row.candidate.output.sha256,
        "at_hand": row.data is not None,
        "sharpness": merits.sharpness if merits else None,
        "palette_distance": merits.palette if merits else None,
        "blank": merits.blank if merits else None,
    }


COMMAND: Final[click.Command] = candidates
