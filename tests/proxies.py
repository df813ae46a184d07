"""Local proxies for HTTP and SOCKS5, which forward every name to 127.0.0.1, or go wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

SOCKS_FAULTS: Final = {
    "silent": (b"",),
    "silent when asked to connect": (b"\5\0", b""),
    "dribbling": (b"\5",),
    "closing": (None,),
    "closing when asked to connect": (b"\5\0", None),
    "no SOCKS": (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
    "SOCKS4": (b"\0\x5a\0\0\0\0\0\0",),
    "another login": (b"\5\xff",),
    "refusing": (b"\5\0", b"\5\5\0\1\0\0\0\0\0\0"),
    "breaking off": (b"\5\0", b"\5\0"),
}
"""What a faulty SOCKS proxy answers to one message after the other; None closes the connection."""
_CONNECTED: Final = b"\5\0\0\1\0\0\0\0\0\0"


@contextmanager
def proxy(refusal: str = "") -> Iterator[tuple[str, list[str]]]:
    """Run a proxy; return its URL, and the first line of every request as it arrives."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, refusal, asked), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, refusal: str, asked: list[str]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_carry, args=(client, refusal, asked), daemon=True).start()


def _carry(client: socket.socket, refusal: str, asked: list[str]) -> None:
    with client, suppress(OSError):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        asked.append(head.partition(b"\r\n")[0].decode())
        if refusal:
            client.sendall(f"HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n".encode())
            return
        port = int(head.split()[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            _pump_both(client, server)


@contextmanager
def socks(login: str = "", fault: str = "") -> Iterator[tuple[str, list[str]]]:
    """Run a SOCKS5 proxy; return its URL, and the name and port of every connection it is asked for.

    `login` is the name and the password that it wants, with a colon between.
    """
    asked: list[str] = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = (listener, login, SOCKS_FAULTS.get(fault, ()), asked, over)
        threading.Thread(target=_serve_socks, args=arguments, daemon=True).start()
        yield f"socks5://{login}{'@' * bool(login)}127.0.0.1:{listener.getsockname()[1]}", asked
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def _serve_socks(
    listener: socket.socket,
    login: str,
    fault: tuple[bytes | None, ...],
    asked: list[str],
    over: threading.Event,
) -> None:
    def carry(client: socket.socket) -> None:
        with client, suppress(OSError):
            if fault:
                _go_wrong(client, fault, over)
            else:
                _carry_socks(client, login, asked)

    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=carry, args=(client,), daemon=True).start()


def _go_wrong(
    client: socket.socket, answers: tuple[bytes | None, ...], over: threading.Event
) -> None:
    for answer in answers:
        client.recv(4096)
        if answer is None:
            return
        client.sendall(answer)
    over.wait()


def _carry_socks(client: socket.socket, login: str, asked: list[str]) -> None:
    _, count = client.recv(2)
    methods = client.recv(count)
    client.sendall(b"\5\2" if login and b"\2" in methods else b"\5\0" if not login else b"\5\xff")
    if login:
        _, length = client.recv(2)
        name = client.recv(length)
        password = client.recv(client.recv(1)[0])
        known = f"{name.decode()}:{password.decode()}" == login
        client.sendall(b"\1\0" if known else b"\1\1")
    _, _, _, kind = client.recv(4)
    host = client.recv(client.recv(1)[0]).decode() if kind == 3 else _address(client, kind)
    port = int.from_bytes(client.recv(2), "big")
    asked.append(f"{host}:{port}")
    with socket.create_connection(("127.0.0.1", port)) as server:
        client.sendall(_CONNECTED)
        _pump_both(client, server)


def _address(client: socket.socket, kind: int) -> str:
    family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
    return socket.inet_ntop(family, client.recv(length))


def _pump_both(client: socket.socket, server: socket.socket) -> None:
    back = threading.Thread(target=_pump, args=(server, client), daemon=True)
    back.start()
    _pump(client, server)
    back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
