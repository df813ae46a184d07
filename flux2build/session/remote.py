"""What it takes to buy at a paid provider: its client, the user's key, and the books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flux2build import digest
from flux2build.providers.contract import Remote
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.http import Client, ClientDeps, Key, Limits, authorities, limits
from flux2build.purchasing.safekeeping import Safekeeping
from flux2build.session.project import Project


def client_of(project: Project, provider: Remote, own: Limits, halt: asyncio.Event) -> Client:
    """The client of a provider; the key comes from the user, never from the spec."""
    secret = project.settings.value(provider.key_variable)
    key = Key(secret, provider.key_variable) if secret else None
    endpoint = project.settings.value(provider.url_variable) or None
    deps = ClientDeps(
        proxy=project.settings.proxy(endpoint or provider.endpoint),
        certificates=authorities(project.settings.authorities),
        halt=halt,
    )
    return Client(provider, key, endpoint, own, deps)


def limits_of(project: Project, in_flight: int | None = None) -> Limits:
    """What the user tolerates."""
    return limits(project.settings.limits, project.settings.file, in_flight)


def account_of(project: Project, provider: Remote) -> str:
    """A fingerprint of the user's key; empty if there is none."""
    secret = project.settings.value(provider.key_variable)
    return digest.short(digest.of_bytes(secret.encode())) if secret else ""


def books_of(
    project: Project, keeping: Safekeeping, budget: BudgetGuard, say: Callable[[str], None]
) -> Bookkeeping:
    """The books of one run."""
    return Bookkeeping(keeping, budget, str(project.folder), say)
