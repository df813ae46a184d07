"""A plan in a file: `plan -o FILE` writes it for a person to read, `build FILE` carries it out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Final

from msgspec import MsgspecError, Struct
from msgspec.json import decode
from msgspec.structs import replace

from flux2build.digest import Json
from flux2build.errors import DecisionError, Problem, UsageError
from flux2build.planning.plan import Plan, Step
from flux2build.session import exports
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project
from flux2build.storage import regular

_VERSION: Final = 1
_MARK: Final = b'"flux2build_plan":'
_HEAD: Final = 64
_MOST: Final = 64 * 1024 * 1024
_SHOWN: Final = 3


class _Content(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of the file."""

    flux2build_plan: int
    spec: str
    profile: str
    selection: tuple[str, ...]
    exclude: tuple[str, ...]
    force: tuple[str, ...]
    refresh: bool
    reopen: tuple[str, ...] = ()
    steps: dict[str, dict[str, str | list[str] | None]]
    """The steps to do, by the paths of the files."""


class PlanFile(Struct, frozen=True):
    """A plan that was read from a file."""

    path: str
    content: _Content

    @property
    def choice(self) -> Choice:
        """The choice of assets that was planned."""
        content = self.content
        words = content.selection, content.exclude, content.force
        return Choice(*words, content.refresh, reopen=content.reopen)

    def options(self, options: CommonOptions) -> CommonOptions:
        """The options of a build, with the profile that was planned.

        Raises:
            UsageError: they name another profile.
        """
        planned = self.content.profile
        if options.profile not in {None, planned}:
            message = f"`{self.path}` is a plan for the profile `{planned}`"
            raise UsageError(message, hint="leave `--profile` out")
        return replace(options, profile=planned)

    def require(self, project: Project, plan: Plan) -> None:
        """Require that a build would do exactly what was planned.

        Raises:
            DecisionError: the plan would be different now.
        """
        now, then = _steps(plan), self.content.steps
        changed = [path for path in {**then, **now} if now.get(path) != then.get(path)]
        if project.file != self.content.spec:
            changed = [project.file]
        if not changed:
            return
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise DecisionError(
            f"the plan in `{self.path}` no longer holds; nothing was done",
            rows=(("changed", ", ".join(changed[:_SHOWN]) + more),),
            hint="read the plan as it is now, and write it again: "
            f"`flux2build plan -o {shlex.quote(self.path)}`",
        )


def write(path: str, project: Project, choice: Choice, plan: Plan) -> None:
    """Write a plan to a file.

    Raises:
        UsageError: the spec has or needs a file at the path.
        SystemFault: it cannot be written.
    """
    content: dict[str, Json] = {
        "flux2build_plan": _VERSION,
        "spec": project.file,
        "profile": plan.profile,
        "selection": choice.selection,
        "exclude": choice.exclude,
        "force": choice.force,
        "reopen": choice.reopen,
        "refresh": choice.refresh,
        "steps": _steps(plan),
    }
    exports.write(project, path, f"{json.dumps(content, indent=2)}\n".encode())


def _steps(plan: Plan) -> dict[str, Mapping[str, str | list[str] | None]]:
    return {step.recipe.label: _step(step) for step in plan.todo}


def _step(step: Step) -> Mapping[str, str | list[str] | None]:
    return {
        "asset": step.recipe.asset,
        "action": step.verdict.action.value,
        "reasons": [str(reason) for reason in step.verdict.reasons],
        "key": step.verdict.key,
        "price_max": None if step.high is None else f"{step.high:f}",
        "notes": [*step.notes],
    }


def named(words: tuple[str, ...]) -> PlanFile | None:
    """The plan that a selection names, if it is a file that holds one.

    Raises:
        UsageError: the file is damaged, or of a newer flux2build.
    """
    if len(words) != 1:
        return None
    try:
        with regular.opened(words[0]) as file:
            if _MARK not in file.read(_HEAD):
                return None
        data = regular.read(words[0], _MOST)
    except OSError:
        return None
    try:
        content = decode(data, type=_Content)
    except MsgspecError:
        content = None
    if content is None or content.flux2build_plan != _VERSION:
        problem = Problem(f"`{words[0]}` holds no plan that this flux2build can read")
        raise UsageError(replace(problem, hint="`flux2build plan -o FILE` writes one"))
    return PlanFile(words[0], content)
