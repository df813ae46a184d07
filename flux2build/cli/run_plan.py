"""Shows a plan at the terminal."""

from __future__ import annotations

import shlex

from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.errors import Exit, UsageError
from flux2build.incremental.brief import brief, narrowed
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.storage.index import Index


def show_plan(  # noqa: PLR0913 - one parameter for each option
    options: CommonOptions,
    *,
    choice: Choice,
    output: str | None = None,
    live: bool = False,
    exit_code: bool = False,
    index: Index | None = None,
) -> Exit:
    """Show what a build would do; `exit_code` makes pending work an exit code.

    Raises:
        UsageError: several specs are to be written to one file.
    """
    if options.several and output is not None:
        raise UsageError("`--output` is about one spec", hint="name one with `--file`")
    console = Console.of(options, choice)
    project = joined(Project.open(options, index), console.caution)
    every = options.json or options.verbosity > 0
    brisk = output is None and not live and choice.plain
    comparison = brief(project, every=every) if brisk else None
    comparison = narrowed(project, comparison, choice) if comparison else None
    plan = comparison.plan if comparison else project.plan(choice)
    project.keep_judged()
    plan_view.show(console, project, plan)
    console.caution(project.ledger_faults)
    if output is not None:
        from flux2build.session import plan_file

        plan_file.write(output, project, choice, plan)
        console.say(f"`flux2build build {shlex.quote(output)}` carries out this plan and no other")
    if live:
        from flux2build.cli.live import warn_of_costs

        warn_of_costs(console, project.settings, plan)
    if comparison is not None:
        if choice.everything and not (choice.force or plan.drift):
            from flux2build.incremental.renewal import renew

            renew(project, comparison, None, plan_view.clean_line(plan))
    elif choice.everything and not choice.force:
        from flux2build.incremental.answers import remember

        remember(project, plan_view.clean_line(project.whole))
    return Exit.DRIFT if exit_code and (plan.drift or project.conflicted) else Exit.DONE
