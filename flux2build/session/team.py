"""Opens the store that a user's team shares, if the settings name one."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from flux2build.digest import Digest, of_bytes, short
from flux2build.errors import Problem, SystemFault, UsageError
from flux2build.purchasing.redaction import Key
from flux2build.session.home import readable_home
from flux2build.session.pull_request import requested
from flux2build.session.settings import UserSettings
from flux2build.sharing.contract import STORE_VARIABLE, TOKEN_VARIABLE, Access, kind_of, plain
from flux2build.sharing.held_claims import HeldClaims
from flux2build.sharing.team_store import TeamStore
from flux2build.storage import durable
from flux2build.storage.disk import home

_URL: Final = ("store", "url")


class StoreSettings(Struct, frozen=True):
    """The user's settings of their team's store."""

    url: str = ""
    """Empty if there is none; it may hold a password."""
    mode: str = "rw"
    """`rw`, or `r` to read only, which is usual where a pull request started this process."""
    when_down: str = "stop"
    """`stop` buys nothing while the store cannot be reached; `alone` buys anyway."""


def store_settings(settings: UserSettings) -> StoreSettings:
    """The user's settings of the store; the variable's URL overrides the configuration's."""
    table: dict[str, Any] = dict(settings.config.get("store", {}))
    if url := settings.value(STORE_VARIABLE):
        table["url"] = url
    if requested(settings.environment):
        table.setdefault("mode", "r")
    return StoreSettings(**table)


def team_store(settings: UserSettings, folder: Path) -> TeamStore | None:
    """The store of the user's team; None if the settings name none.

    A store in git may be a remote of the folder.

    Raises:
        UsageError: the settings name something else.
        SystemFault: an extra is missing.
    """
    own = store_settings(settings)
    if not own.url:
        return None
    access = Access(settings.value, folder, settings.proxy, lambda: _certificates(settings))
    try:
        backend = kind_of(own.url).open(own.url, access)
    except UsageError as error:
        raise UsageError(*(_placed(settings, problem) for problem in error.problems)) from None
    _keep_secret(own.url, settings.value(TOKEN_VARIABLE))
    return TeamStore(
        backend,
        plain(own.url),
        writable=own.mode == "rw",
        alone=own.when_down == "alone",
        aside=_set_aside,
    )


def _keep_secret(url: str, token: str) -> None:
    """Let no report show a token, nor the password in a URL."""
    for secret in filter(None, (token, unquote(urlsplit(url).password or ""))):
        with suppress(SystemFault):  # a password may be any text
            Key(secret)


def _set_aside(digest: Digest, data: bytes) -> None:
    """Keep wrong bytes, so that a person can find out where they came from."""
    name = f"{digest.removeprefix('sha256:')}-{short(of_bytes(data))[:8]}"
    with suppress(SystemFault):
        durable.replace(home() / "team" / "damaged" / name, data, 0o400)


def _certificates(settings: UserSettings) -> ssl.SSLContext | None:
    # Lazy: only a store over HTTP needs them.
    from flux2build.purchasing.http.trust import authorities

    return authorities(settings.authorities)


def held_claims(store: TeamStore) -> HeldClaims:
    """The claims that this machine holds in a store."""
    return HeldClaims(readable_home() / "team" / short(of_bytes(store.url.encode())))


def _placed(settings: UserSettings, problem: Problem) -> Problem:
    """A problem with the URL, at its place; a problem with the token names it already."""
    if TOKEN_VARIABLE in problem.message:
        return problem
    if settings.environment.get(STORE_VARIABLE) or settings.env_file.get(STORE_VARIABLE):
        return Problem(f"`{STORE_VARIABLE}`: {problem.message}", hint=problem.hint)
    return settings.written.located(problem, _URL)
