"""Joining a project with the store that its user's team shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from flux2build.errors import Problem
from flux2build.session.project import Project


def joined(project: Project, warn: Callable[[Iterable[Problem]], None]) -> Project:
    """The same project, which asks the team's store, if there is one, for what is missing here.

    Raises:
        UsageError: the settings name no store that there can be.
        SystemFault: an extra is missing.
    """
    if not project.settings.shares:
        return project
    # Lazy: few users share a store.
    from flux2build.session.team import held_claims, team_store
    from flux2build.sharing.lookup import Lookup

    store = team_store(project.settings, project.folder)
    if store is None:
        return project
    return replace(project, team=Lookup(store, held_claims(store), warn))
