"""What the simulator must remember about orders and requests: on disk, not in memory."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flux2build.simulator.orders import Wanted


class Uploads:
    """Uploaded files by id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """An uploaded file, if it is there."""
        path = self._folder / name
        return path.read_bytes() if name.isalnum() and path.is_file() else None

    def add(self, name: str, data: bytes, description: Mapping[str, Any]) -> None:
        """Keep a file and what is said about it."""
        (self._folder / name).write_bytes(data)
        (self._folder / f"{name}.json").write_text(json.dumps(description), encoding="utf-8")

    def description(self, name: str) -> dict[str, Any] | None:
        """What was said about a file when it came."""
        path = self._folder / f"{name}.json"
        if not name.isalnum() or not path.is_file():
            return None
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return loaded


class Spool:
    """A temporary folder that goes when the simulation goes."""

    def __init__(self) -> None:
        root = tempfile.mkdtemp(prefix="flux2build-simulator-")
        self.close = weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        self._root = Path(root)
        self._visits = self._root / "visits.jsonl"
        for name in ("orders", "references", "uploads"):
            (self._root / name).mkdir()
        self.uploads = Uploads(self._root / "uploads")

    def remember(self, task: str, wanted: Wanted) -> None:
        """Keep what is needed to draw a task's picture later."""
        for reference in wanted.references:
            path = self._reference(reference.digest)
            if reference.data and not path.exists():
                path.write_bytes(reference.data)
        content = {
            "prompt": wanted.prompt,
            "told": wanted.told,
            "echo": _brief(wanted.echo),
            "references": [reference.digest for reference in wanted.references if reference.data],
        }
        self._order(task).write_text(json.dumps(content), encoding="utf-8")

    def recall(self, task: str) -> dict[str, Any]:
        """What was kept about a task: `prompt`, `told`, `echo`."""
        loaded: dict[str, Any] = json.loads(self._order(task).read_text(encoding="utf-8"))
        return loaded

    def references(self, task: str) -> list[tuple[str, bytes]]:
        """A task's references, named as prompts name them."""
        digests = self.recall(task)["references"]
        return [
            (f"image {number}", self._reference(digest).read_bytes())
            for number, digest in enumerate(digests, 1)
        ]

    def log(self, visit: Mapping[str, Any]) -> None:
        """Add one request to the list of all requests."""
        with self._visits.open("a", encoding="utf-8") as file:
            file.write(json.dumps(visit) + "\n")

    def visits(self) -> Iterator[dict[str, Any]]:
        """Every request so far, in order."""
        if not self._visits.exists():
            return
        with self._visits.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)

    def _order(self, task: str) -> Path:
        return self._root / "orders" / f"{task}.json"

    def _reference(self, digest: str) -> Path:
        return self._root / "references" / digest.removeprefix("sha256:")


def _brief(value: Any) -> Any:
    """A body without the bytes inside it."""
    if isinstance(value, Mapping):
        return {key: _brief(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_brief(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return value.partition(",")[0] + ",…"
    return value
