"""List every picture that an asset ever was."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

import click

from flux2build.cli.command import command
from flux2build.cli.completers import COMPLETERS
from flux2build.console.changes import marked, row_changes
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.lock_changes import paid
from flux2build.console.styled import Text
from flux2build.digest import Json, short
from flux2build.session import past
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.common_options import CommonOptions
from flux2build.session.joining import joined
from flux2build.session.past import Picture
from flux2build.session.project import Project
from flux2build.session.revisions import FETCH

_DAY: Final = len("2026-11-27")


@command("history")
@click.argument("asset", shell_complete=COMPLETERS["SELECTION"])
def history(options: CommonOptions, *, asset: str) -> None:
    """List every picture that an asset ever was, the newest first.

    Looks through every version of the lock in git and through the ledger: when each picture came and
    with which commit, what changed in its request, its seed, model and cost, what was decided about it,
    and where its bytes can be had. `flux2build rollback ASSET` brings one back.
    """
    console = Console.of(options)
    project = joined(Project.open(options), console.caution)
    name = past.named(project, asset)
    pictures, elsewhere = past.pictures(project, name), past.elsewhere(project, name)
    artifacts = at_hand(project, project.files())
    where = past.whereabouts(project, pictures, artifacts)
    if options.json:
        rows = [_as_json(*each) for each in zip(pictures, where, strict=True)]
        console.document({"asset": asset, "pictures": rows})
        return
    for number in range(len(pictures) - 1, -1, -1):
        console.data(*_lines(pictures, number, where[number]))
    if project.repository.shallow:
        console.say(f"This clone has not all commits: {FETCH}.")
    if not pictures:
        console.say(f"There was never a picture of `{asset}`.")
    for profile in elsewhere:
        line = f"`flux2build history {shlex.quote(name)} -p {shlex.quote(profile)}`"
        console.say(f"There is one in the profile `{profile}`, too: {line}.")


def _lines(pictures: Sequence[Picture], index: int, where: str | None) -> Iterator[Text]:
    picture, before = pictures[index], pictures[index - 1] if index else None
    yield Text.assemble(
        f"{picture.number:>3}  ",
        (picture.date[:_DAY] or " " * _DAY, "cyan"),
        f"  {picture.origin}",
        (f"  {clean(picture.commit.subject)}" if picture.commit else "", "dim"),
        ("  current" if picture.current else "", "bold"),
    )
    for name, text in _fields(picture, before, where):
        yield Text.assemble((f"     {name:<8} ", "cyan"), marked(text))


def _fields(
    picture: Picture, before: Picture | None, where: str | None
) -> Iterator[tuple[str, str]]:
    row, old = picture.row, before.row if before else None
    if row is not None and old is None:
        yield "prompt", row.prompt
    yield from row_changes(old, row)
    seed = "" if picture.receipt.seed is None else f", seed {picture.receipt.seed}"
    yield "made by", f"{picture.model}{seed}, {paid(picture.receipt)}"
    if picture.block is not None and (decision := picture.block.decision) is not None:
        note = f": {decision.note}" if decision.note else ""
        yield "review", f"{decision.state.value} by {decision.by}{note}"
    yield "bytes", f"{short(picture.output)}, {where or 'nobody has them here'}"


def _as_json(picture: Picture, where: str | None) -> Json:
    row, commit = picture.row, picture.commit
    decision = picture.block.decision if picture.block else None
    cost = picture.receipt.cost
    return {
        "number": picture.number,
        "sha256": picture.output,
        "date": picture.date or None,
        "commit": commit.name if commit else None,
        "subject": commit.subject if commit else None,
        "current": picture.current,
        "model": picture.model,
        "prompt": row.prompt if row else None,
        "seed": picture.receipt.seed,
        "cost": None if cost is None else str(cost),
        "review": decision.state.value if decision else None,
        "where": where,
    }


COMMAND: Final[click.Command] = history
