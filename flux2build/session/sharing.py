"""Shares the orders of this machine with the team's store."""

from __future__ import annotations

from collections.abc import Callable

from flux2build.errors import SystemFault
from flux2build.purchasing.teamwork import Teamwork
from flux2build.session.project import Project
from flux2build.session.team import held_claims
from flux2build.sharing.team_store import TeamStore


def teamwork(project: Project, store: TeamStore, say: Callable[[str], None]) -> Teamwork:
    """The work of this machine in a team's store for its orders."""
    return Teamwork(store, held_claims(store), project.journal, project.store, say)


def tell(project: Project, say: Callable[[str], None]) -> None:
    """Share the purchases of earlier builds that the team's store does not have yet."""
    if project.team is None or not project.team.store.writable:
        return
    team = teamwork(project, project.team.store, say)
    if team.held:
        try:
            team.settle_all()
        except SystemFault as fault:
            project.team.fall_back(fault)
