"""Which hosts may have the key, and which addresses may be fetched from."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host name; raises `OSError` when there are none."""

ProxyFor = Callable[[str], str | None]
"""The URL of the proxy for a URL; None if its host is reached directly."""


class AddressScope(StrEnum):
    """Where an address lies."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    SPECIAL = "special"


class ForbiddenError(Exception):
    """A URL that must not be used."""


class Target(Struct, frozen=True):
    """A URL that was checked, and the addresses to connect to."""

    url: str
    host: str
    addresses: tuple[str, ...]
    """Empty where a proxy resolves names."""
    proxy: str | None = None
    """The proxy to go through."""


def directly(_url: str) -> None:
    """Use no proxy for any host."""


async def resolved(host: str) -> Sequence[str]:
    """The addresses of a host, as the machine resolves it."""
    loop = asyncio.get_running_loop()
    entries = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def scope_of(address: str) -> AddressScope:
    """Where an IP address lies; an IPv4 address inside an IPv6 one counts as itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    if ip.is_loopback:
        return AddressScope.LOOPBACK
    if ip.is_link_local:
        return AddressScope.LINK_LOCAL
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return AddressScope.SPECIAL
    if ip.is_global:
        return AddressScope.PUBLIC
    return AddressScope.PRIVATE if ip.is_private else AddressScope.SPECIAL


def literal(host: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host matches a pattern; `*.bfl.ai` stands for all hosts below that domain."""
    name = host.lower().rstrip(".")
    return any(
        name.endswith(pattern.removeprefix("*")) if pattern.startswith("*.") else name == pattern
        for pattern in map(str.lower, patterns)
    )


def may_have_key(url: str, endpoint: str, hosts: Iterable[str]) -> bool:
    """Whether the key may be sent to a URL.

    Always to the endpoint's own origin. Over https to the provider's other
    hosts too, unless the endpoint was moved away from them: then the key may
    be somebody else's.
    """
    target, base = split(url), split(endpoint)
    if target is None or base is None or target.username is not None:
        return False
    if _origin(target) == _origin(base):
        return True
    patterns = list(hosts)
    unmoved = base.scheme == "https" and matches(base.hostname or "", patterns)
    return (
        unmoved
        and target.scheme == "https"
        and _origin(target)[2] == 443
        and matches(target.hostname or "", patterns)
    )


def secured(url: str, endpoint: str, hosts: Iterable[str]) -> str:
    """A URL with https, if its host is reached over https anyway.

    A server behind a proxy that ends TLS may name itself with http.
    """
    target, base = split(url), split(endpoint)
    if target is None or base is None or (target.scheme, base.scheme) != ("http", "https"):
        return url
    home = (target.hostname, target.port) == (base.hostname, base.port)
    allowed = target.port is None and matches(target.hostname or "", hosts)
    return f"https{url[len('http') :]}" if home or allowed else url


def split(url: str) -> SplitResult | None:
    """The parts of an http or https URL that has a host; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname and port != 0 else None


def _origin(url: SplitResult) -> tuple[str, str, int]:
    default = 443 if url.scheme == "https" else 80
    return url.scheme, (url.hostname or "").lower(), url.port or default


async def scope_of_url(url: str, resolve: Resolve) -> AddressScope:
    """Where a URL's host lies: the scope of all its addresses, public if they differ.

    Raises:
        OSError: the host has no address.
    """
    parts = split(url)
    host = parts.hostname if parts else None
    if host is None:
        return AddressScope.SPECIAL
    addresses = [host] if literal(host) else await resolve(host)
    scopes = {scope_of(address) for address in addresses}
    return scopes.pop() if len(scopes) == 1 else AddressScope.PUBLIC


async def fetchable(
    url: str, endpoint: AddressScope, resolve: Resolve, proxy: str | None
) -> Target:
    """A URL that a picture may be fetched from, without the key.

    Pictures are fetched over https, from public addresses; where the endpoint itself
    is on this machine or in a private network, from there as well. The addresses
    that were checked are the ones to connect to.

    Raises:
        ForbiddenError: it may not.
        OSError: the host has no address.
    """
    parts = split(url)
    if parts is None or parts.hostname is None or parts.username is not None:
        raise ForbiddenError("the picture's URL is not a plain https URL")
    host = parts.hostname
    if proxy is not None and not literal(host):
        if parts.scheme != "https":
            raise ForbiddenError(f"the picture's URL is not https, at `{host}`")
        return Target(url, host, (), proxy)
    addresses = tuple([host] if literal(host) else await resolve(host))
    for address in addresses:
        scope = scope_of(address)
        if scope not in (AddressScope.PUBLIC, endpoint) or scope is AddressScope.SPECIAL:
            raise ForbiddenError(f"the picture's URL points into a {scope} network, at `{host}`")
        if parts.scheme != "https" and scope is AddressScope.PUBLIC:
            raise ForbiddenError(f"the picture's URL is not https, at `{host}`")
    return Target(url, host, addresses, proxy)
