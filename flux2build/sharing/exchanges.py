"""Exchanges with a store's server by HTTP, each bounded in bytes and seconds as a whole.

httpx limits only the seconds between two bytes, so a loop in a thread of its own limits the whole
exchange. Redirects, the environment and cookies are ignored.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from typing import Final

import httpx
from msgspec import Struct
from msgspec.structs import replace

_CONNECT: Final = 10.0
_AT_ONCE: Final = 32
_SHORT: Final = 2**16
"""Most bytes of an answer whose body is ignored."""
_PASSING: Final = (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_HEADERS: Final = {"user-agent": "flux2build", "accept-encoding": "identity"}


class ExchangeError(Exception):
    """There is no answer, or an incomplete one; the text says why.

    `passing` says that another try may help.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class Request(Struct, frozen=True):
    """A request to a server."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None


class Answer(Struct, frozen=True):
    """A server's answer, in full."""

    status: int
    body: bytes = b""


class Exchanges:
    """Connections to one server, which any thread may use."""

    def __init__(self, proxy: str | None, certificates: ssl.SSLContext | None) -> None:
        for name in ("httpx", "httpcore"):
            # Their INFO records hold URLs in full.
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(
            proxy=proxy,
            verify=certificates or _usual(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=_CONNECT),
            limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE),
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(self._loop,), daemon=True).start()
        weakref.finalize(self, _close, self._loop, self._client)

    def ask(self, request: Request, most: int, seconds: float) -> Answer:
        """The answer to a request, limited in bytes and seconds.

        Raises:
            ExchangeError: there is none.
        """
        return self._answer(_exchange(self._client, request, most, seconds))

    def ask_around(
        self, request: Request, meanwhile: Callable[[], object], seconds: float
    ) -> Answer:
        """The answer to a request; `meanwhile` runs once half of its content is sent.

        Raises:
            ExchangeError: there is none.
        """
        content = request.content or b""

        async def halves() -> AsyncIterator[bytes]:
            yield content[: len(content) // 2]
            await asyncio.to_thread(meanwhile)
            yield content[len(content) // 2 :]

        headers = {**request.headers, "content-length": str(len(content))}
        halved = replace(request, headers=headers, content=None)
        return self._answer(_exchange(self._client, halved, _SHORT, seconds, halves()))

    def _answer(self, coroutine: Coroutine[None, None, Answer]) -> Answer:
        future: Future[Answer] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C, too: the answer is not needed any more
            future.cancel()
            raise


@cache
def _usual() -> ssl.SSLContext:
    """The usual authorities; they are read once, because reading them is slow."""
    return httpx.create_ssl_context(trust_env=False)


async def _exchange(
    client: httpx.AsyncClient,
    request: Request,
    most: int,
    seconds: float,
    pieces: AsyncIterator[bytes] | None = None,
) -> Answer:
    """The answer to a request whose content may be sent in pieces."""
    try:
        async with asyncio.timeout(seconds):
            return await _received(client, request, most, pieces or request.content)
    except TimeoutError:
        raise ExchangeError(f"it takes longer than {seconds:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise ExchangeError(_reason(error), passing=isinstance(error, _PASSING)) from None


async def _received(
    client: httpx.AsyncClient,
    request: Request,
    most: int,
    content: bytes | AsyncIterator[bytes] | None,
) -> Answer:
    headers = {**_HEADERS, **request.headers}
    stream = client.stream(request.method, request.url, headers=headers, content=content)
    async with stream as response:
        client.cookies.clear()
        if not response.is_success:
            return Answer(response.status_code)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ExchangeError("the answer is compressed, unasked")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > most:
                raise ExchangeError(f"the answer is larger than {most:,} bytes")
        return Answer(response.status_code, bytes(body))


def _reason(error: Exception) -> str:
    """The reason why there is no answer, in words without the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {_CONNECT:g} seconds"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refuses"
    if isinstance(error, _PASSING):
        return "the connection broke"
    return "the request cannot be sent"


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, then let closed connections end."""
    loop.run_forever()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def _close(loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
    """Close every connection, and end the loop with its thread."""

    async def closed() -> None:
        with suppress(httpx.HTTPError, OSError):
            await client.aclose()
        loop.stop()

    asyncio.run_coroutine_threadsafe(closed(), loop)
