"""Receives callbacks with the user's keys, into the user's ledger and store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from flux2build.building import event_loop
from flux2build.building.signals import heeded
from flux2build.errors import SystemFault, UsageError
from flux2build.providers import PROVIDERS
from flux2build.providers.callbacks import standard_key
from flux2build.providers.contract import CallsBack, Message, Remote
from flux2build.purchasing.http import Key
from flux2build.purchasing.receiving.filing import Account, Filing, Share
from flux2build.purchasing.receiving.hearing import Answer, Heard, Hearing
from flux2build.purchasing.receiving.refusals import Refusals
from flux2build.purchasing.receiving.server import Desk, server
from flux2build.purchasing.receiving.sharing import TeamShare, unshared
from flux2build.purchasing.safekeeping import Places, Safekeeping
from flux2build.purchasing.spool import spool_of
from flux2build.purchasing.teamwork import Teamwork
from flux2build.purchasing.webhooks import Webhooks
from flux2build.session import remote
from flux2build.session.config_faults import is_public_url
from flux2build.session.home import user_journal, user_store
from flux2build.session.settings import UserSettings
from flux2build.session.team import held_claims, team_store
from flux2build.sharing.listening import base_url, listening
from flux2build.storage.disk import home

_PATIENCE: Final = 20.0
"""The seconds that an answer waits for a picture; providers wait for half a minute."""


class Callers(Struct, frozen=True):
    """The providers whose callbacks are received, and the secrets that sign them."""

    providers: tuple[Remote, ...]
    secrets: Mapping[str, str]
    """By the provider's name."""
    unheard: tuple[str, ...]
    """The reasons why callbacks of other providers with a key are refused."""


class Reception(Struct, frozen=True):
    """The URL, the providers and the settings with which callbacks are received."""

    settings: UserSettings
    webhooks: Webhooks
    callers: Callers

    def run(
        self, host: str, port: int, say: Callable[[str], None], on_start: Callable[[str], None]
    ) -> None:
        """Receive until interrupted; `on_start` gets the URL of the server.

        Raises:
            SystemFault: the port is taken, or the address is not of this machine.
            KeyboardInterrupt: a person asked twice to stop.
        """
        try:
            event_loop.run(self._run(host, port, say, on_start))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    async def _run(
        self, host: str, port: int, say: Callable[[str], None], on_start: Callable[[str], None]
    ) -> None:
        halt = asyncio.Event()
        async with AsyncExitStack() as stack:
            listener = stack.enter_context(listening(host, port))
            stack.enter_context(heeded(halt, say))
            accounts = {}
            for provider in self.callers.providers:
                client = remote.client_of(
                    self.settings, provider, remote.limits_of(self.settings), halt, say
                )
                await stack.enter_async_context(client)
                fingerprint = remote.account_of(self.settings, provider)
                accounts[provider.name] = Account(client, fingerprint)
            filing = Filing(accounts, _keeping(say), say, _share(self.settings, say), _PATIENCE)
            refusals = Refusals(say)
            hearing = Hearing(self.webhooks, self.callers.secrets)
            desk = Desk(hearing.known, _Posted(hearing, filing, refusals), refusals.note)
            on_start(base_url(host, listener))
            filing.sweep()
            prefix = urlsplit(self.webhooks.url).path
            await server(desk, prefix).until(halt, listener)
            await filing.finish()


class _Posted(Struct, frozen=True):
    """Answers messages, and prints why some are refused."""

    hearing: Hearing
    filing: Filing
    refusals: Refusals

    async def __call__(self, path: str, message: Message) -> Answer:
        """The answer to a message."""
        outcome = self.hearing.heard(path, message, time.time())
        if isinstance(outcome, Heard):
            return await self.filing.hear(outcome)
        self.refusals.note(outcome.text)
        return outcome


def _share(settings: UserSettings, say: Callable[[str], None]) -> Share:
    """The function that shares pictures with the user's team, if there is one."""
    own = user_store()
    store = team_store(settings, Path.cwd())
    if store is None or not store.writable:
        return unshared
    return TeamShare(Teamwork(store, held_claims(store), user_journal(), own, say))


def _keeping(say: Callable[[str], None]) -> Safekeeping:
    journal = user_journal()
    return Safekeeping(user_store(), journal, spool_of(home()), Places(journal.path), say)


def reception(settings: UserSettings, named: str | None) -> Reception:
    """The reception at a public URL, or at the one of the user's configuration.

    Raises:
        UsageError: no such URL is named.
        SystemFault: a secret is missing or cannot be one, or no key is set.
    """
    url = named or settings.public_url
    if not url:
        raise UsageError(
            "no public URL is named",
            hint="`--public-url https://hooks.example.com`, or `[webhooks]` in your configuration "
            "with a line `url`",
        )
    if not is_public_url(url):
        raise UsageError(
            f"providers cannot call `{url}`",
            hint="it begins with `https://`, ends behind its path, and has 500 characters at most",
        )
    webhooks = remote.webhooks_at(settings, url.rstrip("/"))
    return Reception(settings, webhooks, _callers(settings))


def _callers(settings: UserSettings) -> Callers:
    providers, secrets, unheard = [], {}, []
    for provider in _that_call_back():
        variable = provider.signature_variable
        secret = settings.value(variable) if variable else ""
        if not settings.value(provider.key_variable):
            continue
        if secret and standard_key(secret) is None:
            raise SystemFault(
                f"`{variable}` does not hold a secret",
                hint="it is `whsec_` and base64, as the provider shows it",
            )
        if variable and not secret:
            unheard.append(f"callbacks of `{provider.name}` are refused: `{variable}` is not set")
            continue
        if secret:
            Key(secret, variable)  # no report shows it
        providers.append(provider)
        secrets[provider.name] = secret
    if not providers:
        names = " or ".join(f"`{each.key_variable}`" for each in _that_call_back())
        raise SystemFault("; ".join(unheard) or "no provider can be asked", hint=f"set {names}")
    return Callers(tuple(providers), secrets, tuple(unheard))


class _Caller(Remote, CallsBack, Protocol):
    """A provider that calls back."""


def _that_call_back() -> Iterator[_Caller]:
    for provider in PROVIDERS.values():
        if isinstance(provider, Remote) and isinstance(provider, CallsBack):
            yield provider
