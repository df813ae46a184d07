"""The parameters of an order, from the ledger, or from a spec or lock that still has the order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from flux2build.digest import Json
from flux2build.errors import Flux2BuildError
from flux2build.ledger import Intended
from flux2build.lockfile import Generated
from flux2build.model import Generate, payloads
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from flux2build.storage.disk import SPEC_NAME


def parameters(options: CommonOptions, intended: Intended) -> Mapping[str, Json] | None:
    """The known parameters of an order; None if they are unknown.

    The ledger of an earlier version has no parameters; then this project, or the one that placed
    the order, may have them.
    """
    if intended.expected:
        return intended.expected
    spec_of_order = str(Path(intended.project) / SPEC_NAME)
    for file in dict.fromkeys((options.file, spec_of_order)):
        try:
            for task in _tasks(Project.open(replace(options, file=file))):
                if intended.payload in payloads(task.model, task.prompt, task.params):
                    return task.params
        except Flux2BuildError:
            continue  # a missing or broken spec has no parameters
    return None


def _tasks(project: Project) -> Iterator[Generate | Generated]:
    """All pictures that a project asks for in any profile, and those of its lock."""
    others = project.other_profiles(set(project.spec.wanted_profiles))
    for recipes in (project.spec.recipes, *(recipes for _, recipes in others)):
        for recipe in recipes:
            if isinstance(recipe.task, Generate):
                yield from recipe.takes or (recipe.task,)
    rows = (block.generated for block in project.lock.blocks.values())
    yield from (row for row in rows if row is not None)
