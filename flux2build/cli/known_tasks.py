"""Asks a provider whether it knows a task that a person names, before anything is written."""

from __future__ import annotations

from flux2build.console.console import Console
from flux2build.errors import Flux2BuildError, UsageError
from flux2build.ledger import Ticketed
from flux2build.providers.contract import Refusal, Refused, Remote, Ticket
from flux2build.session import remote
from flux2build.session.settings import UserSettings


def refuse_unknown(
    console: Console, settings: UserSettings, provider: Remote, entry: Ticketed
) -> None:
    """Refuse a task that its provider does not know; warn if the provider cannot be asked.

    Raises:
        UsageError: it certainly does not know it.
    """
    try:
        refused = remote.denied(settings, provider, Ticket(entry.task, entry.poll))
    except Flux2BuildError as fault:
        refused = Refused(Refusal.UNREACHABLE, str(fault))
    if refused is None:
        return
    if refused.refusal is Refusal.LOST:
        hint = "`flux2build orders adopt ORDER FILE` takes a picture that you have fetched yourself"
        raise UsageError(f"`{provider.name}` does not know a task `{entry.task}`", hint=hint)
    text = f"`{provider.name}` was not asked whether it knows `{entry.task}`: {refused.message}"
    console.say(text, "dim")
