"""Servers of others in which a team can keep its store, where they are installed: run for real on this machine."""

from __future__ import annotations

import atexit
import base64
import hashlib
import hmac
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest

from tests.sharing.gcs import Bucket
from tests.sharing.places import Place

_ACCOUNT: Final = "devstoreaccount1"
_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The account that everybody's Azurite has."""


_TEAM: Final = Path(__file__).parents[2] / "docs" / "team.md"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _run(command: Sequence[str], port: int) -> None:
    """Run a server until this process ends, and wait until it listens.

    Raises:
        RuntimeError: it ends before.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.wait)
    atexit.register(process.terminate)
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{command[0]} has ended")


def _program(*names: str, paths: Sequence[str] = ("/usr/sbin",)) -> str:
    """Where a program is; without it there is nothing to test."""
    for name in names:
        for path in (None, *paths):
            if found := shutil.which(name, path=path):
                return found
    pytest.skip(f"needs {names[0]}")


@cache
def _azurite() -> str:
    port, program = _free_port(), _program("azurite-blob")
    options = ("--inMemoryPersistence", "--skipApiVersionCheck", "--silent")
    _run((program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options), port)
    return f"http://127.0.0.1:{port}/{_ACCOUNT}"


@contextmanager
def azure(_path: Path) -> Iterator[Place]:
    """A new container of Azurite, which speaks Azure's API of blobs."""
    name, endpoint = f"team-{uuid4().hex}", _azurite()
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    signed = (
        f"PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-08-06\n"
        f"/{_ACCOUNT}/{_ACCOUNT}/{name}\nrestype:container"
    )
    mac = hmac.new(base64.b64decode(_KEY), signed.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-08-06",
        "authorization": f"SharedKey {_ACCOUNT}:{base64.b64encode(mac).decode()}",
    }
    made = httpx.put(
        f"{endpoint}/{name}", params={"restype": "container"}, headers=headers, trust_env=False
    )
    made.raise_for_status()
    yield Place(
        f"az://{name}/team",
        {
            "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
            "AZURE_ENDPOINT": endpoint,
        },
    )


@contextmanager
def google(_path: Path) -> Iterator[Place]:
    """A new bucket that is met by Google's API."""
    with Bucket() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        account = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "x"}
        key = json.dumps({**account, "private_key": "", "private_key_id": ""})
        environment = {"GOOGLE_BASE_URL": endpoint, "GOOGLE_SERVICE_ACCOUNT_KEY": key}
        try:
            yield Place("gs://bucket/team", environment)
        finally:
            server.shutdown()
            serving.join()


def _root(path: Path) -> Path:
    """A folder into which a server may write whose workers have another user."""
    (root := path / "pictures").mkdir()
    for folder in (root, path, *path.parents[:2]):
        folder.chmod(0o777)
    return root


def nginx(path: Path) -> str:
    """The URL of nginx, configured as the documentation says."""
    program, port, text = _program("nginx"), _free_port(), _TEAM.read_text("utf-8")
    site = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert site is not None
    served = site[1].replace("8600", f"127.0.0.1:{port}").replace("/srv/pictures", str(_root(path)))
    own = f"daemon off; pid {path}/pid; error_log {path}/log; events {{}}"
    temporary = f"access_log off; client_body_temp_path {path}/body;"
    (path / "nginx.conf").write_text(f"{own} http {{ {temporary} {served} }}")
    _run((program, "-e", f"{path}/log", "-c", str(path / "nginx.conf")), port)
    return f"http://127.0.0.1:{port}"


def apache(path: Path) -> str:
    """The URL of Apache with its own module for WebDAV."""
    program, port = _program("apache2", "httpd"), _free_port()
    names = ("mpm_event", "authz_core", "dav", "dav_fs")
    modules = "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in names
    )
    root = _root(path)
    (path / "apache.conf").write_text(
        f"ServerRoot {path}\nServerName localhost\nListen 127.0.0.1:{port}\n{modules}"
        f"PidFile {path}/pid\nErrorLog {path}/log\nUser www-data\nGroup www-data\n"
        f"DocumentRoot {root}\nDavLockDB {path}/lock\n"
        f"<Directory {root}>\nDav On\nRequire all granted\n</Directory>\n"
    )
    _run((program, "-f", str(path / "apache.conf"), "-DFOREGROUND"), port)
    return f"http://127.0.0.1:{port}"


def rclone(path: Path) -> str:
    """The URL of `rclone serve webdav`."""
    program, port = _program("rclone"), _free_port()
    address = f"127.0.0.1:{port}"
    _run((program, "serve", "webdav", str(_root(path)), "--addr", address), port)
    return f"http://{address}"


FILE_SERVERS: Final[dict[str, Callable[[Path], str]]] = {
    "apache": apache,
    "nginx": nginx,
    "rclone": rclone,
}
"""Servers that keep bytes and receipts, and no claims."""

PEERS: Final[dict[str, Callable[[Path], AbstractContextManager[Place]]]] = {
    "azurite": azure,
    "google": google,
}
"""Servers that keep all that a team shares."""
