"""Serves a folder as the store of a team: `flux2build store serve DIR`.

It accepts only keys of a team's store. Uploads are limited in size, and bytes that do not match
their digest are refused.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

import uvicorn
from msgspec import json, to_builtins
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from flux2build.digest import of_bytes
from flux2build.sharing.contract import Backend, Listed, Unreachable
from flux2build.sharing.keys import Space, digest_of, is_key, most, space_of
from flux2build.sharing.serving import configured, in_thread

PAGE: Final = 5000
"""Most keys in one answer."""
_SMALL: Final = 2**20
_LARGE_AT_ONCE: Final = 4
"""Most larger bodies in memory at once."""
_SECONDS: Final = 300
"""Most seconds for a body to arrive."""


class Site:
    """The pages of one store."""

    def __init__(self, backend: Backend, token: str = "") -> None:
        self._backend = backend
        self._authorization = f"Bearer {token}".encode() if token else b""
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    @property
    def app(self) -> Starlette:
        """The store as an ASGI application."""
        value = Route("/{space}/{name}", self._value, methods=["GET", "HEAD", "PUT", "DELETE"])
        app = Starlette(routes=[value, Route("/{space}/", self._keys, methods=["GET"])])
        app.router.redirect_slashes = False
        return app

    async def _value(self, request: Request) -> Response:
        self._require_token(request)
        key = f"{request.path_params['space']}/{request.path_params['name']}"
        if not is_key(key):
            raise HTTPException(404, "no key of a team's store")
        try:
            match request.method:
                case "PUT":
                    return await self._put(request, key)
                case "DELETE":
                    await run_in_threadpool(self._backend.delete, key)
                    return Response(status_code=204)
                case "HEAD":
                    there = await run_in_threadpool(self._backend.has, key)
                    return Response(status_code=200 if there else 404)
                case _:
                    return _found(await run_in_threadpool(self._backend.get, key))
        except Unreachable as error:
            raise HTTPException(507, str(error)) from error

    async def _put(self, request: Request, key: str) -> Response:
        condition = request.headers.get("if-none-match")
        if condition not in {None, "*"}:
            raise HTTPException(400, "the only condition is `If-None-Match: *`")
        async with self._body(request, key) as data:
            if space_of(key) is Space.BYTES and of_bytes(data) != digest_of(key):
                raise HTTPException(422, "these are not the bytes of that digest")
            if condition is None:
                await run_in_threadpool(self._backend.put, key, data)
            elif not await run_in_threadpool(self._backend.create, key, data):
                raise HTTPException(412, "there is a value already")
        return Response(status_code=201)

    @asynccontextmanager
    async def _body(self, request: Request, key: str) -> AsyncIterator[bytes]:
        """The body that a client sends for a key; few large ones are in memory at once.

        Raises:
            HTTPException: it is too large, too slow, or ends too early.
        """
        announced = request.headers.get("content-length", "")
        if not announced.isdecimal():
            raise HTTPException(411, "how long is it?")
        if int(announced) > most(key):
            raise HTTPException(413, "it is too large")
        small = int(announced) <= _SMALL
        async with _free() if small else self._large:
            try:
                async with asyncio.timeout(_SECONDS):
                    data = await request.body()
            except TimeoutError:
                raise HTTPException(408, "it takes too long") from None
            except ClientDisconnect:
                raise HTTPException(400, "it ends too early") from None
            if len(data) != int(announced):
                raise HTTPException(400, "it is not as long as announced")
            yield data

    async def _keys(self, request: Request) -> Response:
        self._require_token(request)
        space, after = request.path_params["space"], request.query_params.get("after", "")
        if space not in set(Space):
            raise HTTPException(404, "no space of a team's store")
        try:
            page, more = await run_in_threadpool(self._page, space, after)
        except Unreachable as error:
            raise HTTPException(507, str(error)) from error
        return Response(
            json.encode({"keys": to_builtins(page), "more": more}), media_type="application/json"
        )

    def _page(self, space: str, after: str) -> tuple[list[Listed], bool]:
        """The keys of a space after a given one, in order, and whether there are more."""
        listed = (each for each in self._backend.list(f"{space}/") if each.key > after)
        keys = sorted(listed, key=lambda each: each.key)
        return keys[:PAGE], len(keys) > PAGE

    def _require_token(self, request: Request) -> None:
        token = request.headers.get("authorization", "").encode()
        if self._authorization and not hmac.compare_digest(token, self._authorization):
            raise HTTPException(401, "no token", headers={"www-authenticate": "Bearer"})


def _found(data: bytes | None) -> Response:
    if data is None:
        raise HTTPException(404, "there is no value")
    return Response(data, media_type="application/octet-stream")


@asynccontextmanager
async def _free() -> AsyncIterator[None]:
    """Wait for nothing."""
    yield


def serve_until_interrupted(site: Site, listener: socket.socket) -> None:
    """Serve until a signal ends it."""
    uvicorn.Server(configured(site.app)).run(sockets=[listener])


def running(site: Site, listener: socket.socket) -> AbstractContextManager[None]:
    """Serve in a thread of this process."""
    return in_thread(uvicorn.Server(configured(site.app)), listener)
