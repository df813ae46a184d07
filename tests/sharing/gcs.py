"""What clients of Google's XML API ask of a bucket, answered as its reference documents it.

No emulator that a registry has answers a PUT of that API and heeds `x-goog-if-generation-match`.
"""

from __future__ import annotations

import hashlib
import threading
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_PAGE: Final = 5
"""Keys in a page; few, so that there are several."""


class Bucket(ThreadingHTTPServer):
    """Objects by their names, and the generation that each has."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.guard = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def _name(self) -> str:
        return unquote(urlsplit(self.path).path.lstrip("/").partition("/")[2])

    def _answer(self, status: HTTPStatus, body: bytes = b"", size: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body) if size is None else size))
        self.send_header("etag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')
        self.send_header("last-modified", formatdate(usegmt=True))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        """Write an object; if it must have generation 0, only the first one."""
        data = self.rfile.read(int(self.headers["content-length"]))
        first = self.headers.get("x-goog-if-generation-match") == "0"
        with self.server.guard:
            if refused := first and self._name in self.server.objects:
                status = HTTPStatus.PRECONDITION_FAILED
            else:
                status, self.server.objects[self._name] = HTTPStatus.OK, data
        self._answer(status, _error("PreconditionFailed") if refused else b"")

    def do_DELETE(self) -> None:
        """Remove an object."""
        with self.server.guard:
            there = self.server.objects.pop(self._name, None) is not None
        self._answer(HTTPStatus.NO_CONTENT if there else HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        """Tell of an object."""
        data = self.server.objects.get(self._name)
        status = HTTPStatus.NOT_FOUND if data is None else HTTPStatus.OK
        self._answer(status, size=len(data or b""))

    def do_GET(self) -> None:
        """Send an object, or list some."""
        if not self._name:
            self._answer(HTTPStatus.OK, self._listed())
        elif (data := self.server.objects.get(self._name)) is None:
            self._answer(HTTPStatus.NOT_FOUND, _error("NoSuchKey"))
        else:
            self._answer(HTTPStatus.OK, data)

    def _listed(self) -> bytes:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        with self.server.guard:
            objects = sorted(self.server.objects.items())
        rows = [each for each in objects if each[0].startswith(prefix) and each[0] > after]
        page, more = rows[:_PAGE], len(rows) > _PAGE
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(data)}</Size>"
            '<LastModified>2026-11-27T00:00:00.000Z</LastModified><ETag>"1"</ETag></Contents>'
            for name, data in page
        )
        token = f"<NextContinuationToken>{page[-1][0]}</NextContinuationToken>" if more else ""
        text = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{contents}{token}"
        return f"{text}</ListBucketResult>".encode()


def _error(code: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>".encode()
