"""The commands that enter a person's decision: `approve`, `reject` and `hold`."""

from __future__ import annotations

from flux2build.building.run_lock import held
from flux2build.console.console import Console
from flux2build.errors import UsageError
from flux2build.lockfile import ReviewState
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.deciding import decide
from flux2build.session.project import Project


def entered(options: CommonOptions, choice: Choice, state: ReviewState, note: str) -> None:
    """Enter a decision about the selected pictures, and say so.

    Raises:
        UsageError: nothing is selected, or a selected asset cannot be decided about.
        SystemFault: git does not know who decides, or the disk refuses the lock.
    """
    if choice.everything:
        hint = "`flux2build list` names them all"
        raise UsageError("decide about which pictures?", hint=hint)
    project, console = Project.open(options), Console.of(options, choice)
    with held(project.folder, "flux2build", None, console.say):
        project = project.reread()
        reviews = decide(project, choice, state, note)
    if options.json:
        rows = [
            {"asset": name, "state": review.state.value, "sha256": review.sha256, "by": review.by}
            for name, review in reviews.items()
        ]
        console.document({"decisions": [{**row} for row in rows]})
    for name, review in reviews.items():
        console.say(f"{state.value} {name}, by {review.by}")
    if not reviews:
        console.say(f"{state.value} already")
    elif state is ReviewState.APPROVED and len(project.spec.wanted_profiles) > 1:
        console.say(
            f"this holds in the profile `{project.spec.profile}`: "
            "another model draws another picture, even with the same seed"
        )
