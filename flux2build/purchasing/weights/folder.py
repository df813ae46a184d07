"""A folder of weights: its pipeline, and the digest that identifies it.

Only safetensors and JSON count. Files that could run code when loaded are refused: pickles, Python
files, and links that lead out of the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from flux2build.digest import Digest, of_json
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.storage import regular
from flux2build.storage.index import Index

_INDEX: Final = "model_index.json"
_COUNTED: Final = frozenset({".safetensors", ".json"})
_PICKLES: Final = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
_SOURCES: Final = ([None], ["diffusers"], ["transformers"])
"""The libraries that components of a pipeline may come from; None for one that is left out."""
_LARGEST_JSON: Final = 64 * 1024 * 1024
"""Most bytes of a JSON file; the largest tokenizers have about 20 million."""


class WeightsFolder(Struct, frozen=True):
    """The contents of a folder of weights."""

    path: Path
    pipeline: str
    """The class of its pipeline, as diffusers names it."""
    distilled: bool
    """Whether it needs no guidance."""
    files: tuple[str, ...]
    """The files in its digest, sorted; POSIX paths from the folder."""

    def digest(self, index: Index) -> Digest:
        """The digest of these weights; a file that has not changed is not hashed again.

        Raises:
            SystemFault: a file cannot be read.
        """
        rows: list[list[str]] = []
        for name in self.files:
            digest = index.digest(str(self.path / name))
            if digest is None:
                raise SystemFault(f"`{self.path / name}` cannot be read")
            rows.append([name, digest])
        return of_json(rows)

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum((self.path / name).stat().st_size for name in self.files)


def opened(path: Path) -> WeightsFolder:
    """The weights in a folder.

    Raises:
        SystemFault: it is not a folder of weights, or has files that must not be loaded.
    """
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise _unusable(path, f"it {what}", "`path` names the folder with `model_index.json`")
    files = tuple(sorted(_files(path)))
    if _INDEX not in files:
        raise _unusable(path, f"it has no `{_INDEX}`", "fetch the weights in diffusers' format")
    pipeline, distilled = _pipeline(path, _table(path, _INDEX))
    return WeightsFolder(path, pipeline, distilled, files)


def _files(folder: Path) -> Iterator[str]:
    """The files that count, from the folder; hidden folders, such as a cache's, do not."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *names):
            _refuse_link(folder, here / name)
        for name in names:
            path = here / name
            if (ending := path.suffix.lower()) in _COUNTED:
                yield path.relative_to(folder).as_posix()
            elif ending in _PICKLES or ending == ".py":
                what = "a program" if ending == ".py" else "a pickle, which could run any program"
                hint = "take it away, or fetch the weights as safetensors"
                raise _unusable(folder, f"`{path.relative_to(folder)}` is {what}", hint)


def _raise(error: OSError) -> None:
    raise SystemFault(f"`{error.filename}` cannot be read: {(error.strerror or '').lower()}")


def _refuse_link(folder: Path, path: Path) -> None:
    if not path.is_symlink():
        return
    name = path.relative_to(folder)
    if path.is_dir() or not path.resolve().is_relative_to(folder.resolve()):
        hint = f"copy the folder with what its links lead to: `cp -RL {folder} NEW`"
        raise _unusable(folder, f"`{name}` is a link that leads elsewhere", hint)


def _pipeline(folder: Path, index: Mapping[str, Any]) -> tuple[str, bool]:
    """The class of the pipeline and whether its weights are distilled; refuses code."""
    name = index.get("_class_name")
    if not isinstance(name, str):
        raise _unusable(folder, f"`{_INDEX}` names no pipeline")
    for part, where in index.items():
        if isinstance(where, list) and where[:1] not in _SOURCES:
            message = f"`{_INDEX}` takes `{part}` from `{where[0] if where else ''}`"
            raise _unusable(folder, message, "known: `diffusers`, `transformers`")
    return name, index.get("is_distilled") is True


def _table(folder: Path, name: str) -> Mapping[str, Any]:
    try:
        table = json.loads(regular.read(folder / name, _LARGEST_JSON))
    except OSError as error:
        raise _unusable(folder, f"`{name}` cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(folder, f"`{name}` is not JSON") from error
    if not isinstance(table, dict):
        raise _unusable(folder, f"`{name}` is not a table")
    return table


def _unusable(folder: Path, why: str, hint: str | None = None) -> Flux2BuildError:
    return SystemFault(f"the weights in `{folder}` cannot be used: {why}", hint=hint)
