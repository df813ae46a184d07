"""Checks a project, and prints the findings."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from flux2build import __version__
from flux2build.checks import CHECKS
from flux2build.checks.finding import Finding, Severity
from flux2build.console.console import Console
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.unusable import of_error
from flux2build.errors import Exit, Flux2BuildError, Place, Problem, UsageError, did_you_mean
from flux2build.incremental.brief import brief, narrowed
from flux2build.incremental.findings import findings_in_brief, findings_of
from flux2build.planning.plan import Plan
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project
from flux2build.storage.disk import root_of
from flux2build.storage.index import Index


def check(  # noqa: PLR0913 - one parameter for each option
    options: CommonOptions,
    *,
    choice: Choice,
    output_format: str = "full",
    selected: Sequence[str] = (),
    ignored: Sequence[str] = (),
    require_approved: bool = False,
    strict: bool = False,
    index: Index | None = None,
) -> Exit:
    """Print the findings of all checks, and say whether any fails the check.

    Raises:
        UsageError: no check reports a named code, or a format needs a single spec.
    """
    selected_codes = _codes(selected) if selected else None
    ignored_codes = _codes(ignored)
    project, console = Project.open(options, index), Console.of(options, choice)
    output = OUTPUT_FORMATS["json" if options.json else output_format]
    if options.several and output.whole:
        message = f"`--output-format {output_format}` is about one spec"
        raise UsageError(message, hint="run one check for each of them")
    try:
        brisk = choice.plain and not (require_approved or output.whole)
        in_brief = _in_brief(project, choice) if brisk else None
        plan, reported = in_brief or (
            project.plan(choice),
            findings_of(project, choice, strictly=require_approved),
        )
    except Flux2BuildError as error:
        if not output.machine_readable:
            raise
        problems = [replace(f, problem=console.context.problem(f.problem)) for f in of_error(error)]
        output.show(console, _report(project, output, problems, None))
        return error.exit
    findings = [
        replace(finding, problem=console.context.problem(finding.problem))
        for finding in reported
        if finding.code not in ignored_codes
        and (selected_codes is None or finding.code in selected_codes)
    ]
    output.show(console, _report(project, output, findings, plan))
    console.caution(project.ledger_faults)
    if in_brief is None and choice.everything and not require_approved:
        # Lazy: only a reading of everything is remembered.
        from flux2build.console.plan_view import clean_line
        from flux2build.incremental.answers import remember

        remember(project, clean_line(plan), reported)
    if in_brief is None and (other := project.others_files) is not None:
        line = f"`flux2build check -p {shlex.quote(other)}`"
        console.say(f"The files are those of the profile `{other}`: see {line}.")
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Exit.DRIFT if any(f.severity in failing for f in findings) else Exit.DONE


def _in_brief(project: Project, choice: Choice) -> tuple[Plan, list[Finding]] | None:
    """The plan and the findings; None if the spec must be read to know them."""
    comparison = brief(project)
    about = narrowed(project, comparison, choice) if comparison else None
    if comparison is None or about is None:
        return None
    findings = findings_in_brief(
        project, comparison.base, comparison.plan, comparison.snapshot, comparison.assets
    )
    if findings is None:
        return None
    if (assets := about.chosen) is not None:
        findings = [each for each in findings if not each.asset or each.asset in assets]
    return about.plan, findings


def _report(
    project: Project, output: OutputFormat, findings: Sequence[Finding], plan: Plan | None
) -> CheckReport:
    """The findings, with everything else that a format may show."""
    if output.repository_paths:
        findings = _from(root_of(project.folder), project, findings)
    elif output.working_paths:
        findings = _from(Path.cwd(), project, findings)
    return CheckReport(findings, plan, __version__)


def _from(start: Path, project: Project, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Findings with places, named by their path from a folder."""
    folder = Path(os.path.relpath(project.folder.resolve(), start)).as_posix()

    def placed(finding: Finding) -> Finding:
        place = finding.problem.place or (Place(finding.path) if finding.path else None)
        if place is None:
            return finding
        path = posixpath.normpath(posixpath.join(folder, place.file))
        problem = replace(finding.problem, place=replace(place, file=path))
        return replace(finding, problem=problem)

    return [placed(finding) for finding in findings]


def _codes(words: Sequence[str]) -> frozenset[str]:
    """The codes that are named, directly or by the check that reports them.

    Raises:
        UsageError: some words are neither codes nor checks.
    """
    named = [word.strip() for text in words for word in text.split(",") if word.strip()]
    if not named:
        return frozenset()
    codes_by_name = {name: frozenset(check.codes) for name, check in CHECKS.items()}
    codes_by_name |= {
        code: frozenset({code}) for codes in list(codes_by_name.values()) for code in codes
    }
    if unknown := dict.fromkeys(word for word in named if word not in codes_by_name):
        raise UsageError(
            *(
                Problem(f"no check reports `{word}`", hint=did_you_mean(word, codes_by_name))
                for word in unknown
            )
        )
    return frozenset[str]().union(*(codes_by_name[word] for word in named))
