"""What `store serve` takes from strangers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flux2build import digest
from flux2build.sharing.backends.file import Folder
from flux2build.sharing.contract import TOKEN_VARIABLE, Access, kind_of
from flux2build.sharing.keys import Space, key_of
from flux2build.sharing.listening import base_url, listening
from flux2build.sharing.server import PAGE, Site, running
from tests.sharing.places import TOKEN

PICTURE = b"a picture"
BYTES = "/" + key_of(Space.BYTES, digest.of_bytes(PICTURE))
CLAIM = f"/claims/{'1' * 64}"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a store that is served to whoever has the token."""
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "store"
    folder.mkdir()
    headers = {"authorization": f"Bearer {TOKEN}"}
    with (
        listening("127.0.0.1", 0) as listener,
        running(Site(Folder(folder), TOKEN), listener),
        httpx.Client(
            base_url=base_url("127.0.0.1", listener), trust_env=False, headers=headers
        ) as client,
    ):
        yield client


def files(tmp_path: Path) -> list[str]:
    """Every file of the store."""
    return [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_token(client: httpx.Client, tmp_path: Path) -> None:
    """Whoever lacks the token reads, writes, lists and removes nothing."""
    client.put(CLAIM, content=b"claimed")
    for token in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \u00e9"):
        headers = httpx.Headers({b"authorization": token.encode()})
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert client.request(method, CLAIM, headers=headers).status_code == 401
        assert client.get("/claims/", headers=headers).status_code == 401
    assert (tmp_path / "store" / CLAIM[1:]).read_bytes() == b"claimed"


def raw(client: httpx.Client, request: str, *lines: str) -> bytes:
    """The answer to a request as it stands; a client that ends it too early gets none."""
    address = (client.base_url.host, client.base_url.port or 80)
    head = (f"{request} HTTP/1.1", "host: x", f"authorization: Bearer {TOKEN}", *lines, "\r\n")
    with socket.create_connection(address) as connection:
        connection.sendall("\r\n".join(head).encode())
        if "" in lines:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


@pytest.mark.parametrize(
    "path",
    [
        "/secret",
        "/../secret",
        "/cas/../../secret",
        "/cas/..%2f..%2fsecret",
        "/%2e%2e/secret",
        "/cas//etc/passwd",
        f"/cas/{'0' * 63}%00",
        f"/cas/{'0' * 64}/x",
        f"/cas/{'0' * 64}%0a",
        f"/other/{'0' * 64}",
        "/other/",
        "/",
    ],
)
def test_paths(client: httpx.Client, tmp_path: Path, path: str) -> None:
    """Only keys are served and written."""
    for method in ("GET", "PUT"):
        answer = raw(client, f"{method} {path}", "content-length: 0")
        assert answer.split()[1] in {b"404", b"405"}
        assert b"secret" not in answer.partition(b"\r\n\r\n")[2]
    assert files(tmp_path) == []


def test_bodies(client: httpx.Client, tmp_path: Path) -> None:
    """Wrong bytes, bytes without a length, too many and too few of them are not kept."""
    assert client.put(BYTES, content=b"another picture").status_code == 422
    assert client.put(BYTES, content=iter([PICTURE])).status_code == 411
    assert b" 413 " in raw(client, f"PUT {BYTES}", f"content-length: {2**40}")
    assert client.put(CLAIM, content=bytes(2**16 + 1)).status_code == 413
    raw(client, f"PUT {CLAIM}", "content-length: 100", "", "half of it")

    assert client.put(CLAIM, content=b"", headers={"if-none-match": '"1"'}).status_code == 400
    assert client.put(BYTES, content=PICTURE).status_code == 201
    assert files(tmp_path) == [BYTES.rpartition("/")[2]]


def test_pages(client: httpx.Client, tmp_path: Path) -> None:
    """Keys are listed in order, a page at a time."""
    folder = tmp_path / "store" / "claims"
    folder.mkdir()
    names = [f"{number:064x}" for number in range(PAGE + 1)]
    for name in names:
        (folder / name).touch()
    first = client.get("/claims/").json()
    second = client.get("/claims/", params={"after": first["keys"][-1]["key"]}).json()

    assert [each["key"] for each in first["keys"] + second["keys"]] == [
        f"claims/{name}" for name in names
    ]
    assert (first["more"], second["more"]) == (True, False)
    access = Access(value=lambda name: TOKEN if name == TOKEN_VARIABLE else "")
    listed = kind_of(str(client.base_url)).open(str(client.base_url), access).list("claims/")
    assert [each.key for each in listed] == [f"claims/{name}" for name in names]
