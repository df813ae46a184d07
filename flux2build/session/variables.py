"""The names of variables that flux2build reads, so that unknown ones are reported."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache
from typing import Final

from flux2build.errors import Problem, UsageError, did_you_mean, nearest

PREFIX: Final = "FLUX2BUILD_"
CONFIG_VARIABLE: Final = f"{PREFIX}CONFIG"
WEBHOOK_SECRET: Final = f"{PREFIX}WEBHOOK_SECRET"
"""The variable of the secret that ties callbacks to orders."""
PROXIES: Final = (f"{PREFIX}PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""Variables that may name a proxy; the first one set counts."""
_EXEMPT: Final = ("NO_PROXY", "no_proxy")
AUTHORITIES: Final = (
    ("SSL_CERT_FILE", "SSL_CERT_DIR"),
    ("REQUESTS_CA_BUNDLE",),
    ("CURL_CA_BUNDLE",),
)
"""Variables that may name certificates to trust; the first of them that are set count."""
_SHARED: Final = frozenset({*PROXIES, *_EXEMPT, *(name for names in AUTHORITIES for name in names)})
"""Variables that other programs read, too."""
_OPTIONS: Final = (
    *("ALL", "BY", "COLOR", "CREDITS", "DRY_RUN", "ENV_FILE", "EVERYTHING", "EXCLUDE", "EXIT_CODE"),
    *("FAST", "FILE", "FORCE", "FORMAT", "HOST", "IGNORE", "JOBS", "JSON", "LATENCY", "LIMIT"),
    *(
        "LIVE",
        "LOCK_TIMEOUT",
        "MAX_COST",
        "OUTPUT",
        "OUTPUT_FORMAT",
        "PORT",
        "PROFILE",
        "PUBLIC_URL",
        "QUIET",
    ),
    *("LOCAL", "REFRESH_DERIVED", "SCENARIO", "SELECT", "STRICT", "TO", "TRUST_PR", "VERBOSE"),
    "YES",
)
"""The options of commands, known without importing the commands."""
PROCESS: Final = frozenset(
    {CONFIG_VARIABLE, f"{PREFIX}HOME", f"{PREFIX}DEEP", *(PREFIX + name for name in _OPTIONS)}
)
"""Variables that are read from the environment only; `DEEP` is one of the tests."""
_ALIKE: Final = 0.85
"""How similar a name must be to one of ours to be a slip, in a file that other programs share."""


@cache
def settings() -> frozenset[str]:
    """Variables that are looked up in the environment, the `--env-file` and the configuration."""
    from flux2build.images.provenance.signing import CERTIFICATE_VARIABLE, KEY_VARIABLE
    from flux2build.providers import PROVIDERS
    from flux2build.providers.contract import CallsBack, Remote
    from flux2build.sharing.contract import STORE_VARIABLE, TOKEN_VARIABLE

    names = {CERTIFICATE_VARIABLE, KEY_VARIABLE, STORE_VARIABLE, TOKEN_VARIABLE, WEBHOOK_SECRET}
    remote = [provider for provider in PROVIDERS.values() if isinstance(provider, Remote)]
    names |= {each.signature_variable for each in remote if isinstance(each, CallsBack)} - {""}
    names |= _SHARED
    return frozenset(names.union(*({each.key_variable, each.url_variable} for each in remote)))


def refuse_unknown(names: Iterable[str], options: Callable[[], Container[str]]) -> None:
    """Refuse unknown variables of the environment that start with our prefix.

    `options` returns those of all commands; it is only called for a name that is not listed here.

    Raises:
        UsageError: with the nearest name of each.
    """
    ours = sorted(name for name in names if name.startswith(PREFIX) and name not in PROCESS)
    strange = [name for name in ours if name not in settings()]
    if problems := [_unknown(name) for name in strange if name not in options()]:
        raise UsageError(*problems)


def unread(names: Iterable[str], *, shared: bool) -> Iterator[tuple[str, Problem]]:
    """The names in a file of settings that are not read; in a `shared` file, only those like ours."""
    for name in names:
        if name in settings():
            continue
        if name in PROCESS:
            hint = f"`export {name}=…` sets it"
            yield name, Problem(f"`{name}` is read from the environment only", hint=hint)
        elif not shared or name.upper().startswith(PREFIX) or _resembles(name):
            yield name, _unknown(name)


def mentioned(text: str) -> bool:
    """Whether a line of a file that other programs share is about one of our variables."""
    return PREFIX in text or any(name in text for name in settings())


def _resembles(name: str) -> bool:
    keys = (known for known in settings() if known not in _SHARED)
    return nearest(name.upper(), keys, _ALIKE) is not None


def _unknown(name: str) -> Problem:
    names = settings() | PROCESS - {f"{PREFIX}DEEP"}
    hint = did_you_mean(name.upper(), names) or "docs/configuration.md lists the variables"
    return Problem(f"`{name}` is not a variable that flux2build reads", hint=hint)
