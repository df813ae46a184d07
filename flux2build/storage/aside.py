"""Keeps damaged files under another name beside their place, and never deletes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from flux2build.digest import of_bytes, short
from flux2build.storage import durable

_OURS_ALONE: Final = 0o600


def put_aside(path: Path, data: bytes | None) -> Path:
    """Keep the content of a path under another name beside it; a file also stays in place.

    Raises:
        SystemFault: it cannot be kept.
    """
    if data is not None:
        aside = path.with_name(f"{path.name}.damaged-{short(of_bytes(data))}")
        durable.replace(aside, data, _OURS_ALONE)
        return aside
    aside = path.with_name(f"{path.name}.damaged-{os.urandom(4).hex()}")
    try:
        path.rename(aside)
        durable.sync(path.parent)
    except OSError as error:
        raise durable.fault("move", path, error) from error
    return aside
