"""A stub of what the API of GitHub does with the comments of one pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class GitHub:
    """The comments, and what a token may do."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.status = 200
        self.calls: list[tuple[str, str]] = []

    def add(self, login: str, body: str) -> None:
        """Write a comment."""
        number = len(self.comments) + 1
        self.comments.append({"id": number, "user": {"login": login}, "body": body})

    def answer(self, method: str, path: str, content: Any) -> Any:
        """Carry out a request that the token may make."""
        self.calls.append((method, path.partition("?")[0]))
        if method == "GET":
            page = int(path.rpartition("=")[2])
            return self.comments[(page - 1) * 100 : page * 100]
        if method == "POST":
            self.add("github-actions[bot]", content["body"])
        else:
            [comment] = [each for each in self.comments if path.endswith(f"/{each['id']}")]
            comment["body"] = content["body"]
        return {}


@contextmanager
def serving(github: GitHub) -> Iterator[str]:
    """Answer on loopback; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            content = json.loads(self.rfile.read(length)) if length else None
            assert self.headers["Authorization"] == "Bearer t"
            status = github.status
            data = b"{}"
            if status == 200:
                data = json.dumps(github.answer(self.command, self.path, content)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
