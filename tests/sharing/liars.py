"""A server on this machine that answers every request in one wrong way."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_CHUNK: Final = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
_BOMB: Final = gzip.compress(bytes(10**7))


Lie = Callable[["Liar", socket.socket], None]


class Liar:
    """What listens, tells its lie to whoever comes, and counts what it sent without an end."""

    def __init__(self, tell: Lie) -> None:
        self._tell = tell
        self.over: Final = threading.Event()
        self.sent = 0
        self.threads: list[threading.Thread] = []

    def serve(self, listener: socket.socket) -> None:
        """Answer until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                thread = threading.Thread(target=self._answer, args=(client,))
                self.threads.append(thread)
                thread.start()

    def _answer(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (more := client.recv(65536)):
                head += more
            self._tell(self, client)


def _plain(data: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", *headers, f"content-length: {len(data)}", 'etag: "1"')
    dated = "last-modified: Fri, 27 Nov 2026 00:00:00 GMT"
    return "\r\n".join((*lines, dated, "\r\n")).encode() + data


def _endless(liar: Liar, client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not liar.over.is_set():
        client.sendall(_CHUNK)
        liar.sent += len(_CHUNK)


def _silent(liar: Liar, _: socket.socket) -> None:
    liar.over.wait()


def _dribble(start: bytes) -> Lie:
    def dribble(liar: Liar, client: socket.socket) -> None:
        client.sendall(start)
        while not liar.over.wait(0.05):
            client.sendall(b"x")

    return dribble


def _say(data: bytes) -> Lie:
    return lambda _, client: client.sendall(data)


LIES: Final[dict[str, Lie]] = {
    "wrong": _say(_plain(b"something else")),
    "empty": _say(_plain(b"")),
    "truncated": _say(_plain(b"x" * 1000)[:-500]),
    "compressed": _say(_plain(_BOMB, "200 OK", "content-encoding: gzip")),
    "forbidden": _say(_plain(b"<p>secret", "403 Forbidden")),
    "unauthorized": _say(_plain(b"", "401 Unauthorized")),
    "broken": _say(_plain(b"", "500 Internal Server Error")),
    "busy": _say(_plain(b"", "503 Service Unavailable", "retry-after: 3600")),
    "redirecting": _say(_plain(b"", "302 Found", "location: /cas/elsewhere")),
    "silent": _silent,
    "slow-head": _dribble(b"HTTP/1.1 200 OK\r\nx-filler: "),
    "slow-body": _dribble(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n"),
    "hangs-up": lambda _, client: client.close(),
    "no-http": _say(b"220 ftp.example ready\r\n"),
    "endless": _endless,
    "announced": _say(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\nx"),
}


@contextmanager
def lying(lie: str) -> Iterator[tuple[str, Liar]]:
    """The URL of a server that tells a lie."""
    liar = Liar(LIES[lie])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=liar.serve, args=(listener,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", liar
        finally:
            liar.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()
            for thread in liar.threads:
                thread.join(5)


@contextmanager
def vanished() -> Iterator[str]:
    """The URL of a server that is not there any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"
