"""A server of HTTP as the team's store."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from flux2build.errors import UsageError
from flux2build.sharing.backends.http import BACKEND
from flux2build.sharing.contract import TOKEN_VARIABLE, Access, Unreachable
from flux2build.sharing.keys import Space

CLAIM = f"claims/{'1' * 64}"


class Dav(BaseHTTPRequestHandler):
    """A WebDAV server that wants folders to be created first, as Apache's does."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, Mapping[str, str]]]]
    folders: ClassVar[set[str]]

    def answer(self, status: int) -> None:
        """Take the body, note what was asked, and answer with nothing but a status."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path, dict(self.headers.items())))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        """Write, if the folder is there."""
        there = self.path.rpartition("/")[0] in self.folders
        self.answer(201 if there else 409)

    def do_MKCOL(self) -> None:
        """Create a folder."""
        self.folders.add(self.path.rstrip("/"))
        self.answer(201)

    def do_GET(self) -> None:
        """Know nothing."""
        self.answer(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def dav() -> Iterator[tuple[str, type[Dav]]]:
    """The address of a WebDAV server, and what it was asked."""

    class Own(Dav):
        seen: ClassVar[list[tuple[str, str, Mapping[str, str]]]] = []
        folders: ClassVar[set[str]] = set()

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}", Own
        server.shutdown()
        thread.join()


def test_webdav(dav: tuple[str, type[Dav]]) -> None:
    """The folder of a space is created where the server wants that."""
    address, server = dav

    BACKEND.open(f"http://{address}/team/", Access()).put(CLAIM, b"claimed")

    asked = [(method, path) for method, path, _ in server.seen]
    assert asked == [
        ("PUT", f"/team/{CLAIM}"),
        ("MKCOL", "/team/claims/"),
        ("PUT", f"/team/{CLAIM}"),
    ]


@pytest.mark.parametrize(
    ("user", "token", "authorization"),
    [
        ("", "", None),
        ("", "t0ken", "Bearer t0ken"),
        ("me:p%40ss@", "t0ken", f"Basic {base64.b64encode(b'me:p@ss').decode()}"),
    ],
)
def test_credentials(
    dav: tuple[str, type[Dav]], user: str, token: str, authorization: str | None
) -> None:
    """The user and password of the URL let in, else the token; they are no part of the address."""
    address, server = dav
    access = Access(value=lambda name: token if name == TOKEN_VARIABLE else "")

    assert BACKEND.open(f"http://{user}{address}", access).get(CLAIM) is None

    ((_, path, headers),) = server.seen
    assert path == f"/{CLAIM}"
    assert headers.get("authorization") == authorization


def test_lists_nothing(dav: tuple[str, type[Dav]]) -> None:
    """A server that does not list its keys is told as such, not as an empty one."""
    backend = BACKEND.open(f"http://{dav[0]}", Access())
    with pytest.raises(Unreachable, match="404"):
        list(backend.list(f"{Space.CLAIMS}/"))


def test_not_in_clear() -> None:
    """A token is sent in clear to a private network only."""
    backend = BACKEND.open("http://192.0.2.1.invalid", Access(value=lambda _: "t0ken"))
    with pytest.raises(Unreachable, match="not sent in clear"):
        backend.get(CLAIM)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://h:0", "https://me:pw@h/?a=b"])
def test_urls(url: str) -> None:
    """A URL names a server and a path, and no more; its password is kept."""
    with pytest.raises(UsageError, match="is not the URL of a store's server") as error:
        BACKEND.open(url, Access())
    assert "pw" not in str(error.value)
    assert ("after `?` or `#`" in str(error.value)) == ("?" in url)


def test_token() -> None:
    """What cannot be a token is refused without being shown."""
    with pytest.raises(UsageError, match="does not hold a token") as error:
        BACKEND.open("http://127.0.0.1", Access(value=lambda _: "two\nlines"))
    assert "lines" not in str(error.value)
