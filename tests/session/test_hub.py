"""Hugging Face: what is offered, and what of it is fetched; its own library asks a server here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

import pytest

from flux2build.errors import SystemFault
from flux2build.session import hub

REVISION: Final = "0123456789abcdef0123456789abcdef01234567"
FILES: Final = {
    "model_index.json": b"{}",
    "vae/config.json": b"{ }",
    "vae/model.safetensors": b"weights",
    "vae/model.bin": b"a pickle",
    "flux.safetensors": b"the same weights in another format",
    "tokenizer/chat_template.jinja": b"{{ words }}",
    "README.md": b"# klein",
}


class Hub(BaseHTTPRequestHandler):
    """The parts of Hugging Face's API that fetching a model needs."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        """The headers of a file."""
        self.do_GET()

    def do_GET(self) -> None:
        """A model's facts, its files, or the bytes of one."""
        path = self.path.partition("?")[0]
        name = path.partition(f"/resolve/{REVISION}/")[2]
        if "gated" in path:
            self._answer(403, b"{}")
        elif name in FILES:
            self.asked.append(name)
            self._answer(200, FILES[name])
        elif "/tree/" in path:
            files = [
                {"type": "file", "path": file, "size": len(data), "oid": sha256(data).hexdigest()}
                for file, data in FILES.items()
            ]
            self._answer(200, json.dumps(files).encode())
        elif path.startswith("/api/models/acme/klein"):
            files = [{"rfilename": file, "size": len(data)} for file, data in FILES.items()]
            card = {"license": "apache-2.0"}
            about = {"id": "acme/klein", "sha": REVISION, "siblings": files, "cardData": card}
            self._answer(200, json.dumps(about).encode())
        else:
            self._answer(404, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of a Hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


WITH_LIBRARY: Final = pytest.mark.skipif(
    not find_spec("huggingface_hub"), reason="the extra `local` is not installed"
)


@WITH_LIBRARY
def test_what_a_pipeline_needs_is_offered_and_fetched(endpoint: str, tmp_path: Path) -> None:
    """The size is that of what is fetched: no pickles, no other formats, nothing to read."""
    wanted = {name for name in FILES if name.endswith((".json", ".jinja"))}
    wanted.add("vae/model.safetensors")

    offered = hub.offer("acme/klein", endpoint)
    hub.fetch(offered, tmp_path, endpoint)

    assert offered == hub.Offer(
        "acme/klein", REVISION, "apache-2.0", sum(len(FILES[name]) for name in wanted)
    )
    fetched = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {name for name in fetched if not name.startswith(".cache")} == wanted
    assert set(Hub.asked) == wanted
    assert tmp_path.joinpath("vae/model.safetensors").read_bytes() == b"weights"


@WITH_LIBRARY
@pytest.mark.parametrize(
    ("repository", "hint"), [("acme/gated", "agree to its licence"), ("acme/nothing", "")]
)
def test_what_cannot_be_fetched_is_told(endpoint: str, repository: str, hint: str) -> None:
    """The repository is named, and a licence that must be agreed to."""
    with pytest.raises(SystemFault, match=f"`{repository}` cannot be fetched") as caught:
        hub.offer(repository, endpoint)

    assert hint in (caught.value.problems[0].hint or "")


@pytest.mark.skipif(bool(find_spec("huggingface_hub")), reason="the extra `local` is installed")
def test_fetching_without_the_library(tmp_path: Path) -> None:
    """What is missing is named, and how to add it."""
    with pytest.raises(SystemFault, match="there is no `huggingface_hub`") as caught:
        hub.fetch(hub.Offer("acme/klein", REVISION, "", 0), tmp_path)

    assert "pip install" in (caught.value.problems[0].hint or "")
