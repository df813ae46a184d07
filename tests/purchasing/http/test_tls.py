"""Over real TLS: the address is pinned, the certificate is checked for the host's name."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flux2build.providers import bfl
from flux2build.providers.contract import Refusal, Refused
from flux2build.purchasing.http import Client, ClientDeps, Key
from flux2build.purchasing.http.address_policy import AddressScope, ProxyFor, directly
from flux2build.purchasing.http.clock import Limits, Monotonic
from flux2build.purchasing.http.download import Downloads, FetchError
from flux2build.purchasing.http.pool import Pool, PoolConfig
from tests.proxies import proxy, socks

PICTURE: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x01\0\0\0\x007n\xf9$\0\0\0\0IEND\xaeB`\x82"
)
"""A PNG from its header to its end."""
OPENSSL: Final = shutil.which("openssl")

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="makes its certificate with openssl")


async def _resolve(host: str) -> Sequence[str]:
    assert host.endswith(".example")
    return ["127.0.0.2", "127.0.0.1"]


async def _answer(request: Request) -> Response:
    return Response(PICTURE, headers={"x-host": request.headers["host"]})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `delivery.example` and its key, made for this run."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    assert OPENSSL is not None
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=delivery.example"),
            *("-addext", "subjectAltName=DNS:delivery.example"),
            *("-out", str(files[0]), "-keyout", str(files[1])),
        ],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture(scope="module")
def port(certificate: tuple[Path, Path]) -> Iterator[int]:
    """Where a TLS server listens, on 127.0.0.1 only."""
    config = uvicorn.Config(
        Starlette(routes=[Route("/a.png", _answer)]),
        ssl_certfile=certificate[0],
        ssl_keyfile=str(certificate[1]),
        log_level="critical",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def _fetch(url: str, trusted: Path, proxy: ProxyFor = directly) -> bytes:
    async def inside() -> bytes:
        clock, authorities = Monotonic(), ssl.create_default_context(cafile=str(trusted))
        line = Pool(PoolConfig(1, 2, 2, proxy, certificates=authorities), clock)
        downloads = Downloads(line, clock, Limits(), _resolve, proxy)
        try:
            return await downloads.fetch(url, AddressScope.LOOPBACK)
        finally:
            await line.close()

    return asyncio.run(inside())


def test_pinned_address_is_verified_under_its_name(
    certificate: tuple[Path, Path], port: int
) -> None:
    """The host's second address answers, with a certificate for the host: the picture comes."""
    assert _fetch(f"https://delivery.example:{port}/a.png", certificate[0]) == PICTURE


def test_a_proxy_carries_what_is_fetched(certificate: tuple[Path, Path], port: int) -> None:
    """Behind a proxy names are looked up there, and the certificate is checked all the same."""
    with proxy() as (url, asked):
        assert (
            _fetch(f"https://delivery.example:{port}/a.png", certificate[0], lambda _: url)
            == PICTURE
        )
        with pytest.raises(FetchError, match="its certificate is not trusted"):
            _fetch(f"https://other.example:{port}/a.png", certificate[0], lambda _: url)

    assert asked == [f"CONNECT {each}.example:{port} HTTP/1.1" for each in ("delivery", "other")]


@pytest.mark.parametrize("login", ["", "me:secret"])
def test_a_socks_proxy_carries_what_is_fetched(
    certificate: tuple[Path, Path], port: int, login: str
) -> None:
    """A SOCKS5 proxy, with a login or without, is given the name, and the certificate is checked."""
    with socks(login) as (url, asked):
        assert (
            _fetch(f"https://delivery.example:{port}/a.png", certificate[0], lambda _: url)
            == PICTURE
        )
        with pytest.raises(FetchError, match="its certificate is not trusted"):
            _fetch(f"https://other.example:{port}/a.png", certificate[0], lambda _: url)

    assert asked == [f"{each}.example:{port}" for each in ("delivery", "other")]


@pytest.mark.parametrize("way", [proxy, socks])
def test_the_api_is_asked_through_the_proxy(
    certificate: tuple[Path, Path],
    port: int,
    way: Callable[[], AbstractContextManager[tuple[str, list[str]]]],
) -> None:
    """Its connection is made there, with the authorities that the user names."""
    endpoint, trusted = f"https://delivery.example:{port}", ssl.create_default_context()
    trusted.load_verify_locations(cafile=str(certificate[0]))

    async def connected(through: str) -> Refused | None:
        deps = ClientDeps(proxy=lambda _: through, certificates=trusted)
        async with Client(bfl.PROVIDER, Key("k" * 20), endpoint, deps=deps) as client:
            left = await client.balance()
            assert isinstance(left, Refused)
            assert "certificate" not in left.message
            return await client.connect()

    with way() as (url, asked):
        assert asyncio.run(connected(url)) is None
    assert len(asked) == 2
    assert {line.removeprefix("CONNECT ").split()[0] for line in asked} == {
        f"delivery.example:{port}"
    }


def test_each_host_has_its_own_way(certificate: tuple[Path, Path], port: int) -> None:
    """A picture whose host needs no proxy is fetched from its address, whatever the endpoint needs."""
    with proxy("502 Bad Gateway") as (url, asked):

        def through(target: str) -> str | None:
            return None if "delivery" in target else url

        assert _fetch(f"https://delivery.example:{port}/a.png", certificate[0], through) == PICTURE
        with pytest.raises(FetchError, match="the proxy says 502 Bad Gateway"):
            _fetch(f"https://other.example:{port}/a.png", certificate[0], through)

    assert asked == [f"CONNECT other.example:{port} HTTP/1.1"]


def test_certificate_of_another_host_is_refused(certificate: tuple[Path, Path], port: int) -> None:
    """A name that the certificate does not hold is not fetched from."""
    with pytest.raises(FetchError, match="its certificate is not trusted"):
        _fetch(f"https://other.example:{port}/a.png", certificate[0])


@pytest.mark.parametrize("way", [None, proxy, socks])
def test_an_unknown_authority_is_told_at_once(
    port: int, way: Callable[[], AbstractContextManager[tuple[str, list[str]]]] | None
) -> None:
    """Nothing is ordered and nothing tried again: only the user can say whom to trust."""

    async def connected(through: str | None) -> Refused | None:
        deps, endpoint = ClientDeps(proxy=lambda _: through), f"https://localhost:{port}"
        async with Client(bfl.PROVIDER, Key("k" * 20), endpoint, deps=deps) as client:
            return await client.connect()

    with way() if way else nullcontext(("", [])) as (through, asked):
        refused = asyncio.run(connected(through or None))

    assert refused is not None
    assert refused.refusal is Refusal.UNTRUSTED
    assert "its certificate is not trusted" in refused.message
    assert len(asked) == (way is not None)
