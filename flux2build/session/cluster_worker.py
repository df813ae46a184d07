"""What a worker of a cluster does: bytes of its own team's store in, files out.

It runs on other machines, each with settings of its own: no URL, key or token is sent to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from flux2build.building.cluster_task import Absent, Answer
from flux2build.building.cluster_task import derive as derived
from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError
from flux2build.model import Derive
from flux2build.session.settings import read
from flux2build.session.team import team_store
from flux2build.sharing.team_store import TeamStore


def derive(
    tasks: Sequence[Derive], inputs: Sequence[Sequence[int]], *parts: bytes | Digest
) -> Answer | Absent:
    """Derive the files of one asset.

    Args:
        tasks: What to derive.
        inputs: The inputs of each of them, as indexes of `parts`.
        parts: The bytes of all inputs; of those that the team's store has, the digests.

    Returns:
        The files, or which bytes this machine cannot have.
    """
    data: list[bytes] = []
    for part in parts:
        there = part if isinstance(part, bytes) else _fetched(part)
        if there is None:
            return Absent(str(part))
        data.append(there)
    return derived(tasks, inputs, *data)


def _fetched(digest: Digest) -> bytes | None:
    """Bytes of the team's store; None if this machine cannot read them."""
    try:
        store = _store()
        return store.get(digest) if store else None
    except Flux2BuildError:
        return None


@cache
def _store() -> TeamStore | None:
    return team_store(read(None), Path.cwd())
