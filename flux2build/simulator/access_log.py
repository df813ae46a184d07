"""The access log: every request, with its place in the simulation and whether it had a key."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flux2build.simulator.simulation import Simulation

_KEY_HEADERS: Final = ("x-key", "authorization", "x-api-key", "cookie")


def classify(request: Request, dialect: str, stage: str, model: str = "") -> dict[str, Any]:
    """Logs the purpose of a request; returns its log entry, to which more may be added."""
    entry: dict[str, Any] = request.scope["state"]["log_entry"]
    entry |= {"dialect": dialect, "stage": stage, "model": model}
    return entry


class AccessLog:
    """Middleware that logs every request, except those to the simulator's own pages."""

    def __init__(self, app: ASGIApp, simulation: Simulation) -> None:
        self._app, self._simulation = app, simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and log it however it ends."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim/"):
            await self._app(scope, receive, send)
            return
        entry = _entry(scope, self._simulation.now())
        scope.setdefault("state", {})["log_entry"] = entry

        async def counted() -> Message:
            message = await receive()
            entry["body_bytes"] += len(message.get("body", b""))
            return message

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, counted, watched)
        finally:
            self._simulation.storage.log(entry)


def _entry(scope: Scope, now: float) -> dict[str, Any]:
    headers = Headers(scope=scope)
    return {
        "at": now,
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "host": headers.get("host", ""),
        "headers": sorted(set(headers.keys())),
        "key": {name: _fingerprint(headers[name]) for name in _KEY_HEADERS if name in headers},
        "body_bytes": 0,
        "status": None,
        "fault": None,
    }


def _fingerprint(value: str) -> str:
    """A short digest, which distinguishes keys without storing them."""
    bare = value.rpartition(" ")[2]
    return "sha256:" + hashlib.sha256(bare.encode()).hexdigest()[:12]
