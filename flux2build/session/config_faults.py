"""Finds unknown keys and invalid values in a user's configuration."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from flux2build.assetspec.faults import Fault
from flux2build.errors import did_you_mean
from flux2build.images.limits import MOST as MOST_PIXELS
from flux2build.images.limits import OF_PICTURES
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Regional

OF_CONNECTIONS: Final = frozenset(
    {
        *("posts", "in_flight", "connect", "answer", "reply", "deadline", "reply_bytes"),
        *("picture_bytes", "picture_seconds", "picture_rate", "attempts", "wait"),
    }
)
"""The names of a connection's limits, known without importing the client."""
_SETTINGS: Final = frozenset(
    {"budget", "cards", "environment", "limits", "local", "network", "store", "webhooks"}
)
_STORE: Final = {"url": None, "mode": ("rw", "r"), "when_down": ("stop", "alone")}
"""The keys of `[store]`, with their possible values; opening the store validates the URL."""
_PLAIN_URL: Final = r"https?://[^?#\s\x00-\x1f\x7f]+"
_LONGEST_URL: Final = 500
"""The most characters of a public URL; the address of an order appends to it, within 2083."""
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def mistakes(config: Mapping[str, Any]) -> Iterator[Fault]:
    """One fault for each unknown key or invalid value."""
    names = _SETTINGS | set(PROVIDERS)
    for name in sorted(config.keys() - names):
        hint = did_you_mean(name, names)
        yield Fault((name,), f"`{name}` is not a setting", hint, name=True)
    for name in sorted((config.keys() & set(PROVIDERS)) - _SETTINGS):
        yield from _misplaced(name, config[name])
    if not isinstance(config.get("cards", ""), str):
        hint = 'write it like `cards = "my-cards.toml"`'
        yield Fault(("cards",), "`cards` names a file", hint)
    yield from _of_environment(config.get("environment", {}))
    yield from _of_limits(config.get("limits", {}))
    network = Fault(
        ("network", "ca"),
        "`network` is a table of `ca`, a file of certificates or `system`",
        'write it like `network = { ca = "company.pem" }`',
    )
    yield from _one_key(network, config.get("network", {}), _is_text)
    webhooks = Fault(
        ("webhooks", "url"),
        "`webhooks` is a table of `url`, where `flux2build receive` is reached from outside",
        'write it like `webhooks = { url = "https://hooks.example.com" }`',
    )
    yield from _one_key(webhooks, config.get("webhooks", {}), is_public_url)
    if not isinstance(config.get("local", {}), dict):
        hint = 'write it like `[local.models.NAME]` with a line `path = "FOLDER"`'
        yield Fault(("local",), "`local` is a table", hint)
    budget = Fault(
        ("budget", "confirm_above"),
        "`budget` is a table of `confirm_above`, an amount in USD",
        "write it like `budget = { confirm_above = 0.50 }`",
    )
    yield from _one_key(budget, config.get("budget", {}), _is_amount)
    yield from _of_store(config.get("store", {}))


def _of_limits(limits: object) -> Iterator[Fault]:
    if not isinstance(limits, dict):
        hint = "write it like `[limits]` with lines like `deadline = 1800`"
        yield Fault(("limits",), "`limits` is a table", hint)
        return
    for name in limits.keys() - OF_CONNECTIONS - OF_PICTURES:
        meant = did_you_mean(name, OF_CONNECTIONS | OF_PICTURES)
        yield Fault(("limits", name), f"there is no limit `{name}`", meant, name=True)
    for name in limits.keys() & OF_PICTURES:
        value = limits[name]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_PIXELS:
            message = f"limit `{name}` is a whole number from 1 to {MOST_PIXELS:,}, not {value!r}"
            yield Fault(("limits", name), message)


def _of_store(table: object) -> Iterator[Fault]:
    hint = 'write it like `[store]` with a line `url = "file:///mnt/team/store"`'
    if not isinstance(table, dict):
        yield Fault(("store",), "`store` is a table", hint)
        return
    for name, value in table.items():
        if name not in _STORE:
            meant = did_you_mean(name, _STORE)
            yield Fault(("store", name), f"`store` has no key `{name}`", meant, name=True)
        elif (options := _STORE[name]) is None:
            if not _is_text(value):
                yield Fault(("store", name), f"`{name}` is the URL of a team's store", hint)
        elif value not in options:
            listed = " or ".join(f'`"{option}"`' for option in options)
            yield Fault(("store", name), f"`{name}` is {listed}", did_you_mean(str(value), options))


def _of_environment(values: object) -> Iterator[Fault]:
    hint = 'write it like `[environment]` with lines like `BFL_API_KEY = "…"`'
    if not isinstance(values, dict):
        yield Fault(("environment",), "`environment` is a table of texts", hint)
        return
    for name, value in values.items():
        if not isinstance(value, str):
            yield Fault(("environment", name), "`environment` is a table of texts", hint)


def _one_key(fault: Fault, value: object, fits: Callable[[object], bool]) -> Iterator[Fault]:
    """The fault of a table that can only have one key, at the wrong key or value."""
    table, key = fault.key
    if not isinstance(value, dict):
        yield replace(fault, key=(table,))
        return
    for name in value.keys() - {key}:
        yield replace(fault, key=(table, name), name=True)
    if key in value and not fits(value[key]):
        yield fault


def _misplaced(name: str, table: object) -> Iterator[Fault]:
    """The faults of a provider's table, which can only have a region."""
    provider = PROVIDERS[name]
    regions = provider.regions if isinstance(provider, Regional) else {}
    if not regions:
        message, hint = f"`{name}` has no regions to choose from", f"take `[{name}]` away"
        yield Fault((name,), message, hint)
        return
    if not isinstance(table, dict) or table.keys() != {"region"}:
        hint = f'write it like `{name} = {{ region = "{min(regions)}" }}`'
        yield Fault((name,), f"`{name}` is a table of `region`", hint)
    elif table["region"] not in regions:
        listed = " or ".join(f"`{each}`" for each in sorted(regions))
        message = f"`{name}` has no region `{table['region']}`"
        hint = f"{listed}; without one, the provider chooses"
        yield Fault((name, "region"), message, hint)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and bool(value.strip())


def is_public_url(value: object) -> bool:
    """Whether a provider could call a URL, or one that is simulated on this machine."""
    if not isinstance(value, str) or not value.isascii() or not re.fullmatch(_PLAIN_URL, value):
        return False
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    here = parts.scheme == "http" and host in _THIS_MACHINE
    whole = bool(host) and port != 0 and parts.username is None and len(value) <= _LONGEST_URL
    return whole and (parts.scheme == "https" or here)


def _is_amount(amount: object) -> bool:
    number = isinstance(amount, int | float) and not isinstance(amount, bool)
    return number and math.isfinite(amount) and amount >= 0  # type: ignore[arg-type,operator]  # it is a number
