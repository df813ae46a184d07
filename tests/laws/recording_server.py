"""A server that belongs to no provider: it records every request, and answers with a picture."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image


@dataclass
class RecordingServer:
    """The server's address, and the requests that it received."""

    base: str = ""
    requests: list[str] = field(default_factory=list)
    """Each request in full, as text."""


@contextmanager
def recording() -> Iterator[RecordingServer]:
    """Run a recording server in a thread, at an address of its own."""
    recorder, picture = RecordingServer(), io.BytesIO()
    Image.new("RGB", (64, 64), "navy").save(picture, "png")

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            recorder.requests.append(f"{self.requestline}\n{self.headers}\n{body!r}")
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", str(len(picture.getvalue())))
            self.end_headers()
            self.wfile.write(picture.getvalue())

        do_GET = do_POST = do_HEAD = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        recorder.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
