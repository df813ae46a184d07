"""An HTTP server with the paths of bazel-remote: `https://store.example/team`.

`flux2build store serve DIR` is one. A file server without `If-None-Match: *` stores bytes and
receipts, but not claims; a server that does not list its keys cannot be tidied up remotely.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from msgspec import MsgspecError, Struct, json

from flux2build.errors import UsageError
from flux2build.sharing.contract import (
    TOKEN_VARIABLE,
    Access,
    Backend,
    Kind,
    Listed,
    Unreachable,
    plain,
)
from flux2build.sharing.keys import Space, is_key, most, space_of

if TYPE_CHECKING:
    from flux2build.sharing.exchanges import Answer, Exchanges

_PAUSES: Final = (0.002, 0.01)
"""The pauses before retries, as shares of the patience; a value shows if it was created twice."""
_HEAD_START: Final = 0.005
"""The head start of a request over an overlapping one, as a share of the patience."""
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
"""Answers after which a request is tried again."""
_PAGE: Final = 4 * 2**20
"""Most bytes of a list of keys."""
_WRITTEN: Final = frozenset({200, 201, 202, 204})
_ABSENT: Final = frozenset({404, 410})
_FIRST: Final = {"if-none-match": "*"}


class _Page(Struct):
    keys: list[Listed]
    more: bool = False


_PAGES: Final = json.Decoder(_Page)


class _Call(Struct, frozen=True):
    """A request, and the limits of its answer."""

    method: str
    path: str
    content: bytes | None = None
    headers: Mapping[str, str] = {}
    most: int = 2**20
    large: bool = False
    """Whether a picture is transferred, which may take longer."""


class Server:
    """Values at the paths of their keys."""

    keeps_bytes = True

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        exchanges: Exchanges,
        patience: float,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = headers
        self._exchanges = exchanges
        self._patience = patience
        self._discreet = not headers or self._url.startswith("https:")
        """Whether the token or the password may be sent."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""
        answer = self._ask("GET", key)
        return None if answer.status in _ABSENT else self._expected(answer, {200}).body

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        answer = self._ask("HEAD", key)
        return answer.status not in _ABSENT and bool(self._expected(answer, {200, 204}))

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""
        self._expected(self._put(key, data), _WRITTEN)

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""
        answer = self._put(key, data, _FIRST)
        return answer.status != 412 and bool(self._expected(answer, _WRITTEN))

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether exactly one of two overlapping requests to create a key succeeds.

        Apache's `mod_dav` and others look for the file before they have read the body.
        """
        from flux2build.sharing.exchanges import ExchangeError, Request

        self.put(key, one)  # this creates the folder, where that is needed
        self.delete(key)
        second: list[Answer] = []

        def overlap() -> None:
            time.sleep(_HEAD_START * self._patience)  # for a server that is slow to look
            second.append(self._put(key, other, _FIRST))

        headers = {**self._headers, **_FIRST}
        request = Request("PUT", f"{self._url}/{key}", headers, one)
        try:
            first = self._exchanges.ask_around(request, overlap, self._patience)
        except ExchangeError as error:
            raise self._unreachable(str(error)) from None
        won = [answer.status in _WRITTEN for answer in (first, *second)]
        if not any(won):
            self._expected(first, _WRITTEN)
        return won.count(True) == 1

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""
        self._expected(self._ask("DELETE", key), _WRITTEN | _ABSENT)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, in order, a page at a time."""
        space, after, more = Space(prefix.partition("/")[0]), "", True
        while more:
            page = self._page(space, after)
            keys = [each for each in page.keys if each.key > after and is_key(each.key)]
            yield from (each for each in keys if each.key.startswith(prefix))
            more = page.more and bool(keys)
            after = max((each.key for each in keys), default="")

    def sweep(self, before: float, *, remove: bool) -> int:  # noqa: ARG002 - whenever it was
        """Always 0: unfinished files are the server's concern."""
        return 0

    def at_once(self) -> AbstractContextManager[None]:
        """Answer each question by itself."""
        return nullcontext()

    def _page(self, space: Space, after: str) -> _Page:
        answer = self._exchange(_Call("GET", f"{space}/?after={after}", most=_PAGE))
        try:
            return _PAGES.decode(self._expected(answer, {200}).body)
        except (MsgspecError, RecursionError):
            raise self._unreachable("it does not list its keys") from None

    def _put(self, key: str, data: bytes, headers: Mapping[str, str] = {}) -> Answer:
        answer = self._ask("PUT", key, data, headers)
        if answer.status in {404, 409}:  # WebDAV wants the folder to be created first
            self._exchange(_Call("MKCOL", f"{space_of(key)}/"))
            answer = self._ask("PUT", key, data, headers)
        return answer

    def _ask(
        self,
        method: str,
        key: str,
        content: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        large = space_of(key) is Space.BYTES and method != "HEAD"
        return self._exchange(_Call(method, key, content, headers, most(key), large))

    def _exchange(self, call: _Call) -> Answer:
        """The answer to a request, which is repeated where that may help.

        Raises:
            Unreachable: there is none.
        """
        from flux2build.sharing.exchanges import ExchangeError, Request

        self._require_discretion()
        headers = {**self._headers, **call.headers}
        seconds = self._patience if call.large else self._patience / 4
        request = Request(call.method, f"{self._url}/{call.path}", headers, call.content)
        # By the next try, the key of a removed claim may hold another machine's claim.
        for pause in () if call.method == "DELETE" else _PAUSES:
            try:
                answer = self._exchanges.ask(request, call.most, seconds)
                if answer.status not in _AGAIN:
                    return answer
            except ExchangeError as error:
                if not error.passing:
                    raise self._unreachable(str(error)) from None
            time.sleep(pause * self._patience)  # a backend blocks: callers run it in threads
        try:
            return self._exchanges.ask(request, call.most, seconds)
        except ExchangeError as error:
            raise self._unreachable(str(error)) from None

    def _expected(self, answer: Answer, statuses: set[int] | frozenset[int]) -> Answer:
        if answer.status in statuses:
            return answer
        if 300 <= answer.status < 400:
            hint = "redirects are not followed: name its final address"
            raise self._unreachable(f"it redirects (HTTP {answer.status})", hint)
        raise self._unreachable(f"it answers HTTP {answer.status}", _HINTS.get(answer.status))

    def _unreachable(self, why: str, hint: str | None = None) -> Unreachable:
        message = f"the team's store `{plain(self._url)}` cannot be used: {why}"
        usual = (
            _TRUST
            if "certificate" in why
            else "see whether the address is right, and its server runs"
        )
        return Unreachable(message, hint=hint or usual)

    def _require_discretion(self) -> None:
        """Refuse to send a token or a password in clear to a host outside the local network.

        Raises:
            Unreachable: it would be.
        """
        if self._discreet:
            return
        parts = urlsplit(self._url)
        if not _near(parts.hostname or "", parts.port or 80):
            why = "the token or password is not sent in clear"
            raise self._unreachable(why, "name an https URL")
        self._discreet = True


_TRUST: Final = '`ca = "company.pem"` under `[network]` in your configuration names whom you trust'
_HINTS: Final = {
    401: f"`{TOKEN_VARIABLE}` holds the token, or the URL a user and password",
    403: f"`{TOKEN_VARIABLE}` holds the token, or the URL a user and password",
    405: "its server does not take what is written: `flux2build store serve DIR` does",
    404: "see whether the path of the URL is right",
    413: "its server takes smaller files only",
    507: "its disk is full",
}


def _near(host: str, port: int) -> bool:
    """Whether all addresses of a host are of this machine or a private network."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = {ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries}
    return all(each.is_private or each.is_link_local for each in addresses)


def _credentials(parts: SplitResult, token: str) -> dict[str, str]:
    """The header that lets a client in: the URL's user and password, or the token."""
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    if not token:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        hint = "a token is one word of plain ASCII characters"
        raise UsageError(f"`{TOKEN_VARIABLE}` does not hold a token", hint=hint)
    return {"authorization": f"Bearer {token}"}


class ServerKind:
    """Stores at a server of HTTP."""

    prefixes: tuple[str, ...] = ("https://", "http://")
    example = "https://store.example/team"

    def open(self, url: str, access: Access) -> Backend:
        """The backend of a URL.

        Raises:
            UsageError: it is not the URL of a server, or the token cannot be one.
        """
        from flux2build.sharing.exchanges import Exchanges

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if not parts.hostname or port == 0 or parts.query or parts.fragment:
            message = f"`{plain(url)}` is not the URL of a store's server"
            if parts.query or parts.fragment:
                message += ": something follows it, after `?` or `#`"
            raise UsageError(message, hint=f"write it like `{self.example}`")
        headers = _credentials(parts, access.value(TOKEN_VARIABLE))
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        exchanges = Exchanges(access.proxy(bare), access.certificates())
        return Server(bare, headers, exchanges, access.patience)


BACKEND: Final[Kind] = ServerKind()
