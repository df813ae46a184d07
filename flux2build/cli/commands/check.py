"""Prove, offline, that every picture is current."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import click

from flux2build.checks.contract import Finding, Severity
from flux2build.cli.command import command, option
from flux2build.console.console import Console
from flux2build.console.findings import view
from flux2build.errors import Exit, Flux2BuildError, Place, Problem, UsageError, did_you_mean
from flux2build.session.common_options import CommonOptions
from flux2build.session.families import checks_by_name
from flux2build.session.project import Choice, Project
from flux2build.storage.disk import root_of


@command("check", selects=True)
@option(
    "--output-format",
    type=click.Choice(sorted(view.FORMATS)),
    default="full",
    help="How findings are printed: for people, or for a service.",
)
@option(
    "--select",
    "selected",
    multiple=True,
    metavar="CODES",
    help="Report only these codes, or all of these checks; with commas.",
)
@option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODES",
    help="Report all but these codes or checks; with commas.",
)
@option("--strict", is_flag=True, help="Let warnings fail the check too.")
def check(  # noqa: PLR0913 - a command takes its options
    options: CommonOptions,
    *,
    selection: Sequence[str],
    exclude: Sequence[str],
    output_format: str,
    selected: Sequence[str],
    ignored: Sequence[str],
    strict: bool,
) -> Exit:
    """Prove, offline, that every picture is current.

    Reads only; needs no key and no network. Exits with 1 when files, lock and
    spec disagree, and names the command that mends each finding. `[checks]` in
    the spec says how much each check weighs.
    """
    wanted = _codes(selected) if selected else None
    unwanted = _codes(ignored)
    project, console = Project.open(options), Console(options.color, options.verbosity)
    choice = Choice(tuple(selection), tuple(exclude))
    show = view.FORMATS["json" if options.json else output_format]
    try:
        found = project.findings(choice)
    except Flux2BuildError as error:
        if show not in view.MACHINE_READABLE:
            raise
        show(console, _placed(project, show, view.of_error(error)), None)
        return error.exit
    findings = [f for f in found if f.code not in unwanted and (wanted is None or f.code in wanted)]
    show(console, _placed(project, show, findings), project.plan(choice))
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Exit.DRIFT if any(f.severity in failing for f in findings) else Exit.DONE


def _codes(words: Sequence[str]) -> frozenset[str]:
    """The codes that some words name: themselves, or a check, all of whose codes are meant.

    Raises:
        UsageError: with every word that is neither.
    """
    known = {name: frozenset(check.codes) for name, check in checks_by_name().items()}
    known |= {code: frozenset({code}) for codes in list(known.values()) for code in codes}
    named = [word.strip() for text in words for word in text.split(",") if word.strip()]
    wrong = [word for word in named if word not in known]
    if wrong:
        raise UsageError(
            *(
                Problem(f"no check reports `{word}`", hint=did_you_mean(word, known))
                for word in dict.fromkeys(wrong)
            )
        )
    return frozenset[str]().union(*(known[word] for word in named))


def _placed(project: Project, show: view.View, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Findings as a format needs them: services know files by their path in the repository."""
    if show not in view.FOR_SERVICES:
        return findings
    folder = project.folder.resolve().relative_to(root_of(project.folder)).as_posix()

    def moved(place: Place) -> Place:
        return replace(place, file=posixpath.normpath(posixpath.join(folder, place.file)))

    def placed(finding: Finding) -> Place | None:
        place = finding.place or (Place(finding.path) if finding.path else None)
        return place and moved(place)

    return [replace(finding, place=placed(finding)) for finding in findings]


COMMAND: Final[click.Command] = check
