"""A server and a proxy on 127.0.0.1 that stall, dribble or hang up at one stage of a purchase."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

PICTURE: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x01\0\0\0\x007n\xf9$\0\0\0\0IEND\xaeB`\x82"
)
"""A PNG from its header to its end."""
TASK: Final = "task-1"

STAGES: Final = ("touch", "upload", "submit", "poll", "download")
"""The requests of a purchase, in order."""
STALLS: Final = ("unread", "silent", "headers", "body")
"""What is done to one of them: its body is not read, it is not answered, its answer dribbles."""
PROXIES: Final = ("mute", "hangs-up", "mute-tls", "no-tls", "closes-tls")
"""What a proxy does: nothing; it drops CONNECT; it answers CONNECT, and TLS gets no answer, a page or an end."""


@dataclass
class Stalling:
    """What listens, and what it was asked."""

    stage: str = ""
    stall: str = ""
    url: str = ""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set once the stage is there that stalls."""
    asked: list[str] = field(default_factory=list)
    """The first line of every request."""
    _open: list[socket.socket] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        """Answer whoever comes."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._open.append(client)
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Let nothing hang any more."""
        self._over.set()
        for each in self._open:
            each.close()

    def _carry(self, client: socket.socket) -> None:
        with client, suppress(OSError, ValueError):
            if self.stage == "proxy":
                self._tunnel(client)
                return
            while self._answer(client):
                pass

    def _tunnel(self, client: socket.socket) -> None:
        self.asked.append(_head(client).partition("\r\n")[0])
        self.reached.set()
        if self.stall == "mute":
            self._over.wait()
        elif self.stall != "hangs-up":
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            client.recv(4096)
            if self.stall == "mute-tls":
                self._over.wait()
            elif self.stall == "no-tls":
                client.sendall(b"HTTP/1.1 511 Network Authentication Required\r\n\r\n")

    def _answer(self, client: socket.socket) -> bool:
        head = _head(client)
        self.asked.append(head.partition("\r\n")[0])
        stage = _stage(head)
        stalls = stage == self.stage
        if stalls:
            self.reached.set()
        if stalls and self.stall == "unread":
            self._over.wait()
            return False
        _body(client, head)
        if stalls and self.stall == "silent":
            self._over.wait()
            return False
        body = self._page(stage)
        start = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n".encode()
        if stalls and self.stall == "headers":
            client.sendall(start)
            self._dribble(client, b"x-filler: " + b"x" * 10_000)
        elif stalls and self.stall == "body":
            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
            self._dribble(client, b" " * 10_000)
        client.sendall(start + b"\r\n" + (b"" if stage == "touch" else body))
        return True

    def _dribble(self, client: socket.socket, data: bytes) -> None:
        for byte in data:
            client.sendall(bytes([byte]))
            if self._over.wait(0.05):
                raise OSError

    def _page(self, stage: str) -> bytes:
        if stage == "download":
            return PICTURE
        answers = {
            "upload": {"urls": {"get": f"{self.url}/reference.png"}},
            "submit": {"id": TASK, "polling_url": f"{self.url}/v1/get_result?id={TASK}"},
            "poll": {
                "id": TASK,
                "status": "Ready",
                "result": {"sample": f"{self.url}/a.png"},
            },
        }
        return json.dumps(answers.get(stage, {})).encode()


@contextmanager
def stalling(stage: str, stall: str) -> Iterator[Stalling]:
    """Run a server that stalls at a stage, or a proxy where that is `proxy`."""
    server = Stalling(stage, stall)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.close()


def _head(client: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            raise OSError
        head += byte
    return head.decode("latin-1")


def _body(client: socket.socket, head: str) -> None:
    lines = (line.partition(":") for line in head.lower().split("\r\n"))
    rest = next((int(value) for name, _, value in lines if name == "content-length"), 0)
    while rest > 0 and (data := client.recv(min(rest, 65536))):
        rest -= len(data)


def _stage(head: str) -> str:
    method, path, *_ = head.split()
    if method == "HEAD":
        return "touch"
    if method == "POST":
        return "upload" if path.endswith("/files") else "submit"
    return "download" if path.endswith(".png") else "poll"


def seconds(since: float) -> float:
    """Seconds that have passed."""
    return time.monotonic() - since
