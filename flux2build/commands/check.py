"""Prove, offline, that every picture is current."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from flux2build import findingview
from flux2build.check import Severity
from flux2build.command import command, option
from flux2build.errors import Exit, Flux2BuildError
from flux2build.project import Choice, Project
from flux2build.request import Request


@command("check", selects=True)
@option(
    "--output-format",
    type=click.Choice(sorted(findingview.FORMATS)),
    default="full",
    help="How findings are printed; github makes annotations.",
)
@option("--strict", is_flag=True, help="Let warnings fail the check too.")
def check(
    request: Request,
    *,
    selection: Sequence[str],
    exclude: Sequence[str],
    output_format: str,
    strict: bool,
) -> Exit:
    """Prove, offline, that every picture is current.

    Reads only; needs no key and no network. Exits with 1 when files, lock and
    spec disagree, and names the command that mends each finding.
    """
    project = Project.open(request)
    choice = Choice(tuple(selection), tuple(exclude))
    show = findingview.FORMATS["json" if request.json else output_format]
    try:
        findings = project.findings(choice)
    except Flux2BuildError as error:
        if show not in findingview.MACHINE_READABLE:
            raise
        show(project.console, findingview.of_error(error), None)
        return error.exit
    show(project.console, findings, project.plan(choice))
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Exit.DRIFT if any(f.severity in failing for f in findings) else Exit.DONE


COMMAND: Final[click.Command] = check
