"""The parts that are needed to buy at a paid provider: client, key and books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal

from flux2build import digest
from flux2build.building import event_loop
from flux2build.errors import SystemFault
from flux2build.providers.contract import CallsBack, Refusal, Refused, Remote, Ticket
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.http import Client, ClientDeps, Key, Limits, authorities, limits
from flux2build.purchasing.safekeeping import Safekeeping
from flux2build.purchasing.webhooks import FEWEST, Webhooks
from flux2build.session.project import Project
from flux2build.session.settings import UserSettings
from flux2build.session.variables import WEBHOOK_SECRET


def client_of(
    settings: UserSettings,
    provider: Remote,
    own: Limits,
    halt: asyncio.Event,
    say: Callable[[str], None] = lambda _: None,
) -> Client:
    """The client of a provider; the key comes from the user, never from the spec."""
    secret = settings.value(provider.key_variable)
    key = Key(secret, provider.key_variable) if secret else None
    endpoint = settings.endpoint(provider)
    settings.proxy(endpoint)  # an unusable proxy is refused before anything is sent
    deps = ClientDeps(
        proxy=settings.proxy,
        certificates=authorities(settings.authorities),
        say=say,
        halt=halt,
    )
    return Client(provider, key, endpoint, own, deps)


def limits_of(settings: UserSettings, in_flight: int | None = None) -> Limits:
    """The user's limits of connections."""
    return limits(settings.limits, settings.written, in_flight)


def balances(
    settings: UserSettings, providers: Iterable[Remote]
) -> dict[str, Decimal | Refused | None]:
    """The balance at each provider, by name: USD, the reason why it is unknown, or None.

    Raises:
        SystemFault: an endpoint is invalid, or the key would be sent in clear.
    """

    async def balance_of(provider: Remote) -> Decimal | Refused | None:
        if not settings.value(provider.key_variable):
            return Refused(Refusal.CREDENTIALS, f"`{provider.key_variable}` is not set")
        own = limits_of(settings)
        async with client_of(settings, provider, own, asyncio.Event()) as client:
            return await client.balance()

    async def all_balances() -> list[Decimal | Refused | None]:
        return await asyncio.gather(*map(balance_of, several))

    several = list(providers)
    return dict(zip((each.name for each in several), event_loop.run(all_balances()), strict=True))


def denied(settings: UserSettings, provider: Remote, ticket: Ticket) -> Refused | None:
    """The refusal of a provider that certainly does not know an order.

    None if it may know it; another refusal if it cannot be asked.

    Raises:
        SystemFault: its endpoint is invalid, or the key would be sent in clear.
    """

    async def refusal() -> Refused | None:
        async with client_of(settings, provider, limits_of(settings), asyncio.Event()) as client:
            return await client.denied(ticket)

    if not settings.value(provider.key_variable):
        return Refused(Refusal.CREDENTIALS, f"`{provider.key_variable}` is not set")
    return event_loop.run(refusal())


def webhooks_of(settings: UserSettings, provider: Remote) -> Webhooks | None:
    """The callbacks of a provider; None if it has none, or the user does not want them.

    Raises:
        SystemFault: the secret is missing or too short.
    """
    url = settings.public_url
    return webhooks_at(settings, url) if url and isinstance(provider, CallsBack) else None


def webhooks_at(settings: UserSettings, url: str) -> Webhooks:
    """Callbacks at a public URL, with the secret that ties them to orders.

    Raises:
        SystemFault: the secret is missing or too short.
    """
    secret = settings.value(WEBHOOK_SECRET)
    if len(secret) < FEWEST:
        state = f"has fewer than {FEWEST} characters" if secret else "is not set"
        raise SystemFault(
            f"`{WEBHOOK_SECRET}` {state}: it ties callbacks to orders",
            hint=f'`export {WEBHOOK_SECRET}="$(openssl rand -hex 32)"` makes one; '
            "it is the same wherever you order and receive",
        )
    Key(secret, WEBHOOK_SECRET)  # no report shows it
    return Webhooks(url, secret)


def account_of(settings: UserSettings, provider: Remote) -> str:
    """A fingerprint of the user's key; empty if there is none."""
    secret = settings.value(provider.key_variable)
    return digest.short(digest.of_bytes(secret.encode())) if secret else ""


def books_of(
    project: Project, keeping: Safekeeping, budget: BudgetGuard, say: Callable[[str], None]
) -> Bookkeeping:
    """The books of one run."""
    return Bookkeeping(keeping, budget, str(project.folder), say)
