"""The names in a folder, as a state that the index can compare."""

from __future__ import annotations

import hashlib


def listing(names: list[str]) -> str:
    """Return the state of a folder with these names; hidden ones are ignored."""
    visible = sorted(name for name in names if not name.startswith("."))
    text = "\0".join(visible).encode("utf-8", "surrogateescape")
    return "sha256:" + hashlib.sha256(text).hexdigest()
