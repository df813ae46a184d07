"""Where the key may go, and where pictures may come from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.purchasing.http.address_policy import (
    AddressScope,
    ForbiddenError,
    Target,
    fetchable,
    matches,
    may_have_key,
    resolved,
    scope_of,
    scope_of_url,
    secured,
)

BFL = "https://api.bfl.ai"
HOSTS = ("bfl.ai", "*.bfl.ai")
NAMES = {
    "delivery.example": ["93.184.216.34"],
    "inside.example": ["10.0.0.5"],
    "both.example": ["93.184.216.34", "10.0.0.5"],
    "localhost": ["127.0.0.1", "::1"],
    "metadata.example": ["169.254.169.254"],
}


async def _resolve(host: str) -> Sequence[str]:
    if host not in NAMES:
        raise OSError(host)
    return NAMES[host]


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        ("https://api.bfl.ai/v1/x", BFL, True),
        ("https://API.bfl.ai:443/v1/x", BFL, True),
        ("https://api.us3.bfl.ai/v1/get_result?id=1", BFL, True),
        ("http://api.us3.bfl.ai/v1/get_result?id=1", BFL, False),
        ("https://api.us3.bfl.ai:8443/", BFL, False),
        ("https://gateway.bfl.ai/v1/get_result?id=1", BFL, True),
        ("https://api.a.b.bfl.ai/", BFL, True),
        ("https://api.bfl.ai.evil.example/", BFL, False),
        ("https://evilbfl.ai/", BFL, False),
        ("https://bfl.ai.evil.example/", BFL, False),
        ("https://bfl.example/", BFL, False),
        ("https://user@api.bfl.ai/", BFL, False),
        ("https://api.bfl.ai@evil.example/", BFL, False),
        ("file:///etc/passwd", BFL, False),
        ("https://[bad", BFL, False),
        ("https://api.bfl.ai:99999/", BFL, False),
        ("http://127.0.0.1:8000/v1/x", "http://127.0.0.1:8000", True),
        ("http://127.0.0.1:8001/v1/x", "http://127.0.0.1:8000", False),
        ("https://api.bfl.ai/v1/x", "http://127.0.0.1:8000", False),
        ("https://api.bfl.ai/v1/x", "https://gateway.example", False),
        ("https://api.us2.bfl.ai/v1/x", "https://api.eu.bfl.ai/v1", True),
    ],
)
def test_key_goes_home_only(url: str, endpoint: str, expected: bool) -> None:  # noqa: FBT001  # a table
    """The endpoint's origin, and over https the provider's hosts if the endpoint is one of them."""
    assert expected is may_have_key(url, endpoint, HOSTS)


@given(st.from_regex(r"[a-z0-9.-]{1,12}(\.?bfl\.ai)?\.?", fullmatch=True))
def test_no_other_host_matches(host: str) -> None:
    """A domain's hosts are those below it, whatever they look like."""
    assert matches(host, ["*.bfl.ai"]) == (host.rstrip(".").endswith(".bfl.ai"))


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        ("http://gw.example/v1/x?id=1", "https://gw.example", "https://gw.example/v1/x?id=1"),
        ("http://gw.example:8443/x", "https://gw.example:8443/y", "https://gw.example:8443/x"),
        ("http://api.eu.bfl.ai/x", BFL, "https://api.eu.bfl.ai/x"),
        ("http://gw.example:80/x", "https://gw.example:8443", None),
        ("http://other.example/x", "https://gw.example", None),
        ("http://gw.example/x", "http://gw.example", None),
        ("https://gw.example/x", "https://gw.example", None),
        ("nonsense", "https://gw.example", None),
    ],
)
def test_what_is_met_over_https_is_asked_over_https(
    url: str, endpoint: str, expected: str | None
) -> None:
    """A server that does not know that TLS ends in front of it calls itself by http."""
    assert secured(url, endpoint, HOSTS) == (expected or url)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", AddressScope.PUBLIC),
        ("2606:2800:220:1::1", AddressScope.PUBLIC),
        ("127.0.0.1", AddressScope.LOOPBACK),
        ("::1", AddressScope.LOOPBACK),
        ("::ffff:127.0.0.1", AddressScope.LOOPBACK),
        ("10.1.2.3", AddressScope.PRIVATE),
        ("192.168.0.1", AddressScope.PRIVATE),
        ("::ffff:10.0.0.1", AddressScope.PRIVATE),
        ("2002:0a00:0001::1", AddressScope.PRIVATE),
        ("fd00::1", AddressScope.PRIVATE),
        ("169.254.169.254", AddressScope.LINK_LOCAL),
        ("fe80::1%eth0", AddressScope.LINK_LOCAL),
        ("0.0.0.0", AddressScope.SPECIAL),
        ("224.0.0.1", AddressScope.SPECIAL),
        ("100.64.0.1", AddressScope.SPECIAL),
        ("255.255.255.255", AddressScope.SPECIAL),
    ],
)
def test_addresses_are_told_apart(address: str, expected: AddressScope) -> None:
    """Every private range of addresses is recognized."""
    assert expected is scope_of(address)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1", AddressScope.LOOPBACK),
        ("http://localhost:1", AddressScope.LOOPBACK),
        ("https://inside.example", AddressScope.PRIVATE),
        ("https://both.example", AddressScope.PUBLIC),
        ("nonsense", AddressScope.SPECIAL),
    ],
)
def test_endpoint_is_private_only_as_a_whole(url: str, expected: AddressScope) -> None:
    """A name with a public address is public, whatever else it has."""
    assert expected is asyncio.run(scope_of_url(url, _resolve))


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://delivery.example/a.png?sig=x", AddressScope.PUBLIC),
        ("https://delivery.example/a.png", AddressScope.LOOPBACK),
        ("http://localhost:8000/a.png", AddressScope.LOOPBACK),
        ("http://127.0.0.1:8000/a.png", AddressScope.LOOPBACK),
        ("https://inside.example/a.png", AddressScope.PRIVATE),
        ("http://inside.example/a.png", AddressScope.PRIVATE),
    ],
)
def test_pictures_come_from_public_https_or_from_where_the_endpoint_is(
    url: str, endpoint: AddressScope
) -> None:
    """An allowed URL comes back with the addresses that were checked."""
    target = asyncio.run(fetchable(url, endpoint, _resolve, None))

    assert target.url == url
    assert target.addresses


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://delivery.example/a.png", AddressScope.PUBLIC),
        ("http://delivery.example/a.png", AddressScope.LOOPBACK),
        ("https://inside.example/a.png", AddressScope.PUBLIC),
        ("https://both.example/a.png", AddressScope.PUBLIC),
        ("https://localhost/a.png", AddressScope.PUBLIC),
        ("https://metadata.example/latest", AddressScope.PUBLIC),
        ("http://169.254.169.254/latest", AddressScope.LOOPBACK),
        ("http://10.0.0.5/a.png", AddressScope.LOOPBACK),
        ("https://0.0.0.0/a.png", AddressScope.SPECIAL),
        ("file:///etc/passwd", AddressScope.LOOPBACK),
        ("https://user:pass@delivery.example/a.png", AddressScope.PUBLIC),
        ("data:image/png;base64,AAAA", AddressScope.PUBLIC),
    ],
)
def test_everything_else_is_forbidden(url: str, endpoint: AddressScope) -> None:
    """No clear text on the internet, no private network, no other scheme."""
    with pytest.raises(ForbiddenError):
        asyncio.run(fetchable(url, endpoint, _resolve, None))


def test_behind_a_proxy_names_are_left_to_it() -> None:
    """A proxy resolves names; addresses in URLs are checked all the same."""
    url, proxy = "https://unknown.example/a.png", "http://proxy.example:3128"

    assert Target(url, "unknown.example", (), proxy) == asyncio.run(
        fetchable(url, AddressScope.PUBLIC, _resolve, proxy)
    )
    literal = "https://93.184.216.34/a.png"
    assert Target(literal, "93.184.216.34", ("93.184.216.34",), proxy) == asyncio.run(
        fetchable(literal, AddressScope.PUBLIC, _resolve, proxy)
    )
    for refused, message in (
        ("https://10.0.0.1/a", "the picture's URL points into a private network, at `10.0.0.1`"),
        ("http://unknown.example/", "the picture's URL is not https, at `unknown.example`"),
    ):
        with pytest.raises(ForbiddenError) as caught:
            asyncio.run(fetchable(refused, AddressScope.PUBLIC, _resolve, proxy))
        assert str(caught.value) == message


def test_machine_resolves_names() -> None:
    """The real resolver gives each address of this machine once."""
    addresses = asyncio.run(resolved("localhost"))

    assert {scope_of(address) for address in addresses} == {AddressScope.LOOPBACK}
    assert len(addresses) == len(set(addresses))


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        ("http://a.example:80/x", "http://A.example", True),
        ("http://a.example:443/x", "http://a.example", False),
        ("https://A.example:443/x", "https://a.example", True),
        ("https://a.example:80/x", "https://a.example", False),
        ("http://a.example/x", "https://a.example", False),
    ],
)
def test_what_is_one_origin(url: str, endpoint: str, expected: bool) -> None:  # noqa: FBT001 - parametrized
    """A host in any case, and a port whether it is written or usual."""
    assert may_have_key(url, endpoint, ()) is expected
