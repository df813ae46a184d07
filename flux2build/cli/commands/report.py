"""Write a report of what has changed, for a review."""

from __future__ import annotations

import os
from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console import lock_changes, plan_view
from flux2build.console.console import Console
from flux2build.console.report import comment, page
from flux2build.console.report.comment import Links
from flux2build.console.report.contents import Contents
from flux2build.digest import Json
from flux2build.errors import UsageError
from flux2build.images.formats.contract import PictureError
from flux2build.images.preview import Preview, preview
from flux2build.incremental.findings import findings_of
from flux2build.session import exports
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.session.revisions import Since, compared

_SIDE: Final = 1024
"""Pixels of the longer side of a picture in the page."""


@command("report", selects=True)
@option(
    "--since",
    metavar="REVISION",
    default="HEAD",
    help="The commit to compare with; of a branch, where this one left it.",
)
@option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown"]),
    help="As what; HTML if neither this nor a name that ends in .md says otherwise.",
)
@option("-o", "--output", metavar="FILE", help="Write to a file instead of stdout.")
@option("--head", metavar="REVISION", default="HEAD", help="The commit whose files are linked.")
@option("--links", metavar="URL", help="Where the repository's files are, as …/blob on GitHub.")
@option("--page", metavar="URL", help="Where the whole report is; the Markdown links it.")
def report(
    options: CommonOptions,
    *,
    choice: Choice,
    since: str,
    form: str | None,
    output: str | None,
    **places: str | None,
) -> None:
    """Write a report of what has changed since a commit, for a review.

    As HTML: one page that needs nothing beside itself, with each picture before and after under a
    slider. As Markdown: the text of a comment, within the 65,536 characters that GitHub allows, whose
    pictures are those of the repository at both commits. Both tell prompts word by word, models,
    seeds, what was paid, decisions, and what is not current; `--json` tells programs the same.
    """
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    base = Since(project, since)
    if options.json and (form or output):
        raise UsageError("`--json` is a form of its own", hint="leave out `--format` and `-o`")
    contents = _contents(project, base, choice, since)
    if options.json:
        console.document(_as_json(contents, base.commit))
        return
    if (form or _form(output)) == "html":
        text = page.written(contents)
    else:
        text = comment.written(contents, _links(base, **places))
    if output is None:
        console.raw(text)
        return
    exports.write(project, output, text.encode())
    console.say(f"wrote {output}")


def _as_json(contents: Contents, commit: str) -> dict[str, Json]:
    return {
        **lock_changes.as_json(contents.changes, commit),
        "findings": [plan_view.finding_json(each) for each in contents.findings],
    }


def _form(output: str | None) -> str:
    return "markdown" if output is not None and output.endswith(".md") else "html"


def _contents(project: Project, base: Since, choice: Choice, since: str) -> Contents:
    changes = compared(base, choice)
    return Contents(
        project=project.spec.name,
        summary=lock_changes.footer(changes, f"{since} ({base.commit[:9]})"),
        price=str(plan_view.footer(project.whole)),
        changes=changes,
        findings=findings_of(project, choice),
        before=lambda output: _small(base.old(output)),
        after=lambda output: _small(base.new(output)),
    )


def _small(data: bytes | None) -> Preview | None:
    try:
        return None if data is None else preview(data, _SIDE)
    except PictureError:
        return None


def _links(base: Since, **places: str | None) -> Links:
    """The web addresses of files, from the command line or a workflow of GitHub."""
    server, name = (os.environ.get(f"GITHUB_{each}") for each in ("SERVER_URL", "REPOSITORY"))
    files = places["links"] or (f"{server}/{name}/blob" if server and name else None)
    return Links(
        before=lambda output: base.address(files, output, None),
        after=lambda output: base.address(files, output, places["head"]),
        page=places["page"],
    )


COMMAND: Final[click.Command] = report
