"""Only the provider's own hosts see the key, and every call with it is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from flux2build.errors import SystemFault
from flux2build.providers import bfl
from flux2build.providers.contract import Call, Refusal, Refused, Reply
from flux2build.purchasing.http import Key, Limits, Monotonic
from flux2build.purchasing.http.address_policy import AddressScope, ForbiddenError
from flux2build.purchasing.http.auth import Auth, checked_endpoint
from flux2build.purchasing.http.pool import Bounds, Pool, PoolConfig
from flux2build.purchasing.http.sending import Sending

SECRET: Final = "canary-0123456789abcdef"
ENDPOINT: Final = "https://api.bfl.ai"
LIMITS: Final = Limits(reply=7, reply_bytes=1000, picture_bytes=300)


class Noting(Pool):
    """Notes how it is asked, and answers at once."""

    asked: list[tuple[Call, Mapping[str, str], Bounds, Sending | None]]

    async def exchange(
        self,
        call: Call,
        secret: Mapping[str, str],
        bounds: Bounds,
        sending: Sending | None = None,
    ) -> Reply:
        """Nothing, in any case."""
        self.asked = [(call, secret, bounds, sending)]
        return Reply(204, {}, b"")


async def _resolve(host: str) -> Sequence[str]:
    if host == "unknown.example":
        raise OSError(host)
    return ["10.0.0.1"] if host == "inside.example" else ["93.184.216.1"]


def _auth(endpoint: str = ENDPOINT, key: Key | None = None) -> Auth:
    return Auth(bfl.PROVIDER, endpoint, key or Key(SECRET), LIMITS, _resolve)


def _asked(auth: Auth, url: str, **how: Any) -> tuple[Mapping[str, str], Bounds, Sending | None]:
    async def inside() -> tuple[Call, Mapping[str, str], Bounds, Sending | None]:
        pool = Noting(PoolConfig(1, 1, 1), Monotonic())
        assert await auth.call(pool, Call("GET", url), **how) == Reply(204, {}, b"")
        return pool.asked[0]

    call, secret, bounds, sending = asyncio.run(inside())
    assert call == Call("GET", url)
    return secret, bounds, sending


def test_a_call_is_bounded() -> None:
    """An answer may be as long as a reply, or as a picture in base64 besides; and takes so long at most."""
    usual = _asked(_auth(), f"{ENDPOINT}/v1")
    sending = Sending()
    pictured = _asked(_auth(), f"{ENDPOINT}/v1", pictured=True, patience=60, sending=sending)

    assert usual == ({"x-key": SECRET}, Bounds(1000, 7), None)
    assert pictured == ({"x-key": SECRET}, Bounds(1400, 60), sending)


@pytest.mark.parametrize(
    ("url", "host"), [("https://other.example:80/a?b", "other.example"), ("nonsense", "no host")]
)
def test_the_key_is_for_the_providers_hosts(url: str, host: str) -> None:
    """A call to another host is an error that names it, and nothing more of its URL."""
    with pytest.raises(ForbiddenError) as caught:
        _asked(_auth(), url)

    assert str(caught.value) == f"`{host}` is not a host of `bfl`"


@pytest.mark.parametrize("host", ["plain.example", "unknown.example"])
def test_the_key_is_not_sent_in_clear(host: str) -> None:
    """Over http it goes into private networks only; else the error says what to change."""
    with pytest.raises(SystemFault) as caught:
        _asked(_auth(f"http://{host}"), f"http://{host}/v1")

    (problem,) = caught.value.problems
    assert problem.message == "the key of `bfl` is not sent in clear"
    assert problem.rows == (("endpoint", f"http://{host}"),)
    assert problem.hint == "give `FLUX2BUILD_BFL_URL` an https URL"
    assert _asked(_auth("http://inside.example"), "http://inside.example/v1")[0]


@pytest.mark.parametrize(
    "endpoint", ["api.bfl.ai", "https://me:pw@a.example", "https://a.b?c", "https://a.b#c"]
)
def test_what_is_no_endpoint(endpoint: str) -> None:
    """It is shown without what may be secret, with the variable that names it and an example."""
    with pytest.raises(SystemFault) as caught:
        checked_endpoint(endpoint, bfl.PROVIDER)

    (problem,) = caught.value.problems
    assert problem.message == "`FLUX2BUILD_BFL_URL` is not a URL of an API"
    assert [name for name, _ in problem.rows] == ["endpoint"]
    assert "pw" not in str(problem.rows)
    assert problem.hint == "expected something like `https://api.example.com`"
    assert checked_endpoint(ENDPOINT, bfl.PROVIDER) == ENDPOINT


def test_where_the_endpoint_lies_is_looked_up_until_it_is_known() -> None:
    """An endpoint without an address counts as public; with one, it is looked up once."""
    lookups: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        lookups.append(host)
        if len(lookups) == 1:
            raise OSError(host)
        return ["127.0.0.1"]

    async def scopes(auth: Auth) -> list[AddressScope]:
        return [await auth.scope() for _ in range(3)]

    found = asyncio.run(scopes(Auth(bfl.PROVIDER, "https://a.example", None, LIMITS, resolve)))

    assert found == [AddressScope.PUBLIC, AddressScope.LOOPBACK, AddressScope.LOOPBACK]
    assert lookups == ["a.example"] * 2


def test_the_key_is_masked() -> None:
    """A text that repeats the key is known for it, and is shown and kept without it."""
    auth = _auth()

    assert auth.holds_key(f"task-{SECRET}")
    assert not auth.holds_key("task-1")
    assert SECRET not in auth.masked(f"task-{SECRET}")
    assert auth.masked("task-1") == "task-1"
    refused = auth.redacted_answer(Refused(Refusal.UNREACHABLE, f"bad {SECRET}"))
    assert SECRET not in refused.message
    assert Auth(bfl.PROVIDER, ENDPOINT, None, LIMITS, _resolve).masked(SECRET) == SECRET
