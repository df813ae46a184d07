"""The simulator's orders, references, uploads and requests: on disk, to spare memory."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flux2build.simulator.orders import ReceivedOrder


class Uploads:
    """Uploaded files, and their descriptions, by id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.descriptions: dict[str, Mapping[str, Any]] = {}

    def get(self, name: str) -> bytes | None:
        """An uploaded file; None if no file has that id."""
        return (self._folder / name).read_bytes() if name in self.descriptions else None

    def add(self, name: str, data: bytes, description: Mapping[str, Any]) -> None:
        """Keep a file and its description."""
        (self._folder / name).write_bytes(data)
        self.descriptions[name] = description

    def remove(self, name: str) -> bool:
        """Forget a file; return whether there was one with that id."""
        return self.descriptions.pop(name, None) is not None


class TemporaryStorage:
    """A temporary folder that is removed with the simulation."""

    def __init__(self) -> None:
        root = tempfile.mkdtemp(prefix="flux2build-simulator-")
        self.close = weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        self._root = Path(root)
        self._log = self._root / "requests.jsonl"
        self._log.touch()
        for name in ("orders", "references", "uploads"):
            (self._root / name).mkdir()
        self.uploads = Uploads(self._root / "uploads")

    def remember(self, task: str, order: ReceivedOrder) -> None:
        """Keep the facts from which a task's picture is drawn later."""
        for reference in order.references:
            path = self._reference(reference.digest)
            if reference.data and not path.exists():
                path.write_bytes(reference.data)
        content = {
            "prompt": order.prompt,
            "reported_prompt": order.reported_prompt,
            "echo": _brief(order.echo),
            "references": [reference.digest for reference in order.references if reference.data],
        }
        self._order(task).write_text(json.dumps(content), encoding="utf-8")

    def recall(self, task: str) -> dict[str, Any]:
        """The record of a task: `prompt`, `reported_prompt`, `echo`, `references`."""
        loaded: dict[str, Any] = json.loads(self._order(task).read_text(encoding="utf-8"))
        return loaded

    def references(self, task: str) -> list[tuple[str, bytes]]:
        """The references of a task, with the names that prompts use."""
        digests = self.recall(task)["references"]
        return [
            (f"image {number}", self._reference(digest).read_bytes())
            for number, digest in enumerate(digests, 1)
        ]

    def log(self, request: Mapping[str, Any]) -> None:
        """Append one request to the log."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(request) + "\n")

    def requests(self) -> Iterator[dict[str, Any]]:
        """Every request so far, in order."""
        with self._log.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)

    def _order(self, task: str) -> Path:
        return self._root / "orders" / f"{task}.json"

    def _reference(self, digest: str) -> Path:
        return self._root / "references" / digest.removeprefix("sha256:")


def _brief(value: Any) -> Any:
    """A body without the bytes of its data URLs."""
    if isinstance(value, Mapping):
        return {key: _brief(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_brief(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return value.partition(",")[0] + ",…"
    return value
