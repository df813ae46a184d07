"""What this machine tells the team's store of the orders that it places."""

from __future__ import annotations

from collections.abc import Callable

from flux2build.errors import SystemFault
from flux2build.purchasing.teamwork import Teamwork
from flux2build.session.project import Project
from flux2build.session.team import held_claims
from flux2build.sharing.team_store import TeamStore


def teamwork(project: Project, store: TeamStore, say: Callable[[str], None]) -> Teamwork:
    """What this machine does in a team's store about its orders."""
    return Teamwork(store, held_claims(store), project.journal, project.store, say)


def tell(project: Project, say: Callable[[str], None]) -> None:
    """Tell the team's store what earlier builds have bought, and could not tell it."""
    if project.team is None or not project.team.store.writable:
        return
    team = teamwork(project, project.team.store, say)
    if team.held:
        try:
            team.settle_all()
        except SystemFault as fault:
            project.team.fall_back(fault)
