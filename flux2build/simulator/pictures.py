"""The pictures that the simulated models deliver: drawn when they are fetched."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Final

from flux2build.providers.sketch import drawing
from flux2build.simulator.account import Task
from flux2build.simulator.temporary_storage import TemporaryStorage

_IEND: Final = 12
"""Bytes of the chunk that ends a PNG."""


def draw(task: Task, storage: TemporaryStorage) -> bytes:
    """A task's picture; two tasks with one order differ, as with real models."""
    prompt = storage.recall(task.id)["prompt"]
    return drawing.picture(
        prompt, task.width, task.height, task.format, task.id, storage.references(task.id)
    )


def foreign(task: Task) -> bytes:
    """A picture of another order, of the same size and format."""
    words = "somebody else's picture"
    return drawing.picture(words, task.width, task.height, task.format, f"not {task.id}")


def quick(task: Task) -> bytes:
    """The picture of this size, drawn once, with the task's name inside."""
    data = _blank(task.width, task.height, task.format)
    return _STAMPS[task.format](data, task.id.encode())


@lru_cache(maxsize=16)
def _blank(width: int, height: int, form: str) -> bytes:
    return drawing.picture("a simulated picture", width, height, form, "fast")


def _in_png(data: bytes, name: bytes) -> bytes:
    content = b"tEXtTask\x00" + name
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[:-_IEND] + chunk + data[-_IEND:]


def _in_jpeg(data: bytes, name: bytes) -> bytes:
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(name) + 2) + name + data[2:]


def _in_webp(data: bytes, name: bytes) -> bytes:
    padded = name + b"\x00" * (len(name) % 2)
    content = data[8:] + b"TASK" + struct.pack("<I", len(name)) + padded
    return data[:4] + struct.pack("<I", len(content)) + content


_STAMPS: Final = {"png": _in_png, "jpeg": _in_jpeg, "webp": _in_webp}
