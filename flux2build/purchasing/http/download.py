"""Fetches a finished picture: without the key, from allowed addresses, bounded and whole."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import unquote_to_bytes, urljoin

import httpx
from msgspec import Struct

from flux2build.images.formats.lookup import examine
from flux2build.purchasing.http.address_policy import (
    AddressScope,
    ForbiddenError,
    ProxyFor,
    Resolve,
    Target,
    directly,
    fetchable,
    literal,
)
from flux2build.purchasing.http.clock import Clock, Limits, too_slow
from flux2build.purchasing.http.pool import Pool
from flux2build.purchasing.http.sending import ExchangeError

REDIRECTS: Final = 3

_GONE: Final = frozenset({403, 404, 410})
"""The answers of a picture's host once the address has expired."""


class FetchError(Exception):
    """A picture could not be fetched.

    `final` if a retry cannot help, `gone` if the picture's address is void, `untrusted` if a
    certificate is the reason.
    """

    def __init__(
        self, message: str, *, final: bool = False, gone: bool = False, untrusted: bool = False
    ) -> None:
        super().__init__(message)
        self.final, self.gone, self.untrusted = final or untrusted, gone, untrusted


class Downloads(Struct, frozen=True):
    """Fetches pictures from public addresses, and from the network in which the endpoint lies."""

    pool: Pool
    clock: Clock
    limits: Limits
    resolve: Resolve
    proxy: ProxyFor = directly

    async def fetch(self, url: str, endpoint: AddressScope) -> bytes:
        """The bytes at a URL, all of them; whether they are a whole picture is not checked.

        Raises:
            FetchError: they cannot be fetched, or not all of them arrive.
        """
        started = self.clock.now()
        for _ in range(1 + REDIRECTS):
            try:
                target = await fetchable(url, endpoint, self.resolve, self.proxy(url))
                answer = await self._hop(target, started)
            except ForbiddenError as error:
                raise FetchError(str(error), final=True) from None
            except (OSError, UnicodeError):
                raise FetchError("the picture's host has no address") from None
            except ExchangeError as error:
                text = f"the download failed: {error}"
                raise FetchError(text, untrusted=error.untrusted) from None
            if isinstance(answer, bytes):
                return answer
            try:
                url = urljoin(url, answer)
            except ValueError:
                raise FetchError("the picture's URL redirects to no URL", final=True) from None
        raise FetchError("the picture's URL redirects too often", final=True)

    async def _hop(self, target: Target, started: float) -> bytes | str:
        """The body, or the target of a redirect; each address of the host is tried."""
        *first, last = target.addresses or ("",)
        for address in first:
            try:
                return await self._get(target, address, started)
            except ExchangeError as error:
                if error.sent:
                    raise
        return await self._get(target, last, started)

    async def _get(self, target: Target, address: str, started: float) -> bytes | str:
        url, headers, extensions = _pinned(target, address)
        seconds = self.limits.picture_seconds
        stream = self.pool.stream(url, headers, extensions, seconds, target.proxy)
        async with stream as response:
            if response.has_redirect_location:
                return response.headers["location"]
            if response.status_code != 200:
                status = response.status_code
                raise FetchError(f"the picture's URL answers HTTP {status}", gone=status in _GONE)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchError("the picture arrives compressed", final=True)
            return await self._body(response, started)

    async def _body(self, response: httpx.Response, started: float) -> bytes:
        length = response.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else None
        self._bound(announced or 0)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            self._bound(len(body))
            if too_slow(len(body), self.clock.now() - started, self.limits):
                raise FetchError("the download is too slow")
        if announced not in (None, len(body)):
            raise FetchError(f"the download is cut short: {len(body)} of {announced} bytes")
        # A body that only ends with the connection may be cut: its last bytes have to show.
        framed = announced is not None or "transfer-encoding" in response.headers
        if not body or not (framed or whole(bytes(body))):
            raise FetchError(f"the download is cut short after {len(body)} bytes")
        return bytes(body)

    def _bound(self, size: int) -> None:
        if size > self.limits.picture_bytes:
            most = self.limits.picture_bytes // 2**20
            raise FetchError(f"the picture is larger than {most} MiB", final=True)


def _pinned(target: Target, address: str) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
    """The request to an address that was checked, in the name of its host.

    Resolving the name again could lead to an unchecked address.
    """
    url = httpx.URL(target.url)
    if not address or literal(target.host):
        return url, {}, {}
    named = {"host": url.netloc.decode("ascii")}
    return url.copy_with(host=address), named, {"sni_hostname": target.host}


def embedded(url: str) -> bytes:
    """The bytes that a `data:` URL holds.

    Raises:
        FetchError: it cannot be decoded.
    """
    head, _, text = url.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(text)
    try:
        return base64.b64decode(text.translate(_PLAIN) + "==")
    except ValueError:
        raise FetchError("the picture in the answer is not base64") from None


_PLAIN: Final = str.maketrans("-_", "+/")
"""The letters that base64 for URLs writes differently."""


def whole(data: bytes) -> bool:
    """Whether a picture has its end; any other file is only checked for being empty."""
    return bool(data) and examine(data).end is not None
